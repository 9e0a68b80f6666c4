"""What the first request of an environment costs beyond the others."""

from __future__ import annotations

import pytest

from functions.registry import handler
from tests.unit.functions.registry.cloud import REPOSITORY, running


def test_a_cold_function_reads_its_keys_once() -> None:
    with pytest.MonkeyPatch.context() as patch, running(patch) as cold:
        assert cold.cost("GET", "/v2/", status=200) == ["kms.GetPublicKey"]
        assert cold.cost("POST", f"/v2/{REPOSITORY}/blobs/uploads/", status=202) == ["ssm.GetParameter"]
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
