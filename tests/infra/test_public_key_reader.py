"""The custom resource that reads the public keys of the token keys, on a KMS emulator."""

from __future__ import annotations

import base64
import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.public_keys import READER

Told = tuple[str, dict[str, str], str, str]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Told]]:
    """What CloudFormation is told: status, data, physical id, reason."""
    answers: list[Told] = []

    def send(
        event: Any, context: Any, status: str, data: dict[str, str], physical_id: str, *, reason: str = ""
    ) -> None:
        answers.append((status, data, physical_id, reason))

    module = types.ModuleType("cfnresponse")
    for name, value in {"send": send, "SUCCESS": "SUCCESS", "FAILED": "FAILED"}.items():
        monkeypatch.setattr(module, name, value, raising=False)
    monkeypatch.setitem(sys.modules, "cfnresponse", module)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield answers


def reader() -> Any:
    return importlib.reload(importlib.import_module("infra.public_key_reader"))


def key() -> str:
    made = boto3.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["Arn"])


def test_the_keys_are_told_in_their_order(told: list[Told]) -> None:
    keys = [key(), key()]
    reader().handler({"RequestType": "Create", "ResourceProperties": {"Keys": keys}}, None)
    ((status, data, physical_id, _),) = told
    assert (status, physical_id) == ("SUCCESS", "public-keys")
    read = [boto3.client("kms").get_public_key(KeyId=one)["PublicKey"] for one in keys]
    assert data == {"Keys": ",".join(base64.b64encode(one).decode() for one in read)}


def test_a_key_that_is_not_known_yet_is_read_again(told: list[Told], monkeypatch: pytest.MonkeyPatch) -> None:
    module, waited, name = reader(), [0], key()
    real = boto3.client("kms")

    class Late:
        def get_public_key(self, **asked: Any) -> Any:
            if len(waited) < 3:
                raise ClientError({"Error": {"Code": "NotFoundException", "Message": "?"}}, "GetPublicKey")
            return real.get_public_key(**asked)

    monkeypatch.setattr(module.boto3, "client", lambda service: Late())
    monkeypatch.setattr(module.time, "sleep", waited.append)
    module.handler({"RequestType": "Create", "ResourceProperties": {"Keys": [name]}}, None)
    assert told[0][0] == "SUCCESS"
    assert waited == [0, module.PAUSE, module.PAUSE]


def test_a_key_that_stays_unknown_fails_the_deployment_with_a_reason(
    told: list[Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = reader()
    monkeypatch.setattr(module, "PATIENCE", 0)
    unknown = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    module.handler({"RequestType": "Update", "ResourceProperties": {"Keys": [unknown]}}, None)
    ((status, data, _, reason),) = told
    assert (status, data) == ("FAILED", {})
    assert "NotFoundException" in reason


def test_deleting_the_stack_reads_nothing(told: list[Told]) -> None:
    reader().handler({"RequestType": "Delete", "ResourceProperties": {"Keys": ["gone"]}}, None)
    assert told == [("SUCCESS", {}, "public-keys", "")]


def test_it_fits_into_a_template() -> None:
    assert len(READER.read_text()) <= 4096
