"""The doctor finds each fault in how a registry is set up, and says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.aws import readable_errors
from cli.cloud import BucketState, SigningKey, TableState
from cli.doctor import deployment
from cli.doctor.deployment import CHECKS, Deployment
from cli.doctor.report import Finding, State, examine
from cli.doctor.wire import Reply
from cli.rotation import STORE_KEY, Rotation
from tests.unit.cli.fake_cloud import OUTPUTS, PARAMETER, STACK, FakeCloud

KEY = OUTPUTS["TokenKeys"]


DENIED = b'{"errors": [{"code": "DENIED", "message": "no"}]}'
Replies = dict[str, tuple[int, bytes]]


@pytest.fixture(autouse=True)
def replies(monkeypatch: pytest.MonkeyPatch) -> Replies:
    """Return the replies by the end of the URL; a test may change them."""
    keys = json.dumps({"keys": [{"kid": "kid", "kty": "EC", "crv": "P-256"}]}).encode()
    found: Replies = {
        "/.well-known/jwks.json": (200, keys),
        "/health": (200, b'{"status": "ok"}'),
        f"/uploads/{'0' * 32}": (403, DENIED),
        "/v2/": (403, DENIED),
    }

    def send(_: str, url: str, **__: Any) -> Reply:
        ((status, body),) = [reply for end, reply in found.items() if url.endswith(end)]
        return Reply(status, (), body, url)

    monkeypatch.setattr(deployment, "send", send)
    return found


def in_order() -> FakeCloud:
    cloud = FakeCloud()
    keys = Rotation.first().to_json()
    cloud.parameters.create(PARAMETER, keys)
    assert cloud.key_values is not None
    cloud.key_values.values = {STORE_KEY: keys, "relay": "on"}
    return cloud


def look(cloud: FakeCloud) -> dict[str, Finding]:
    subject = Deployment(
        cloud.target, cloud.parameters, cloud.key_values, cloud.signing_keys, cloud.inspector, readable_errors
    )
    return {finding.id: finding for finding in examine(CHECKS, subject, lambda _: None)}


def test_a_correct_deployment_passes() -> None:
    assert {finding.state for finding in look(in_order()).values()} == {State.OK}


def _bucket(**wrong: Any) -> Callable[[FakeCloud], None]:
    def spoil(cloud: FakeCloud) -> None:
        cloud.inspector.bucket_state = replace(BucketState("b", True, True, True, True), **wrong)

    return spoil


def _table(**wrong: Any) -> Callable[[FakeCloud], None]:
    def spoil(cloud: FakeCloud) -> None:
        state = TableState("roadstead-identity", "ACTIVE", True, True, True, 1)
        cloud.inspector.tables["roadstead-identity"] = replace(state, **wrong)

    return spoil


def _key(**wrong: str) -> Callable[[FakeCloud], None]:
    def spoil(cloud: FakeCloud) -> None:
        cloud.signing_keys.keys[KEY] = replace(
            SigningKey(KEY, "ECC_NIST_P256", "SIGN_VERIFY", "Enabled", "kid"), **wrong
        )

    return spoil


def _edge(name: str, value: str | None) -> Callable[[FakeCloud], None]:
    def spoil(cloud: FakeCloud) -> None:
        assert cloud.key_values is not None
        cloud.key_values.values.pop(name)
        if value is not None:
            cloud.key_values.values[name] = value

    return spoil


def _active(cloud: FakeCloud) -> None:
    cloud.inspector.active = {"roadstead-TokenFaults": "No tokens"}


def _no_keys(cloud: FakeCloud) -> None:
    cloud.parameters.values.clear()


@pytest.mark.parametrize(
    ("spoil", "check", "words"),
    [
        (_bucket(public_access_blocked=False), "bucket", "block all four"),
        (_bucket(versioned=False), "bucket", "versioning is off"),
        (_bucket(encrypted=False), "bucket", "SSE-S3"),
        (_bucket(tls_only=False), "bucket", "SecureTransport"),
        (_table(recovery=False), "tables", "point-in-time"),
        (_table(expiry=False), "tables", "TTL"),
        (_table(protected=False), "tables", "deletion protection"),
        (_key(spec="RSA_2048"), "token-keys", "ECC_NIST_P256 only"),
        (_key(state="PendingDeletion"), "token-keys", "pending deletion"),
        (_key(usage="ENCRYPT_DECRYPT"), "token-keys", "SIGN_VERIFY only"),
        (_key(thumbprint="other"), "published-keys", "deploy again"),
        (_no_keys, "upload-keys", "keys init"),
        (_edge(STORE_KEY, None), "edge-keys", "keys init"),
        (_edge(STORE_KEY, Rotation.first().to_json()), "edge-keys", "keys sync"),
        (_edge("relay", None), "edge-keys", "keys sync"),
        (_edge("relay", "off"), "edge-keys", "on in the stack"),
        (_active, "alarms", "docs/operations.md"),
    ],
)
def test_a_fault_is_found_with_advice(spoil: Callable[[FakeCloud], None], check: str, words: str) -> None:
    cloud = in_order()
    spoil(cloud)
    findings = look(cloud)
    assert findings[check].state is State.FAILED
    assert words in f"{findings[check].detail} {findings[check].advice}"
    others = {finding.state for id, finding in findings.items() if id != check}
    assert State.FAILED not in others


@pytest.mark.parametrize(
    ("end", "reply", "words"),
    [
        ("/health", (502, b""), "roll back"),
        ("/health", (200, b"<html>"), "does not start"),
        (f"/uploads/{'0' * 32}", (404, b""), "VIA_DISTRIBUTION_ONLY"),
    ],
)
def test_a_relay_that_does_not_start_or_is_open_is_found(
    replies: Replies, end: str, reply: tuple[int, bytes], words: str
) -> None:
    replies[end] = reply
    finding = look(in_order())["relay"]
    assert finding.state is State.FAILED
    assert words in f"{finding.detail} {finding.advice}"


def test_an_open_api_is_a_note_since_clients_may_use_it(replies: Replies) -> None:
    replies["/v2/"] = (401, b"")
    finding = look(in_order())["closed"]
    assert finding.state is State.NOTE
    assert "api.closed = true" in finding.advice


def test_a_relay_that_is_no_web_function_is_not_asked(replies: Replies) -> None:
    cloud = in_order()
    cloud.target = replace(STACK, relay_url="")
    assert look(cloud)["relay"].state is State.SKIPPED


def test_all_faults_of_one_bucket_are_reported_together() -> None:
    cloud = in_order()
    _bucket(versioned=False, encrypted=False)(cloud)
    assert look(cloud)["bucket"].detail.endswith("versioning is off; encryption is not configured")


def test_an_aws_error_fails_only_its_check() -> None:
    cloud = in_order()

    def refuse(name: str) -> BucketState:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetBucketPolicy")

    cloud.inspector.bucket = refuse  # type: ignore[method-assign]
    findings = look(cloud)
    assert (findings["bucket"].state, findings["tables"].state) == (State.FAILED, State.OK)
    assert "AccessDenied" in findings["bucket"].detail


def test_checks_that_need_our_templates_are_skipped_without_them() -> None:
    cloud = in_order()
    cloud.target = replace(STACK, key_value_store="", alarm_prefix="")
    cloud.key_values = None
    findings = look(cloud)
    assert (findings["edge-keys"].state, findings["alarms"].state) == (State.SKIPPED, State.SKIPPED)
