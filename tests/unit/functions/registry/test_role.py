"""What the registry function asks of AWS, against what its role allows: no less, and nothing that nobody uses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.configuration.settings import Settings
from infra.policies import Statement, function_policy
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.objects import MIN_PART
from roadstead.digest import Digest
from tests.manifests import image_of
from tests.unit.functions.permissions import Need, actions_allowed, actions_used, allows, needed
from tests.unit.functions.registry.cloud import OTHER, REPOSITORY, Function, closing, running

# Allowed and not asked for here, each for a reason.
ARGUED = {
    ("EdgeSecret", "ssm:GetParameter"),  # read where requests come through the distribution
    ("EdgeSecretItself", "secretsmanager:GetSecretValue"),
    ("Logs", "logs:CreateLogStream"),  # Lambda's own
    ("Logs", "logs:PutLogEvents"),
    ("Traces", "xray:PutTelemetryRecords"),
    ("Traces", "xray:PutTraceSegments"),
}


@pytest.fixture(scope="module")
def needs() -> Iterator[set[Need]]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as function:
        live(function)
        yield {need for called in function.asked for need in needed(called)}


@pytest.fixture(scope="module")
def statements() -> list[Statement]:
    found: list[Statement] = function_policy("registry", Settings.parse({}))["Statement"]
    return found


def live(function: Function) -> None:
    """Everything that clients do, once."""

    def ask(method: str, target: str, body: bytes = b"", *, status: int) -> None:
        answer = function.request(method, target, body)
        assert answer["statusCode"] == status, (method, target, answer["statusCode"])

    layer, other = b"layer", b"o" * (MIN_PART + 1)
    for data in (b"{}", layer, other):
        function.push_blob(data)
    for sizes in ((100, 200), (100_000, 100), (100_000, MIN_PART, 100_000)):
        chunked, everything = function.start(), b""
        for size in sizes:
            ask("GET", chunked, status=204)
            ask("PATCH", chunked, b"p" * size, status=202)
            everything += b"p" * size
        ask("PUT", closing(chunked, Digest.of(everything)), status=201)
    wrong = function.start()
    ask("PATCH", wrong, b"w" * 100_000, status=202)
    ask("PUT", closing(wrong, Digest.of(b"other")), status=400)
    for size in (100, 100_000, MIN_PART + 1):
        given_up = function.start()
        ask("PATCH", given_up, b"g" * size, status=202)
        ask("DELETE", given_up, status=204)
    here, there = f"/v2/{REPOSITORY}", f"/v2/{OTHER}"
    ask("POST", f"{there}/blobs/uploads/?mount={Digest.of(layer)}&from={REPOSITORY}", status=201)
    small, large = image_of(layer, config=b"{}"), image_of(layer, config=b"{}", annotations={"x": "x" * 40_000})
    subject = {"mediaType": OCI_MANIFEST, "digest": Digest.of(small), "size": len(small)}
    referrer = image_of(layer, config=b"{}", subject=subject)
    for tag, body in (("v1", small), ("v2", small), ("large", large), ("v1", large), ("r", referrer)):
        ask("PUT", f"{here}/manifests/{tag}", body, status=201)
    for path in ("manifests/v1", f"manifests/{Digest.of(small)}", f"blobs/{Digest.of(layer)}", "tags/list"):
        ask("GET", f"{here}/{path}", status=200)
    ask("GET", f"{here}/referrers/{Digest.of(small)}", status=200)
    ask("GET", "/v2/_catalog", status=200)
    ask("HEAD", f"{here}/blobs/{Digest.of(b'nothing')}", status=404)
    ask("DELETE", f"{here}/manifests/v2", status=202)
    ask("DELETE", f"{here}/manifests/{Digest.of(referrer)}", status=202)
    ask("DELETE", f"{here}/blobs/{Digest.of(other)}", status=202)


def test_the_role_allows_all_that_is_asked(statements: list[Statement], needs: set[Need]) -> None:
    assert {need for need in needs if not any(allows(one, need) for one in statements)} == set()


def test_the_role_allows_no_action_that_nothing_asks(statements: list[Statement], needs: set[Need]) -> None:
    assert actions_allowed(statements) - actions_used(statements, needs) == ARGUED


@pytest.mark.parametrize(
    "need",
    [
        ("kms:Sign", "key/1", ""),
        ("dynamodb:GetItem", "table/roadstead-identity", "user#ada"),
        ("dynamodb:Scan", "table/roadstead-index", "repo#a"),
        ("s3:GetObject", "roadstead-1-r/derived/a", ""),
        ("ssm:GetParameter", "parameter/roadstead/webhooks/a/b/c", ""),
        ("lambda:InvokeFunction", "function:roadstead-prod-collector", ""),
    ],
)
def test_the_role_may_not(statements: list[Statement], need: Need) -> None:
    assert not any(allows(one, need) for one in statements)
