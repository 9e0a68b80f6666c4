"""The commands over the API, against the management API itself on stores in memory, behind a server of this process."""

from __future__ import annotations

import argparse
import io
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import _parser as operators_parser
from cli.failures import Failure
from cli.remote import command, logins
from cli.remote.client import Client, Login, segment
from cli.remote.completion import script
from cli.remote.shapes import Argument, Command, Option
from cli.remote.table import COMMANDS, GROUPS
from functions.management.routes import ROUTES, match
from roadstead.digest import Digest
from roadstead.names import ProjectName
from tests.unit.cli.remote_server import Server, reason, run
from tests.unit.functions.management.client import PASSWORD

NEW = "a brand new password"


def filled(one: Command) -> str:
    return re.sub(r"\{(\w+)\}", "1", one.path)


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: f"{one.group} {one.name}")
def test_every_command_reaches_a_route(one: Command) -> None:
    assert match(one.method, filled(one)).route.method == one.method


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: f"{one.group} {one.name}")
def test_every_part_of_a_path_is_an_argument(one: Command) -> None:
    named = {argument.name for argument in one.arguments}
    assert set(re.findall(r"\{(\w+)\}", one.path)) <= named
    parts: list[Argument | Option] = [*one.arguments, *one.options]
    looked = [part.lookup.path for part in parts if part.lookup is not None] + [one.base] * bool(one.base)
    for path in looked:
        assert set(re.findall(r"\{(\w+)\}", path)) <= named | {part.dest for part in one.options}
        assert match("GET", re.sub(r"\{(\w+)\}", "1", path)).route.method == "GET"


SAME = "another command sends the same, and more: "
ABSENT = "the registry has no such thing, and says so"
WITHOUT_A_COMMAND = {
    "beginSession": "the command signs in with each request; sessions are the console's",
    "endSession": "sessions are the console's",
    "endOwnSession": "sessions are the console's",
    "endOtherSessions": "sessions are the console's",
    "chooseName": "belongs to a browser that has just come from a provider",
    "forgetNewcomer": "belongs to a browser that has just come from a provider",
    "addProjectMetadatas": f"{SAME}project set",
    "updateProjectMetadata": f"{SAME}project set",
    "UpdateRobot": f"{SAME}robot set",
    "updateQuota": f"{SAME}quota set",
    "createScanner": ABSENT,
    "pingScanner": ABSENT,
    "setScannerOfProject": ABSENT,
    "createScanAllSchedule": ABSENT,
    "updateScanAllSchedule": ABSENT,
    "stopScanAll": ABSENT,
    "putSystemCVEAllowlist": "stored for Harbor's clients alone: nothing is scanned",
    "createRegistry": ABSENT,
    "pingRegistry": ABSENT,
    "createReplicationPolicy": ABSENT,
    "startReplication": ABSENT,
    "CreateInstance": ABSENT,
    "CreatePolicy": ABSENT,
    "createPurgeSchedule": ABSENT,
    "updatePurgeSchedule": ABSENT,
    "exportScanData": ABSENT,
}


def test_every_change_of_the_api_has_a_command_or_a_reason() -> None:
    sent = {match(one.method, filled(one)).route.operation for one in COMMANDS}
    changes = {route.operation for route in ROUTES if route.method not in ("GET", "HEAD")}
    assert changes - sent == set(WITHOUT_A_COMMAND)


def test_no_argument_has_the_name_of_what_every_command_has() -> None:
    names = {part.dest for one in COMMANDS for part in one.arguments}
    names |= {part.dest for one in COMMANDS for part in one.options}
    assert names.isdisjoint({"run", "json", "url", "limit", "no_wait"})


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
    assert head.split() == ["NAME", "ID", "ADMIN", "DISABLED", "EMAIL", "CREATED"]
    assert first.split()[0] == "ada"


def test_costs_are_a_table_that_says_what_is_not_known(
    server: Server, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    own = {Digest.of(b"layer"): 10 * 1024**3}
    server.desk.catalog.change_usage(ProjectName("ships"), own=own, disown={})
    assert command.main(["system", "costs"], environ) == 0
    lines = [re.split(r"  +", line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["NAME", "QUANTITY", "UNIT", "USD"]
    assert ["storage", str(10 * 1024**3), "byte", "0.23"] in lines
    assert ["pulls", "pull", "not known"] in lines
    assert ["total of what is known", "1.63"] in lines
    assert ["not counted: pulls a month", "1000000", "18.258"] in lines
    assert lines[-1] == ["storage of ships", str(10 * 1024**3), "byte", "0.23"]
    assert run(environ, capsys, "system", "costs")["total_known"] == 1.63


def test_robots_labels_webhooks_and_the_configuration(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    robot = run(environ, capsys, "robot", "create", "ships", "builder", "--access", "repository:pull", "--days", "-1")
    assert robot["name"] == "robot$ships+builder" and robot["secret"]
    run(environ, capsys, "label", "create", "stable", "--color", "#48960C")
    labels = run(environ, capsys, "label", "list")
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
        (["user", "locks"], {"ROADSTEAD_STATE": ".state"}, True),
        (["user", "locks", "--state", ".state"], {}, False),
        (["keys", "list"], {"ROADSTEAD_URL": "https://a"}, False),
        ([], {}, False),
    ],
)
def test_what_is_for_the_api_and_what_for_aws(
    tmp_path: Path, arguments: list[str], environ: dict[str, str], expected: bool
) -> None:
    assert command.wanted(arguments, {"HOME": str(tmp_path), **environ}) is expected


def test_the_operators_commands_are_those_of_their_parser() -> None:
    def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
        found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        return dict(found[0].choices)

    groups = commands_of(operators_parser())
    assert {group: commands_of(groups[group]).keys() for group in command.OPERATORS} == command.OPERATORS
    assert GROUPS.keys() & groups.keys() == command.OPERATORS.keys()


def test_bash_completes_groups_and_commands() -> None:
    def completed(words: str) -> list[str]:
        asked = f'COMP_WORDS=({words}); COMP_CWORD=$(({len(words.split())} - 1)); _roadstead; echo "${{COMPREPLY[@]}}"'
        text = f"{script(command.SIGNING_IN)}\n{asked}"
        return subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True).stdout.split()

    assert completed("roadstead ta") == ["tag"]
    assert completed('roadstead tag ""') == ["list", "create", "delete"]
    assert completed("roadstead tag list ships --p") == ["--prefix"]
    assert completed("roadstead member add ships bob dev") == ["developer"]


def test_long_work_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    states, copied = iter(["Running", "Running", "Running", "Success"]), iter([1, 1, 2, 3, 3])
    client = Client(Login("https://a.example.com"), sleep=lambda _: None)

    class Found:
        def document(self) -> dict[str, Any]:
            return {"status": next(states), "progress": {"blobs_copied": next(copied)}, "message": "too much"}

    monkeypatch.setattr(client.__class__, "call", lambda *_, **__: Found())
    said: list[str] = []
    assert client.follow("/x", said.append)["status"] == "Success"
    assert said == ["Running: blobs copied 1", "Running: blobs copied 2", "Success: blobs copied 3"]
    states = iter(["Error"])
    with pytest.raises(Failure, match="ended with Error: too much"):
        client.follow("/x", said.append)
