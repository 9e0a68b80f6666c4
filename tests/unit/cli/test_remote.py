"""The commands over the API, against the management API itself on stores in memory, behind a server of this process."""

from __future__ import annotations

import io
import json
import re
import stat
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest

from cli.failures import Failure
from cli.remote import command, logins
from cli.remote.client import Client, Login, segment
from cli.remote.shapes import Command
from cli.remote.table import COMMANDS, GROUPS
from functions.management.routes import match
from roadstead.http import Request
from tests.unit.functions.management.client import PASSWORD, Desk

NEW = "a brand new password"


class Server:
    """A registry at `url`, as a gateway passes it on: paths decoded once."""

    def __init__(self) -> None:
        self.desk = Desk()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = tuple((name.lower(), value) for name, value in self.headers.items())
                pairs = tuple(parse_qsl(query, keep_blank_values=True))
                request = Request(self.command, unquote(path), pairs, headers, body, host=server.host, scheme="http")
                response = server.desk.ask(request)
                self.send_response(response.status)
                for name, value in response.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                self.wfile.write(response.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815 - the names that it calls

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def environ(server: Server, tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "ROADSTEAD_URL": server.url,
        "ROADSTEAD_USER": "ada",
        "ROADSTEAD_PASSWORD": PASSWORD,
    }


def run(environ: Mapping[str, str], capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Return the JSON document that a command prints. Fails with stderr if the command fails."""
    code = command.main([*arguments, "--json"], environ)
    said = capsys.readouterr()
    assert code == 0, said.err
    return json.loads(said.out)


def reason(environ: Mapping[str, str], capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert command.main(arguments, environ) in (1, 2)
    return capsys.readouterr().err


def filled(one: Command) -> str:
    return re.sub(r"\{(\w+)\}", "1", one.path)


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: f"{one.group} {one.name}")
def test_every_command_reaches_a_route(one: Command) -> None:
    assert match(one.method, filled(one)).route.method == one.method


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: f"{one.group} {one.name}")
def test_every_part_of_a_path_is_an_argument(one: Command) -> None:
    named = {argument.name for argument in one.arguments}
    assert set(re.findall(r"\{(\w+)\}", one.path)) <= named
    for argument in one.arguments:
        if argument.lookup is not None:
            assert match("GET", re.sub(r"\{(\w+)\}", "1", argument.lookup.path)).route.method == "GET"


def test_commands_are_unique_and_every_group_has_some() -> None:
    names = [(one.group, one.name) for one in COMMANDS]
    assert len(set(names)) == len(names)
    assert {group for group, _ in names} == set(GROUPS)


def test_a_project_from_its_creation_to_its_members(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(environ, capsys, "project", "create", "boats")["created"].startswith("/api/v2.0/projects/")
    assert run(environ, capsys, "project", "show", "boats")["metadata"]["public"] == "false"
    run(environ, capsys, "project", "set-public", "boats")
    assert run(environ, capsys, "project", "show", "boats")["metadata"]["public"] == "true"
    run(environ, capsys, "member", "add", "boats", "bob", "guest")
    run(environ, capsys, "member", "set-role", "boats", "bob", "maintainer")
    members = {one["entity_name"]: one["role_name"] for one in run(environ, capsys, "member", "list", "boats")}
    assert members == {"ada": "projectAdmin", "bob": "maintainer"}
    run(environ, capsys, "member", "remove", "boats", "bob")
    assert len(run(environ, capsys, "member", "list", "boats")) == 1


def test_a_user_is_named_and_not_numbered(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{NEW}\n"))
    run(environ, capsys, "user", "create", "zoe", "--password-stdin", "--email", "zoe@example.com")
    assert run(environ, capsys, "user", "show", "zoe")["email"] == "zoe@example.com"
    run(environ, capsys, "user", "set-admin", "zoe")
    assert run(environ, capsys, "user", "show", "zoe")["sysadmin_flag"] is True
    run(environ, capsys, "user", "set-admin", "zoe", "--off")
    run(environ, capsys, "user", "delete", "zoe")
    assert "There is no user zoe." in reason(environ, capsys, "user", "show", "zoe")
    assert run(environ, capsys, "user", "whoami")["username"] == "ada"


def test_repositories_and_tags_with_slashes_are_found(
    server: Server, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    server.desk.push("ships/cargo/crane", "v1")
    digest = server.desk.push("ships/cargo/crane", "v2", size=200)
    assert [one["name"] for one in run(environ, capsys, "repo", "list", "ships")] == ["ships/cargo/crane"]
    assert run(environ, capsys, "repo", "show", "ships", "cargo/crane")["name"] == "ships/cargo/crane"
    tags = run(environ, capsys, "tag", "list", "ships", "cargo/crane")
    assert (tags[0]["name"], tags[0]["digest"]) == ("v2", digest)
    assert len(run(environ, capsys, "tag", "list", "ships", "cargo/crane", "--limit", "1")) == 1


def test_a_list_goes_on_over_pages(server: Server, environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(105):
        server.desk.accounts.create_project(f"p{number:03d}")
    listed = run(environ, capsys, "project", "list", "--q", "name=~p", "--sort=-name")
    assert len(listed) == 107  # with `ships` and `open`
    assert len(run(environ, capsys, "project", "list", "--limit", "7")) == 7


def test_people_get_a_table(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["user", "list"], environ) == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head.split() == ["NAME", "ID", "ADMIN", "EMAIL", "CREATED"]
    assert first.split()[0] == "ada"


def test_robots_labels_webhooks_and_the_configuration(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    robot = run(environ, capsys, "robot", "create", "ships", "builder", "--access", "repository:pull", "--days", "-1")
    assert robot["name"] == "robot$ships+builder" and robot["secret"]
    run(environ, capsys, "label", "create", "stable", "--color", "#48960C")
    labels = run(environ, capsys, "label", "list", "--scope", "g")
    run(environ, capsys, "label", "delete", str(labels[0]["id"]))
    run(environ, capsys, "webhook", "create", "ships", "ci", "https://ci.example.com/", "--event", "PUSH_ARTIFACT")
    assert run(environ, capsys, "webhook", "list", "ships")[0]["name"] == "ci"
    assert run(environ, capsys, "webhook", "test", "ships", "ci")["delivery"]
    assert run(environ, capsys, "webhook", "deliveries", "ships", "ci") == []
    run(environ, capsys, "webhook", "delete", "ships", "ci")
    run(environ, capsys, "config", "set", "robot_token_duration", "31")
    run(environ, capsys, "config", "set", "auth_mode", "oidc_auth")
    shown = run(environ, capsys, "config", "show")
    assert (shown["robot_token_duration"]["value"], shown["auth_mode"]["value"]) == (31, "oidc_auth")
    assert run(environ, capsys, "audit", "list") == []


def test_a_refusal_is_the_registrys_sentence(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "There is a project ships already." in reason(environ, capsys, "project", "create", "ships")
    environ["ROADSTEAD_PASSWORD"] = "wrong"
    assert "see `roadstead login`" in reason(environ, capsys, "user", "list")


def test_a_sign_in_is_stored_for_its_user_alone(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environ, path = {"HOME": str(tmp_path)}, tmp_path / ".config" / "roadstead" / "login.json"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert command.main(["login", server.url, "--user", "bob", "--password-stdin"], environ) == 0
    assert PASSWORD not in capsys.readouterr().out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run(environ, capsys, "user", "whoami")["username"] == "bob"
    path.chmod(0o644)
    assert "can be read by others" in reason(environ, capsys, "user", "whoami")
    assert command.main(["logout"], environ) == 0
    assert not path.exists()
    assert "No registry is known" in reason(environ, capsys, "user", "whoami")


def test_a_wrong_sign_in_is_not_stored(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"HOME": str(tmp_path)}
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
    assert command.main(["login", server.url, "--user", "bob", "--password-stdin"], environ) == 1
    assert not logins.path_of(environ).exists()


def test_a_stored_password_goes_to_its_own_registry_alone(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    logins.store(logins.path_of(environ), Login("https://one.example.com", "bob", "secret"))
    assert logins.chosen(environ) == Login("https://one.example.com", "bob", "secret")
    assert logins.chosen(environ, "https://two.example.com") == Login("https://two.example.com")
    assert "secret" not in repr(logins.chosen(environ))


@pytest.mark.parametrize("url", ["http://registry.example.com", "ftp://a", "registry.example.com", "https://a/path"])
def test_a_password_is_not_sent_to_what_is_no_registry_over_https(url: str) -> None:
    with pytest.raises(Failure):
        Client(Login(url, "bob", "secret"))


def test_names_in_paths_are_encoded_as_harbors_clients_do() -> None:
    assert segment("a/b") == "a%252Fb"
    assert segment("robot$x+y é") == "robot%24x%2By%20%C3%A9"


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        (["repo", "list", "ships"], {}, True),
        (["login", "https://a"], {}, True),
        (["project", "list"], {}, False),
        (["project", "list", "--url", "https://a"], {}, True),
        (["project", "list", "--url=https://a"], {"ROADSTEAD_STATE": ".state"}, True),
        (["project", "list"], {"ROADSTEAD_URL": "https://a"}, True),
        (["project", "list", "--state", ".state"], {"ROADSTEAD_URL": "https://a"}, False),
        (["keys", "list"], {"ROADSTEAD_URL": "https://a"}, False),
        ([], {}, False),
    ],
)
def test_what_is_for_the_api_and_what_for_aws(
    tmp_path: Path, arguments: list[str], environ: dict[str, str], expected: bool
) -> None:
    assert command.wanted(arguments, {"HOME": str(tmp_path), **environ}) is expected


def test_bash_completes_groups_and_commands() -> None:
    asked = 'COMP_WORDS=(roadstead tag ""); COMP_CWORD=2; _roadstead; echo "${COMPREPLY[@]}"'
    script = f"{command.completion_script()}\n{asked}"
    made = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert made.stdout.split() == ["list", "create", "delete"]


def test_long_work_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    states = iter(["Running", "Running", "Success"])
    client = Client(Login("https://a.example.com"), sleep=lambda _: None)

    class Found:
        def document(self) -> dict[str, str]:
            return {"status": next(states), "status_message": ""}

    monkeypatch.setattr(client.__class__, "call", lambda *_, **__: Found())
    said: list[str] = []
    assert client.follow("/x", said.append)["status"] == "Success"
    assert said == ["Running", "Success"]
    states = iter(["Error"])
    with pytest.raises(Failure, match="ended with Error"):
        client.follow("/x", said.append)
