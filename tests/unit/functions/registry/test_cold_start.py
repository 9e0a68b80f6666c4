"""What the first request of an environment costs beyond the others."""

from __future__ import annotations

from typing import Any

import pytest

from functions.distribution import composition
from functions.registry import handler
from roadstead.aws.clients import client as make_client
from tests.unit.functions.registry.cloud import REPOSITORY, running


def test_a_cold_function_reads_its_keys_once() -> None:
    with pytest.MonkeyPatch.context() as patch, running(patch) as cold:
        assert cold.cost("GET", "/v2/", status=200) == ["kms.GetPublicKey"]
        assert cold.cost("POST", f"/v2/{REPOSITORY}/blobs/uploads/", status=202) == [
            "dynamodb.BatchGetItem",  # whether the project has room
            "ssm.GetParameter",
        ]
        assert cold.cost("POST", f"/v2/{REPOSITORY}/blobs/uploads/", status=202) == []


def test_preparing_creates_the_clients_and_makes_no_call() -> None:
    with pytest.MonkeyPatch.context() as patch, running(patch) as cold:
        handler.prepare()
        assert handler.application.cache_info().currsize == 1
        assert cold.calls == []


def test_missing_settings_fail_the_initialisation_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    handler.application.cache_clear()
    for name in ("INDEX_TABLE", "BUCKET", "TOKEN_KEYS", "UPLOAD_KEYS_PARAMETER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Exception, match="INDEX_TABLE is not set; BUCKET is not set"):
        handler.prepare()
    assert handler.application.cache_info().currsize == 0


def test_preparing_creates_the_one_client_that_a_pull_needs() -> None:
    made: list[str] = []

    def client(service: str, **options: Any) -> Any:
        made.append(service)
        return make_client(service, **options)

    with pytest.MonkeyPatch.context() as patch, running(patch):
        patch.setattr(composition, "client", client)
        handler.application.cache_clear()
        handler.prepare()
        assert made == ["dynamodb"]
