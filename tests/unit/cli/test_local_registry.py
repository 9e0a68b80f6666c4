"""The command against a running local registry: what an operator types, and what it changes for users."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import main
from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.identity.dynamodb_configuration import DynamoConfiguration
from roadstead.aws.table import Table
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.policy.quotas import Quota
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker
from tests.unit.local.test_stack import LIMIT, Instance

ROOT = Path(__file__).parents[3]


@pytest.fixture
def roadstead(instance: Instance, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a command with --json and returns its document; the command must succeed."""

    def run(*arguments: str, stdin: str = "") -> Any:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main([*arguments, "--json", "--state", str(instance.state)])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)

    return run


def refused(
    instance: Instance, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> str:
    """Run a command that must fail; return its error message."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert main([*arguments, "--state", str(instance.state)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()[-1].removeprefix("roadstead: ")  # after its progress


@contextlib.contextmanager
def receiver(status: int) -> Iterator[tuple[str, list[Any]]]:
    """Serve an endpoint that responds with `status`; yield its URL and the documents that it receives."""
    bodies: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", bodies
        server.shutdown()
        thread.join()


def granted(instance: Instance, name: str, password: str, scope: str) -> list[str] | None:
    """Return the actions of a token, or None if the login is refused."""
    request = urllib.request.Request(f"{instance.ready['registry']}/token?service=roadstead&scope={scope}")
    request.add_header("Authorization", f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            token = json.load(answer)["token"]
    except urllib.error.HTTPError as error:
        assert error.code == 401
        error.close()
        return None
    payload = token.split(".")[1]
    access = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["access"]
    return sorted(action for entry in access for action in entry["actions"])


def test_a_user_can_log_in_until_disabled(instance: Instance, roadstead: Any) -> None:
    created = roadstead("user", "create", "ada", "--generate")
    first = created["password"]
    assert granted(instance, "ada", first, "") == []
    roadstead("user", "reset-password", "ada", "--password-stdin", stdin="another password\n")
    assert granted(instance, "ada", first, "") is None
    assert granted(instance, "ada", "another password", "") == []
    roadstead("user", "disable", "ada")
    assert granted(instance, "ada", "another password", "") is None
    roadstead("user", "enable", "ada")
    assert granted(instance, "ada", "another password", "") == []
    shown = roadstead("user", "show", "ada")
    assert {key: shown[key] for key in ("name", "admin", "disabled")} == {
        "name": "ada",
        "admin": False,
        "disabled": False,
    }
    assert "password" not in shown


def test_a_members_role_decides_the_granted_actions(instance: Instance, roadstead: Any) -> None:
    password = roadstead("user", "create", "bob", "--generate")["password"]
    scope = "repository:ships/cargo:pull,push,delete"
    roadstead("project", "create", "ships")
    assert granted(instance, "bob", password, scope) == []
    for role, actions in (("guest", ["pull"]), ("developer", ["pull", "push"]), ("admin", ["delete", "pull", "push"])):
        roadstead("member", "set", "ships", "bob", role)
        assert granted(instance, "bob", password, scope) == actions
    assert roadstead("project", "show", "ships")["members"] == {"bob": "admin"}
    roadstead("member", "remove", "ships", "bob")
    assert granted(instance, "bob", password, scope) == []
    roadstead("project", "set-public", "ships")
    assert granted(instance, "bob", password, scope) == ["pull"]
    roadstead("project", "set-private", "ships")
    roadstead("user", "set-admin", "bob")
    assert granted(instance, "bob", password, scope) == ["delete", "pull", "push"]
    roadstead("user", "set-admin", "bob", "--off")
    assert granted(instance, "bob", password, scope) == []


def test_a_project_has_the_quota_that_new_projects_get(instance: Instance, roadstead: Any) -> None:
    dynamodb, ready = instance.aws("dynamodb"), instance.ready
    configuration = DynamoConfiguration(Table(dynamodb, ready["identity_table"]))
    policies = Policies(DynamoProjectRules(Table(dynamodb, ready["index_table"])), EventMaker())
    event = EventMaker().make(Operation.CHANGE_CONFIGURATION, Actor("admin", ActorKind.USER), "")
    for number, values in enumerate(({"storage_per_project": 5_000}, {})):
        version = configuration.find_configuration().version
        configuration.put_configuration(values, replaces=version, event=event)
        roadstead("project", "create", f"limited-{number}")
        limit = values.get("storage_per_project", -1)
        assert policies.find(ProjectName(f"limited-{number}")).quota == Quota(storage=limit)


def test_lists_are_complete_and_contain_no_password(roadstead: Any) -> None:
    roadstead("user", "create", "eve", "--password-stdin", stdin="a password of eve\n")
    roadstead("project", "create", "harbour", "--public")
    users = roadstead("user", "list")
    assert {"admin", "eve"} <= {user["name"] for user in users}
    assert "argon2" not in json.dumps(users)
    assert next(one for one in roadstead("project", "list") if one["name"] == "harbour")["public"] is True


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("user", "show", "nobody"), "There is no user nobody."),
        (("user", "create", "admin", "--generate"), "There is a user admin already."),
        (("user", "create", "Ada", "--generate"), "'Ada' is not a user name"),
        (("user", "create", "kim", "--password-stdin"), "A password has at least 12 characters"),
        (("user", "create", "kim"), "There is no terminal"),
        (("project", "show", "none"), "There is no project none."),
        (("member", "set", "none", "admin", "guest"), "There is no project none."),
        (("webhook", "list", "none"), "There is no project none."),
        (("audit", "pulls", "latest"), "'latest' is not a digest."),
    ],
)
def test_a_command_that_fails_prints_one_sentence(
    instance: Instance,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    code = main([*arguments, "--state", str(instance.state)])
    out, err = capsys.readouterr()
    assert code in (1, 2)
    assert out == ""
    assert err.startswith(f"roadstead: {sentence}")
    assert err.count("\n") == 1


def test_a_webhook_can_be_added_listed_disabled_and_removed(roadstead: Any) -> None:
    roadstead("project", "create", "told")
    added = roadstead("webhook", "add", "told", "http://127.0.0.1:9/x", "--internal", "--event", "PUSH_ARTIFACT")
    assert added["secret"].startswith("whsec_")
    listed = roadstead("webhook", "list", "told")
    assert [(one["id"], one["events"]) for one in listed] == [(added["id"], ["PUSH_ARTIFACT"])]
    assert added["secret"] not in json.dumps(listed)
    roadstead("webhook", "disable", "told", added["id"])
    assert roadstead("webhook", "list", "told")[0]["enabled"] is False
    roadstead("webhook", "enable", "told", added["id"])
    roadstead("webhook", "remove", "told", added["id"])
    assert roadstead("webhook", "list", "told") == []


@pytest.mark.parametrize("status", [204, 410])
def test_a_webhook_test_reports_the_delivery(
    instance: Instance,
    roadstead: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    project = f"tested-{status}"
    roadstead("project", "create", project)
    with receiver(status) as (url, bodies):
        added = roadstead("webhook", "add", project, url, "--internal")
        if status == 204:
            assert roadstead("webhook", "test", project, added["id"], "--internal")["delivery"]
        else:
            said = refused(instance, capsys, monkeypatch, "webhook", "test", project, added["id"], "--internal")
            assert said.startswith("The test was not delivered")
    assert [body["type"] for body in bodies] == ["PUSH_ARTIFACT"]


def test_status_and_keys_are_shown(instance: Instance, roadstead: Any) -> None:
    status = roadstead("status")
    assert (status["responds"], status["bucket"]) == ("yes", instance.ready["bucket"])
    keys = roadstead("keys", "show")
    assert keys["tokens"][0]["spec"] == "ECC_NIST_P256"
    assert roadstead("keys", "init")["made"] is False


def test_a_new_upload_key_is_added_beside_the_one_that_signs(instance: Instance, roadstead: Any) -> None:
    """Only in the parameter: a local edge reads its keys when it starts."""
    assert roadstead("keys", "show")["uploads"]["stage"] == "steady"
    added = roadstead("keys", "rotate", "upload", "--step", "add")
    assert added["stage"] == "added"
    found = instance.aws("ssm").get_parameter(Name=instance.ready["upload_keys_parameter"], WithDecryption=True)
    document = json.loads(found["Parameter"]["Value"])
    assert len(document["keys"]) == 2
    assert document["current"] == added["current"] == next(iter(document["keys"]))


def test_the_doctor_passes_on_a_local_registry(instance: Instance, roadstead: Any) -> None:
    report = roadstead("doctor")
    assert report["url"] == instance.ready["registry"]
    assert report["counts"]["failed"] == report["counts"]["note"] == 0
    assert report["counts"]["ok"] >= 29
    skipped = {one["check"] for one in report["findings"] if one["state"] == "skipped"}
    assert skipped == {"encrypted", "bucket", "edge-keys", "relay", "closed", "alarms"}
    index = instance.aws("dynamodb").get_paginator("scan").paginate(TableName=instance.ready["index_table"])
    left = [item["sk"]["S"] for page in index for item in page["Items"] if "roadstead-doctor" in item["pk"]["S"]]
    assert not [key for key in left if key.startswith(("manifest#", "tag#", "blob#"))]


def test_the_doctor_fails_on_the_api_without_the_edge(
    instance: Instance, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the API's own name, uploads lead to another host: the doctor accepts that for execute-api names only."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(instance.password()))
    code = main(["doctor", instance.ready["api"], "--user", "admin", "--password-stdin"])
    out, err = capsys.readouterr()
    assert (code, err) == (1, "")
    assert "failed  uploads stay on the same host" in out
    assert out.count("failed  ") == 1
    assert out.rstrip().endswith("1 failed, 1 skipped")


def test_the_command_runs_as_a_program(instance: Instance) -> None:
    ran = subprocess.run(
        [str(ROOT / "bin" / "roadstead"), "user", "show", "admin"],
        cwd="/",
        env={**os.environ, "ROADSTEAD_STATE": str(instance.state), "ROADSTEAD_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[:2] == ["name      admin", "admin     yes"]
