"""What the first request of an environment costs beyond the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from functions.distribution import composition
from functions.registry import handler
from tests.unit.functions.registry.cloud import REPOSITORY, running


def test_a_cold_function_reads_its_keys_once() -> None:
    with pytest.MonkeyPatch.context() as patch, running(patch) as cold:
        assert cold.cost("GET", "/v2/", status=200) == ["kms.GetPublicKey"]
        assert cold.cost("POST", f"/v2/{REPOSITORY}/blobs/uploads/", status=202) == [
            "dynamodb.BatchGetItem",  # whether the project has room
            "ssm.GetParameter",
        ]
        assert cold.cost("POST", f"/v2/{REPOSITORY}/blobs/uploads/", status=202) == []


def test_a_first_pull_needs_dynamodb_alone_if_the_deployment_tells_the_public_key() -> None:
    with pytest.MonkeyPatch.context() as patch, running(patch, public_key=True) as cold:
        missing = f"/v2/{REPOSITORY}/manifests/latest"
        made = recorded_clients(patch)
        assert cold.cost("GET", missing, status=404) == ["dynamodb.GetItem"]
        assert made == ["dynamodb"]


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
    with pytest.MonkeyPatch.context() as patch, running(patch):
        made = recorded_clients(patch)
        handler.prepare()
        assert made == ["dynamodb"]


def recorded_clients(patch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the services whose clients the function makes from now on; it starts anew."""
    made: list[str] = []
    make: Callable[..., Any] = vars(composition)["client"]  # what `running` put there

    def client(service: str, **options: Any) -> Any:
        made.append(service)
        return make(service, **options)

    patch.setattr(composition, "client", client)
    handler.application.cache_clear()
    return made
