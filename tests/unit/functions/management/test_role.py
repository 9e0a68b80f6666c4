"""What the management function asks of AWS, against what its role allows: no less, and nothing that nobody uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from functions.management.routes import ROUTES
from infra.configuration.settings import Settings
from infra.policies import Statement, function_policy
from tests.unit.functions.management.cloud import Called
from tests.unit.functions.management.recording import Recorded
from tests.unit.functions.permissions import Need, actions_allowed, actions_used, allows, needed

# Allowed and not asked for here, each for a reason.
ARGUED = {
    ("AbsentObjects", "s3:ListBucket"),  # tells absent objects from forbidden ones
    ("EdgeSecret", "ssm:GetParameter"),  # read where requests come through the distribution
    ("OidcSecret", "ssm:GetParameter"),  # read where somebody comes back from a provider: tests/e2e has one
    ("EdgeSecretItself", "secretsmanager:GetSecretValue"),
    ("Logs", "logs:CreateLogStream"),  # Lambda's own
    ("Logs", "logs:PutLogEvents"),
    ("Traces", "xray:PutTelemetryRecords"),
    ("Traces", "xray:PutTraceSegments"),
}


@pytest.fixture(scope="module")
def statements() -> list[Statement]:
    found: list[Statement] = function_policy("management", Settings.parse({}))["Statement"]
    return found


@pytest.fixture(scope="module")
def needs(recorded: dict[str, Recorded], reads: dict[str, tuple[int, tuple[Called, ...]]]) -> Mapping[Need, str]:
    """All that was needed, with an operation that needed it."""
    made: list[tuple[str, Sequence[Called]]] = [(name, one.calls) for name, one in recorded.items()]
    made += [(name, calls) for name, (_, calls) in reads.items()]
    return {need: name for name, calls in made for called in calls for need in needed(called)}


def test_every_read_is_made_and_none_fails(reads: dict[str, tuple[int, tuple[Called, ...]]]) -> None:
    assert reads.keys() == {route.operation for route in ROUTES if route.method == "GET"}
    failed = {name: status for name, (status, _) in reads.items() if status >= 500}
    assert failed == {}


def test_the_role_allows_all_that_is_asked(statements: list[Statement], needs: Mapping[Need, str]) -> None:
    refused = {need: name for need, name in needs.items() if not any(allows(one, need) for one in statements)}
    assert refused == {}


def test_the_role_allows_no_action_that_nothing_asks(statements: list[Statement], needs: Mapping[Need, str]) -> None:
    assert actions_allowed(statements) - actions_used(statements, needs) == ARGUED


@pytest.mark.parametrize(
    "need",
    [
        ("kms:Sign", "key/1", ""),
        ("kms:GetPublicKey", "key/1", ""),
        ("s3:DeleteObject", "roadstead-1-r/manifests/a/b", ""),
        ("s3:DeleteObject", "roadstead-1-r/blobs/sha256/0", ""),
        ("s3:GetObject", "roadstead-1-r/blobs/sha256/0", ""),
        ("s3:PutObject", "roadstead-1-r/blobs/sha256/0", ""),
        ("s3:PutObject", "roadstead-1-r/derived/a", ""),
        ("dynamodb:PutItem", "table/roadstead-index", "upload#0"),
        ("dynamodb:PutItem", "table/roadstead-index", "artifact#a"),
        ("dynamodb:PutItem", "table/roadstead-index", "trail#a"),
        ("dynamodb:DeleteItem", "table/roadstead-index", "trail#a"),
        ("dynamodb:Scan", "table/roadstead-index", "repo#a"),
        ("dynamodb:Scan", "table/roadstead-identity", "user#a"),
        ("ssm:GetParameter", "parameter/roadstead/upload-keys", ""),
        ("lambda:InvokeFunction", "function:roadstead-prod-registry", ""),
        ("sqs:ReceiveMessage", "roadstead-notifications", ""),
    ],
)
def test_the_role_may_not(statements: list[Statement], need: Need) -> None:
    assert not any(allows(one, need) for one in statements)
