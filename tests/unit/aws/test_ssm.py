"""Secrets in SSM parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.ssm import REFRESH_SECONDS, SsmEdgeSecrets, SsmUploadKeys
from roadstead.content.uploads.token import UploadKeys, UploadKeySource
from tests import aws
from tests.memory.objects import FixedUploadKeys

ONE = json.dumps({"current": "k1", "keys": {"k1": "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="}})
TWO = json.dumps({"current": "k2", "keys": {"k2": "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI="}})
KEYS = UploadKeys("k1", {"k1": b"1" * 32})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ssm() -> Iterator[Any]:
    with mock_aws():
        yield aws.client("ssm")


def write(ssm: Any, text: str) -> None:
    ssm.put_parameter(Name="/keys", Type="SecureString", Value=text, Overwrite=True)


@pytest.mark.parametrize("kind", ["fixed", "ssm"])
def test_every_source_gives_the_keys(ssm: Any, kind: str) -> None:
    write(ssm, ONE)
    source: UploadKeySource = FixedUploadKeys(KEYS) if kind == "fixed" else SsmUploadKeys(ssm, "/keys")
    assert source.upload_keys() == KEYS


def test_keys_are_read_once_in_five_minutes_so_that_a_rotation_is_seen(ssm: Any) -> None:
    write(ssm, ONE)
    clock, calls = Clock(), aws.record_calls(ssm)
    source = SsmUploadKeys(ssm, "/keys", clock=clock)
    assert source.upload_keys().current == "k1"
    write(ssm, TWO)
    calls.clear()
    clock.now = REFRESH_SECONDS
    assert source.upload_keys().current == "k1"
    assert calls == []
    clock.now = REFRESH_SECONDS + 1
    assert source.upload_keys().current == "k2"
    assert calls == ["ssm.GetParameter"]


def test_nothing_is_read_before_it_is_needed(ssm: Any) -> None:
    calls = aws.record_calls(ssm)
    SsmUploadKeys(ssm, "/keys")
    SsmEdgeSecrets(ssm, "/keys")
    assert calls == []


def test_a_parameter_of_another_form_is_told(ssm: Any) -> None:
    write(ssm, "{}")
    with pytest.raises(ValueError, match="upload keys"):
        SsmUploadKeys(ssm, "/keys").upload_keys()


def test_one_edge_secret_or_two(ssm: Any) -> None:
    for text, secrets in (("a" * 32, ("a" * 32,)), (f"{'a' * 32} {'b' * 40}\n", ("a" * 32, "b" * 40))):
        write(ssm, text)
        assert SsmEdgeSecrets(ssm, "/keys").edge_secrets() == secrets


@pytest.mark.parametrize("text", [" ", "a" * 31, f"{'a' * 32} b"])
def test_a_short_edge_secret_is_refused(ssm: Any, text: str) -> None:
    write(ssm, text)
    with pytest.raises(ValueError, match="at least 32 characters"):
        SsmEdgeSecrets(ssm, "/keys").edge_secrets()


def test_keys_that_cannot_be_read_again_serve_on_and_are_asked_for_five_minutes_later(ssm: Any) -> None:
    write(ssm, ONE)
    clock = Clock()
    source = SsmUploadKeys(ssm, "/keys", clock=clock)
    source.upload_keys()
    ssm.delete_parameter(Name="/keys")
    clock.now = REFRESH_SECONDS + 1
    assert source.upload_keys() == KEYS
    write(ssm, TWO)
    assert source.upload_keys() == KEYS
    clock.now = 2 * REFRESH_SECONDS + 2
    assert source.upload_keys().current == "k2"


def test_keys_of_a_wrong_form_do_not_replace_those_that_serve(ssm: Any, caplog: pytest.LogCaptureFixture) -> None:
    write(ssm, ONE)
    clock, calls = Clock(), aws.record_calls(ssm)
    source = SsmUploadKeys(ssm, "/keys", clock=clock)
    source.upload_keys()
    write(ssm, ONE.removesuffix("}"))
    clock.now = REFRESH_SECONDS + 1
    calls.clear()
    assert [source.upload_keys(), source.upload_keys()] == [KEYS, KEYS]
    assert calls == ["ssm.GetParameter"]
    assert "/keys could not be read; its cached value is used" in caplog.text
    assert "MTEx" not in caplog.text


def test_keys_that_could_never_be_read_are_an_error(ssm: Any) -> None:
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        SsmUploadKeys(ssm, "/absent").upload_keys()


def test_an_edge_secret_can_have_its_values_under_names_all_of_which_are_believed(ssm: Any) -> None:
    write(ssm, json.dumps({"current": "n" * 48, "previous": "p" * 48}))
    assert SsmEdgeSecrets(ssm, "/keys").edge_secrets() == ("n" * 48, "p" * 48)
    write(ssm, json.dumps({"current": "short"}))
    with pytest.raises(ValueError, match="at least 32 characters"):
        SsmEdgeSecrets(ssm, "/keys").edge_secrets()
