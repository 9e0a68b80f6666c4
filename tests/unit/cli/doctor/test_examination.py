"""The doctor finds each thing that it looks for, says so, and leaves nothing behind."""

from __future__ import annotations

import socket

import pytest

from cli.doctor import uploads
from cli.doctor.examination import CHECKS, examine_registry
from cli.doctor.report import Finding, State
from cli.doctor.session import Session
from tests.unit.cli.doctor.fake_registry import PASSWORD, USER, registry


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 1.5)


def examine(fault: str = "", *, user: str = USER, password: str = PASSWORD) -> dict[str, Finding]:
    """Findings by check. Nothing may be left of what was pushed, but where deleting does not work."""
    told: list[Finding] = []
    with registry(fault) as server:
        findings = examine_registry(Session(server.url, "doctor", user, password), told.append)
        if "undead" not in fault and fault not in ("forged", "not-adopted"):
            assert (server.blobs, server.manifests) == ({}, {})
    assert told == findings
    return {finding.id: finding for finding in findings}


def failed(findings: dict[str, Finding]) -> set[str]:
    return {id for id, finding in findings.items() if finding.state is State.FAILED}


def test_a_registry_that_is_in_order_passes_every_check() -> None:
    findings = examine()
    assert {finding.state for id, finding in findings.items() if id != "encrypted"} == {State.OK}
    assert findings["encrypted"].detail == "it is on this machine"
    assert list(findings) == [check.id for check in CHECKS]


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("open", "reach", "asks for no token"),
        ("remapped", "challenge", 'challenge = "mapped"'),
        ("own-remapped", "challenge", 'challenge = "mapped"'),
        ("no-challenge", "challenge", "cannot log in"),
        ("basic", "challenge", "Bearer realm"),
        ("realm", "realm", "x-roadstead-secret"),
        ("own-realm", "realm", "x-roadstead-secret"),
        ("down", "wrong-token", "CloudFront does not reach the API"),
        ("clock", "clock", "Set this machine's clock"),
        ("jwks", "jwks", "ECC_NIST_P256"),
        ("believes-anything", "wrong-token", "tokens are not verified"),
        ("no-invalid-token", "wrong-token", "will not ask for a new one"),
        ("reads-anything", "anonymous", "name the scope"),
        ("kms", "token", "kms:Sign"),
        ("token-unaccepted", "token", "same TOKEN_KEYS"),
        ("grant", "grant", "maintainer"),
        ("other-host", "location", "EDGE_SECRET_PARAMETER"),
        ("cached-errors", "cycle", "ErrorCachingMinTTL"),
        ("not-adopted", "cycle", "x-amz-checksum-sha256"),
        ("head-length-blobs", "cycle", "HEAD_ANSWERS=body"),
        ("head-body-blobs", "cycle", "makes a GET of it"),
        ("bare-200", "cycle", "response.js"),
        ("bare-201", "cycle", "response.js"),
        ("range", "sized", "docker cannot go on"),
        ("no-chunks", "chunked", "lost its length"),
        ("repeat", "repeated", "loses a push"),
        ("forged", "forged", "Anybody can write"),
        ("no-state", "forged", "log"),
        ("unchecked", "wrong-digest", "does not reach S3"),
        ("corrupt", "wrong-digest", "Take the registry off the net"),
        ("gateway-413", "large-whole", "distribution"),
        ("no-manifests", "image", "log of the registry function"),
        ("head-length-manifests", "manifest", "HEAD_ANSWERS=body"),
        ("head-body-manifests", "manifest", "makes a GET of it"),
        ("gzip", "manifest", "compression"),
        ("type", "manifest", "rewrites it"),
        ("same-host", "redirect", "another host name"),
        ("no-digest", "redirect", "Docker-Content-Digest"),
        ("changed", "large-blob", "in between"),
        ("s3-403", "large-blob", "s3:GetObject"),
        ("no-ranges", "ranges", "drops Range"),
        ("undead", "delete", "cache"),
        ("undead-blob", "delete", "cache"),
    ],
)
def test_a_fault_is_found_and_it_is_said_what_to_do(fault: str, check: str, words: str) -> None:
    findings = examine(fault)
    assert findings[check].state is State.FAILED
    assert words in f"{findings[check].detail} {findings[check].advice}"


@pytest.mark.parametrize(
    ("fault", "limited"),
    [("no-relay", {"large-sized", "large-chunked"}), ("no-edge", {"large-whole", "large-sized", "large-chunked"})],
)
def test_a_limit_that_is_told_in_the_specifications_words_is_no_failure(fault: str, limited: set[str]) -> None:
    findings = examine(fault)
    assert failed(findings) == set()
    assert {id for id, finding in findings.items() if finding.state is State.NOTE} == limited
    assert "4.5 MB" in findings["large-chunked"].advice


def test_the_apis_own_name_may_send_uploads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "GATEWAY", "127.0.0.1")
    finding = examine("other-host")["location"]
    assert (finding.state, "oras 1.3" in finding.advice) == (State.NOTE, True)


def test_pulls_are_looked_at_even_where_no_large_layer_is_taken() -> None:
    findings = examine("gateway-413")
    assert {findings[check].state for check in ("redirect", "large-blob", "ranges")} == {State.OK}


def test_s3s_xml_for_a_wrong_digest_is_a_note() -> None:
    finding = examine("xml")["wrong-digest"]
    assert (finding.state, "readable_errors" in finding.advice) == (State.NOTE, True)


def test_what_follows_from_a_failure_is_skipped_and_names_it() -> None:
    findings = examine("no-challenge")
    assert failed(findings) == {"challenge", "wrong-token", "anonymous"}
    assert findings["cycle"].state is State.SKIPPED
    assert findings["token"].detail == "it needs “the challenge arrives intact”"


def test_a_wrong_password_is_told() -> None:
    findings = examine(password="another one")
    assert "were refused" in findings["token"].detail
    assert findings["cycle"].state is State.SKIPPED


def test_without_a_user_all_is_looked_at_that_needs_none() -> None:
    findings = examine(user="")
    assert failed(findings) == set()
    assert (findings["token"].state, findings["grant"].detail) == (State.OK, "it needs --user")
    assert findings["cycle"].state is State.SKIPPED


def test_a_registry_that_is_not_there_is_told_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    told: list[Finding] = []
    examine_registry(Session(url, "doctor"), told.append)
    assert [finding.id for finding in told if finding.state is State.FAILED] == ["reach"]
    assert "refused" in told[0].detail


def test_every_failure_comes_with_advice() -> None:
    for finding in examine("bare-200").values():
        assert bool(finding.advice) == (finding.state in (State.FAILED, State.NOTE))
