"""Where passwords that are made afresh come from."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.failures import Failure
from cli.keyless.sources import check_source, password
from roadstead.identity.providers.signed_calls import SignedCall
from roadstead.identity.providers.trust import is_keyless

TOKEN = f"eyJhbGciOiJSUzI1NiJ9.{'e' * 200}.{'s' * 100}"
AUDIENCE = "registry.example.com"


class Runner:
    """The service of a GitHub runner that gives identity tokens."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.status, self.body = 200, json.dumps({"count": 1, "value": TOKEN}).encode()
        self.headers: dict[str, str] = {}
        runner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                runner.asked.append((self.path, self.headers.get("Authorization")))
                self.send_response(runner.status)
                for name, value in runner.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(runner.body)))
                self.end_headers()
                self.wfile.write(runner.body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token?api-version=2.0"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def environ(self) -> dict[str, str]:
        return {"ACTIONS_ID_TOKEN_REQUEST_URL": self.url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner's"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def runner() -> Iterator[Runner]:
    running = Runner()
    yield running
    running.close()


def test_github_is_asked_for_a_token_for_the_audience(runner: Runner) -> None:
    assert password("github", "registry.example.com:8443", runner.environ()) == TOKEN
    assert runner.asked == [("/token?api-version=2.0&audience=registry.example.com%3A8443", "bearer runner's")]


@pytest.mark.parametrize("missing", ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
def test_a_job_without_the_permission_is_told_what_it_needs(runner: Runner, missing: str) -> None:
    environ = {name: value for name, value in runner.environ().items() if name != missing}
    with pytest.raises(Failure, match="id-token: write"):
        password("github", AUDIENCE, environ)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, b"", "it answers 403"),
        (302, b"", "it answers 302"),
        (200, b"<html>", "no identity token"),
        (200, b"[]", "no identity token in GitHub's response"),
        (200, b'{"value": 1}', "no identity token in GitHub's response"),
        (200, b'{"value": "ey.no"}', "no identity token in GitHub's response"),
    ],
)
def test_a_runner_that_gives_none_is_a_failure(runner: Runner, status: int, body: bytes, words: str) -> None:
    runner.status, runner.body, runner.headers = status, body, {"Location": "http://127.0.0.1:1/"}
    with pytest.raises(Failure, match=words) as error:
        password("github", AUDIENCE, runner.environ())
    assert "runner's" not in str(error.value)
    assert len(runner.asked) == 1


def test_the_runners_token_is_not_sent_in_the_clear() -> None:
    environ = {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://evil.example/", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}
    with pytest.raises(Failure, match="HTTPS"):
        password("github", AUDIENCE, environ)


def test_gitlab_has_the_token_in_a_variable() -> None:
    assert password("env:REGISTRY_TOKEN", AUDIENCE, {"REGISTRY_TOKEN": TOKEN}) == TOKEN
    with pytest.raises(Failure, match="REGISTRY_TOKEN is not set"):
        password("env:REGISTRY_TOKEN", AUDIENCE, {})
    with pytest.raises(Failure, match="no identity token in REGISTRY_TOKEN"):
        password("env:REGISTRY_TOKEN", AUDIENCE, {"REGISTRY_TOKEN": "secret"})


def test_kubernetes_has_the_token_in_a_file_that_changes(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with pytest.raises(Failure, match="cannot be read: No such file"):
        password(f"file:{file}", AUDIENCE, {})
    for token in (TOKEN, TOKEN[:-1] + "x"):
        file.write_text(f"{token}\n")
        assert password(f"file:{file}", AUDIENCE, {}) == token
    file.write_bytes(b"\xff" * 100_000)
    with pytest.raises(Failure, match="no identity token"):
        password(f"file:{file}", AUDIENCE, {})


@pytest.mark.parametrize("source", ["", "azure", "env:", "env:A B", "env:1", "file:", "AWS", "https://x"])
def test_what_is_no_source_is_refused(source: str) -> None:
    with pytest.raises(Failure, match="not a source of credentials"):
        check_source(source)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """AWS credentials in variables, and no others."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLEEXAMPLE12")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret key")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session/token==")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("environ", "host", "region"),
    [
        ({}, "sts.eu-central-1.amazonaws.com", "eu-central-1"),
        ({"AWS_DEFAULT_REGION": "cn-north-1"}, "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ({"AWS_DEFAULT_REGION": ""}, "sts.us-east-1.amazonaws.com", "us-east-1"),
        ({"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}, "sts.amazonaws.com", "us-east-1"),
        (
            {"AWS_DEFAULT_REGION": "us-east-2", "AWS_USE_FIPS_ENDPOINT": "true"},
            "sts-fips.us-east-2.amazonaws.com",
            "us-east-2",
        ),
        ({"AWS_ENDPOINT_URL_STS": "https://vpce-1.example"}, "vpce-1.example", "eu-central-1"),
    ],
)
def test_a_call_is_signed_for_the_sts_that_botocore_would_ask(
    aws: pytest.MonkeyPatch, environ: dict[str, str], host: str, region: str
) -> None:
    for name, value in environ.items():
        aws.setenv(name, value)
    text = password("aws", AUDIENCE, {})
    call = SignedCall.parse(text)
    assert is_keyless(text)
    assert (call.host, call.region, call.registry) == (host, region, AUDIENCE)
    assert (call.key, call.session_token) == ("ASIAEXAMPLEEXAMPLE12", "session/token==")


def test_without_credentials_the_command_says_where_they_come_from(aws: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        aws.delenv(name)
    with pytest.raises(Failure, match="There are no AWS credentials"):
        password("aws", AUDIENCE, {})
    with pytest.raises(Failure, match=r"AWS gives no credentials: .*crew"):
        password("aws", AUDIENCE, {}, profile="crew")


def test_a_profile_is_asked_for_its_credentials(aws: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[crew]\naws_access_key_id=AKIACREWCREWCREW1234\naws_secret_access_key=x\n")
    call = SignedCall.parse(password("aws", AUDIENCE, {}, profile="crew"))
    assert (call.key, call.session_token) == ("AKIACREWCREWCREW1234", "")


def test_a_session_token_that_no_header_has_room_for_is_a_failure(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_SESSION_TOKEN", "x" * 8_000)
    with pytest.raises(Failure, match="too long"):
        password("aws", AUDIENCE, {})
