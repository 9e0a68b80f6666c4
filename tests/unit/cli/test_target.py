"""Finding the registry that a command works on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli.composition import find_target
from cli.failures import USAGE, Failure
from cli.target import Kind, Target
from tests.unit.cli.fake_cloud import OUTPUTS, STACK

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {
    "INDEX_TABLE": "i",
    "IDENTITY_TABLE": "u",
    "BUCKET": "b",
    "TOKEN_KEYS": "one, two",
    "UPLOAD_KEYS_PARAMETER": "/p",
    "AWS_REGION": "eu-central-1",
}


def test_every_output_that_is_read_is_one_of_the_stack() -> None:
    source = (ROOT / "infra" / "stack.py").read_text()
    written = set(re.findall(r'^ +(?:outputs\[)?"(\w+)"(?:: |\] = )', source, re.MULTILINE))
    assert set(OUTPUTS) | {"AuditLogGroup", "BlobUrlKeyParameter"} <= written


def test_a_stack_is_found_by_its_outputs() -> None:
    assert (STACK.kind, STACK.index_table, STACK.token_keys) == (Kind.STACK, "roadstead-index", (OUTPUTS["TokenKeys"],))
    other = Target.from_outputs("T", "eu-central-1", {**OUTPUTS, "IndexTable": "team-index"})
    assert (other.notification_queue, other.webhook_secrets, other.alarm_prefix) == (
        "team-notifications",
        "/team/webhooks",
        "team-",
    )


def test_every_missing_output_is_named() -> None:
    with pytest.raises(Failure, match="has no output Bucket, TokenKeys"):
        Target.from_outputs("R", "eu-central-1", {**OUTPUTS, "Bucket": "", "TokenKeys": ""})


def test_a_local_registry_is_found_by_its_ready_file(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="No registry runs"):
        Target.from_state(tmp_path)
    (tmp_path / "ready.json").write_text(json.dumps({"registry": "http://127.0.0.1:1"}))
    with pytest.raises(Failure, match="this version"):
        Target.from_state(tmp_path)


def test_the_environment_names_a_registry_by_the_functions_variables() -> None:
    target = find_target(None, None, None, ENVIRONMENT)
    assert (target.kind, target.token_keys, target.region) == (Kind.ENVIRONMENT, ("one", "two"), "eu-central-1")
    with pytest.raises(Failure, match="lacks BUCKET, AWS_REGION"):
        find_target(None, None, None, {**ENVIRONMENT, "BUCKET": "", "AWS_REGION": ""})


@pytest.mark.parametrize(("state", "stack"), [(None, None), ("a", "b")])
def test_no_registry_or_two_is_a_usage_error(state: str | None, stack: str | None) -> None:
    with pytest.raises(Failure, match="--state") as refused:
        find_target(state, stack, None, {})
    assert refused.value.code == USAGE
