"""The doctor finds each fault that it checks for, says what to do, and leaves nothing behind."""

from __future__ import annotations

import pytest

from cli.doctor import uploads
from cli.doctor.examination import CHECKS, examine_registry
from cli.doctor.report import Finding, State, Wrong
from cli.doctor.session import Session
from cli.doctor.wire import NotAnOrigin
from tests.unit.cli.doctor.fake_registry import MALFORMED_REALMS, PASSWORD, USER, registry


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 1.5)


def examine(fault: str = "", *, user: str = USER, password: str = PASSWORD) -> dict[str, Finding]:
    """Return findings by check. Nothing that was pushed may be left, unless deleting does not work."""
    told: list[Finding] = []
    with registry(fault) as server:
        findings = examine_registry(Session(server.url, "doctor", user, password), told.append)
        if "undead" not in fault and fault not in ("forged", "not-adopted"):
            assert (server.blobs, server.manifests) == ({}, {})
    assert told == findings
    return {finding.id: finding for finding in findings}


def failed(findings: dict[str, Finding]) -> set[str]:
    return {id for id, finding in findings.items() if finding.state is State.FAILED}


def test_a_correct_registry_passes_every_check() -> None:
    findings = examine()
    assert {finding.state for id, finding in findings.items() if id != "encrypted"} == {State.OK}
    assert findings["encrypted"].detail == "the registry is on this machine"
    assert list(findings) == [check.id for check in CHECKS]


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("open", "reach", "does not ask for a token"),
        ("remapped", "challenge", 'challenge = "mapped"'),
        ("own-remapped", "challenge", 'challenge = "mapped"'),
        ("no-challenge", "challenge", "cannot log in"),
        ("basic", "challenge", "Bearer realm"),
        ("realm", "realm", "x-roadstead-secret"),
        ("own-realm", "realm", "x-roadstead-secret"),
        ("down", "wrong-token", "CloudFront cannot reach the API"),
        ("clock", "clock", "Set this machine's clock"),
        ("jwks", "jwks", "ECC_NIST_P256"),
        ("believes-anything", "wrong-token", "does not verify tokens"),
        ("no-invalid-token", "wrong-token", "will not ask for a new token"),
        ("reads-anything", "anonymous", "name the scope"),
        ("kms", "token", "kms:Sign"),
        ("token-unaccepted", "token", "same TOKEN_KEYS"),
        ("grant", "grant", "maintainer"),
        ("other-host", "location", "EDGE_SECRET_PARAMETER"),
        ("cached-errors", "cycle", "ErrorCachingMinTTL"),
        ("not-adopted", "cycle", "x-amz-checksum-sha256"),
        ("head-length-blobs", "cycle", "HEAD_ANSWERS=body"),
        ("head-body-blobs", "cycle", "turns it into a GET"),
        ("bare-200", "cycle", "response.js"),
        ("bare-201", "cycle", "response.js"),
        ("range", "sized", "docker cannot continue"),
        ("no-chunks", "chunked", "lost its length"),
        ("repeat", "repeated", "loses a push"),
        ("forged", "forged", "Anybody can write"),
        ("no-state", "forged", "log"),
        ("unchecked", "wrong-digest", "does not reach S3"),
        ("corrupt", "wrong-digest", "Take the registry offline"),
        ("gateway-413", "large-whole", "distribution"),
        ("no-manifests", "image", "log of the registry function"),
        ("head-length-manifests", "manifest", "HEAD_ANSWERS=body"),
        ("head-body-manifests", "manifest", "turns it into a GET"),
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
def test_a_fault_is_found_with_advice(fault: str, check: str, words: str) -> None:
    findings = examine(fault)
    assert findings[check].state is State.FAILED
    assert words in f"{findings[check].detail} {findings[check].advice}"


@pytest.mark.parametrize(
    ("fault", "limited"),
    [("no-relay", {"large-sized", "large-chunked"}), ("no-edge", {"large-whole", "large-sized", "large-chunked"})],
)
def test_a_limit_refused_with_an_oci_error_is_a_note(fault: str, limited: set[str]) -> None:
    findings = examine(fault)
    assert failed(findings) == set()
    assert {id for id, finding in findings.items() if finding.state is State.NOTE} == limited
    assert "4.5 MB" in findings["large-chunked"].advice


def test_uploads_to_another_host_are_a_note_for_an_execute_api_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "GATEWAY", "127.0.0.1")
    finding = examine("other-host")["location"]
    assert (finding.state, "oras 1.3" in finding.advice) == (State.NOTE, True)


def test_reads_by_the_api_are_a_note() -> None:
    findings = examine("by-api")
    assert (findings["reads"].state, "distribution.reads" in findings["reads"].advice) == (State.NOTE, True)
    assert {finding.state for id, finding in findings.items() if id not in ("reads", "encrypted")} == {State.OK}


def test_a_response_that_does_not_say_which_way_it_came_is_skipped() -> None:
    assert examine("unmarked")["reads"].state is State.SKIPPED


def test_pulls_are_checked_even_if_no_large_layer_is_accepted() -> None:
    findings = examine("gateway-413")
    assert {findings[check].state for check in ("redirect", "large-blob", "ranges")} == {State.OK}


def test_s3s_xml_for_a_wrong_digest_is_a_note() -> None:
    finding = examine("xml")["wrong-digest"]
    assert (finding.state, "readable_errors" in finding.advice) == (State.NOTE, True)


def test_a_check_that_requires_a_failed_one_is_skipped_and_names_it() -> None:
    findings = examine("no-challenge")
    assert failed(findings) == {"challenge", "wrong-token", "anonymous"}
    assert findings["cycle"].state is State.SKIPPED
    assert findings["token"].detail == "requires “the challenge arrives intact”"


def test_a_wrong_password_is_found() -> None:
    findings = examine(password="another one")
    assert "rejected the password" in findings["token"].detail
    assert findings["cycle"].state is State.SKIPPED


def test_the_password_is_sent_only_to_the_registrys_own_origin() -> None:
    with registry("realm") as server:
        findings = {one.id: one for one in examine_registry(Session(server.url, "doctor", USER, PASSWORD), ignore)}
        assert server.credentials == []
    assert findings["token"].state is State.FAILED
    assert "the password was not sent" in findings["token"].detail
    assert findings["cycle"].state is State.SKIPPED
    with registry() as server:
        examine_registry(Session(server.url, "doctor", USER, PASSWORD), ignore)
        assert set(server.credentials) == {server.url.removeprefix("http://")}


@pytest.mark.parametrize("host", ["192.0.2.1", "registry.example.com", "127.example.com", "localhost.example.com"])
def test_the_password_is_not_sent_unencrypted_to_another_machine(host: str) -> None:
    url = f"http://{host}:5000"
    with pytest.raises(Wrong, match="not encrypted"):
        Session(url, "doctor", USER, PASSWORD, realm=f"{url}/token").fetch_token(user=USER, password=PASSWORD)


@pytest.mark.parametrize(
    "realm",
    [
        "http://registry.example.com/token",
        "https://registry.example.com:444/token",
        "https://registry.example.com.example.org/token",
        "https://registry.example.com@example.org/token",
        "//registry.example.com/token",
    ],
)
def test_the_password_is_not_sent_to_another_origin(realm: str) -> None:
    session = Session("https://registry.example.com", "doctor", USER, PASSWORD, realm=realm)
    with pytest.raises((Wrong, NotAnOrigin)):
        session.fetch_token(user=USER, password=PASSWORD)


@pytest.mark.parametrize("fault", MALFORMED_REALMS)
def test_a_malformed_realm_is_a_failure(fault: str) -> None:
    with registry(fault) as server:
        findings = {one.id: one for one in examine_registry(Session(server.url, "doctor", USER, PASSWORD), ignore)}
        assert server.credentials == []
    assert (findings["realm"].state, findings["token"].state) == (State.FAILED, State.FAILED)


def ignore(_: Finding) -> None:
    """Report nothing."""


def test_without_a_user_the_checks_that_need_none_run() -> None:
    findings = examine(user="")
    assert failed(findings) == set()
    assert (findings["token"].state, findings["grant"].detail) == (State.OK, "requires --user")
    assert findings["cycle"].state is State.SKIPPED


def test_an_unreachable_registry_is_one_failure() -> None:
    told: list[Finding] = []
    examine_registry(Session("http://127.0.0.1:1", "doctor"), told.append)
    assert [finding.id for finding in told if finding.state is State.FAILED] == ["reach"]
    assert "refused" in told[0].detail


def test_every_failure_comes_with_advice() -> None:
    for finding in examine("bare-200").values():
        assert bool(finding.advice) == (finding.state in (State.FAILED, State.NOTE))
