"""schemathesis makes requests of our OpenAPI document, right ones and wrong ones, and holds the responses to it."""

from __future__ import annotations

from pathlib import Path

from tests.witnesses.conftest import CLIENTS, Registry

JOURNEYS = Path(__file__).parent / "journeys"
EXAMPLES = 4  # of each operation
# They would lock the caller out, or change what the registry is while it is tried.
LEFT_OUT = ("updateUserPassword", "deleteUser", "setUserSysAdmin", "updateConfigurations")
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


def test_no_request_gets_a_server_error_or_what_the_document_does_not_have(registry: Registry) -> None:
    left_out = [option for name in LEFT_OUT for option in ("--exclude-operation-id", name)]
    said = registry.run(
        *(CLIENTS / "schemathesis", "run", f"{registry.url}/api/openapi.json", "--auth", f"admin:{registry.password}"),
        *("--checks", ",".join(CHECKS), "--phases", "fuzzing", "--mode", "all"),
        *("--max-examples", str(EXAMPLES), "--seed", "1", "--workers", "2", "--continue-on-failure"),
        *("--no-color", "--warnings", "off"),
        *left_out,
        environ={"PYTHONPATH": str(JOURNEYS), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"},
    )
    assert "Tested:" in said and "❌" not in said, said
