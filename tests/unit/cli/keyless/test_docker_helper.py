"""The credential helper, by the protocol of docker/docker-credential-helpers."""

from __future__ import annotations

import io
import json
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.keyless import registries
from cli.keyless.docker_helper import main
from cli.keyless.registries import Way, host_of
from tests.unit.cli.keyless.test_sources import TOKEN

ROOT = Path(__file__).parents[4]
HOST, ROBOT = "registry.example.com", "robot$ships+ci"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which HOST is configured, by a token in a variable."""
    made = {"HOME": str(tmp_path), "REGISTRY_TOKEN": TOKEN}
    registries.keep(made, HOST, Way(ROBOT, "env:REGISTRY_TOKEN"))
    return made


def act(environ: Mapping[str, str], action: str, given: str = "") -> tuple[int, str]:
    out = io.StringIO()
    return main([action], environ, io.StringIO(given), out), out.getvalue()


@pytest.mark.parametrize(
    "server", [HOST, f"{HOST}\n", f"https://{HOST}", f"https://{HOST}/v2/", f"{HOST}/ships/crane", HOST.upper()]
)
def test_get_makes_a_password_for_a_registry_that_is_configured(environ: dict[str, str], server: str) -> None:
    code, said = act(environ, "get", server)
    assert code == 0
    assert json.loads(said) == {"ServerURL": server.strip(), "Username": ROBOT, "Secret": TOKEN}


@pytest.mark.parametrize(
    "server",
    [
        "other.example.com",
        f"{HOST}.evil.example",
        f"{HOST}:8443",
        f"evil.{HOST}",
        "https://index.docker.io/v1/",
        "x" * 9_999,
    ],
)
def test_any_other_registry_gets_nothing_in_the_words_that_clients_know(environ: dict[str, str], server: str) -> None:
    assert act(environ, "get", server) == (1, "credentials not found in native keychain\n")


def test_get_tells_why_there_is_no_password(environ: dict[str, str]) -> None:
    del environ["REGISTRY_TOKEN"]
    code, said = act(environ, "get", HOST)
    assert (code, "REGISTRY_TOKEN is not set" in said) == (1, True)


def test_variables_alone_configure_one_registry(tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "ROADSTEAD_URL": f"https://{HOST}",
        "ROADSTEAD_USER": ROBOT,
        "ROADSTEAD_KEYLESS": "env:T",
        "T": TOKEN,
    }
    assert json.loads(act(environ, "get", HOST)[1])["Secret"] == TOKEN
    assert act(environ, "get", "other.example.com")[0] == 1
    del environ["ROADSTEAD_USER"]
    assert "ROADSTEAD_KEYLESS needs ROADSTEAD_URL and ROADSTEAD_USER" in act(environ, "get", HOST)[1]


@pytest.mark.parametrize("action", ["get", "erase"])
@pytest.mark.parametrize("given", ["", " \n"])
def test_no_server_is_told_in_the_words_of_the_protocol(environ: dict[str, str], action: str, given: str) -> None:
    assert act(environ, action, given) == (1, "no credentials server URL\n")


def test_store_takes_what_get_gave_and_keeps_nothing(environ: dict[str, str]) -> None:
    given = act(environ, "get", HOST)[1]
    assert act(environ, "store", given) == (0, "")
    assert TOKEN not in registries.path_of(environ).read_text()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"ServerURL": HOST, "Username": ROBOT, "Secret": "a password"}, "keeps no passwords"),
        ({"ServerURL": HOST, "Username": "ada", "Secret": TOKEN}, "keeps no passwords"),
        ({"ServerURL": "other.example.com", "Username": ROBOT, "Secret": TOKEN}, "keeps no passwords"),
        ({"ServerURL": HOST, "Secret": TOKEN}, "no credentials username"),
        ({"Username": ROBOT, "Secret": TOKEN}, "no credentials server URL"),
        ({}, "no credentials server URL"),
        ([], "not a JSON object"),
    ],
)
def test_store_refuses_anything_else(environ: dict[str, str], document: Any, words: str) -> None:
    code, said = act(environ, "store", json.dumps(document))
    assert code == 1 and words in said


def test_store_refuses_what_is_no_json(environ: dict[str, str]) -> None:
    assert act(environ, "store", "{") == (1, "the credentials are not a JSON object\n")


def test_erase_forgets_the_registry_once_and_for_all(environ: dict[str, str]) -> None:
    for _ in range(2):
        assert act(environ, "erase", f"https://{HOST}") == (0, "")
        assert act(environ, "get", HOST) == (1, "credentials not found in native keychain\n")


def test_list_has_the_registries_and_their_robots(environ: dict[str, str]) -> None:
    assert act(environ, "list") == (0, json.dumps({HOST: ROBOT}) + "\n")


def test_unknown_actions_are_errors(environ: dict[str, str]) -> None:
    assert act(environ, "fetch") == (1, "Unknown credential action `fetch`\n")
    out = io.StringIO()
    assert main([], environ, io.StringIO(), out) == 1
    assert out.getvalue().startswith("Usage: docker-credential-roadstead <")


def test_the_file_is_for_its_user_alone_and_one_that_is_damaged_is_told(environ: dict[str, str]) -> None:
    path = registries.path_of(environ)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for text in ("{", "[]", '{"a": 1}', '{"a": {"user": "x"}}', '{"a": {"user": "x", "source": "aws", "more": "y"}}'):
        path.write_text(text)
        assert "is damaged; sign in again" in act(environ, "get", HOST)[1]


def test_the_program_works_by_a_symbolic_link(environ: dict[str, str], tmp_path: Path) -> None:
    link = tmp_path / "docker-credential-roadstead"
    link.symlink_to(ROOT / "bin" / "docker-credential-roadstead")
    made = subprocess.run(
        [link, "get"], input=HOST, env=environ | {"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert (made.returncode, json.loads(made.stdout)["Secret"], made.stderr) == (0, TOKEN, "")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Registry.example.com/", "registry.example.com"),
        ("http://127.0.0.1:5000", "127.0.0.1:5000"),
        ("registry.example.com:8443/v2/", "registry.example.com:8443"),
        ("[::1]:5000", "[::1]:5000"),
    ],
)
def test_a_registry_is_known_by_host_and_port(url: str, host: str) -> None:
    assert host_of(url) == host
