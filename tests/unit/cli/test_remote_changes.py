"""What commands over the API change, seen by the commands that show it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli.remote import command
from cli.remote.client import execution_at
from functions.management.handlers.system import executions as executions_module
from roadstead.lifecycle.executions.executions import LogPart, Status, Task
from roadstead.lifecycle.executions.starter import Starter
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker
from tests.unit.cli.remote_server import Server, reason, run

Environ = dict[str, str]
Captured = pytest.CaptureFixture[str]


def test_a_group_has_members_and_roles(environ: Environ, capsys: Captured) -> None:
    run(environ, capsys, "group", "create", "crew")
    run(environ, capsys, "group", "add-member", "crew", "eve")
    assert [one["username"] for one in run(environ, capsys, "group", "members", "crew")] == ["eve"]
    run(environ, capsys, "member", "add-group", "ships", "crew", "developer", "--repositories", "cargo/**")
    assert run(environ, capsys, "member", "show", "ships", "crew")["repositories"] == ["cargo/**"]
    run(environ, capsys, "member", "set-role", "ships", "crew", "guest")
    run(environ, capsys, "member", "limit", "ships", "crew")
    shown = run(environ, capsys, "member", "show", "ships", "crew")
    assert (shown["role_name"], shown["entity_type"], shown["repositories"]) == ("guest", "g", [])
    run(environ, capsys, "group", "rename", "crew", "sailors")
    run(environ, capsys, "group", "set-admin", "sailors")
    assert run(environ, capsys, "group", "show", "sailors")["admin"] is True
    run(environ, capsys, "group", "remove-member", "sailors", "eve")
    assert run(environ, capsys, "group", "members", "sailors") == []
    run(environ, capsys, "group", "delete", "sailors")
    assert "There is no group sailors." in reason(environ, capsys, "group", "show", "sailors")


def test_a_group_of_the_directory_is_named_by_its_dn(environ: Environ, capsys: Captured) -> None:
    dn = "cn=ops,ou=groups,dc=example"
    run(environ, capsys, "group", "create", "ops", "--dn", dn)
    run(environ, capsys, "member", "add-ldap-group", "ships", dn, "maintainer")
    assert run(environ, capsys, "member", "show", "ships", "ops")["role_name"] == "maintainer"


def test_a_projects_quota_metadata_and_grace(environ: Environ, capsys: Captured) -> None:
    run(environ, capsys, "quota", "set", "ships", "--storage", "1000", "--artifacts", "7", "--enforce", "hard")
    quota = run(environ, capsys, "quota", "show", "ships")
    assert (quota["storage"]["limit"], quota["storage"]["hard"], quota["artifacts"]["limit"]) == (1000, True, 7)
    run(environ, capsys, "project", "set", "ships", "auto_scan", "true")
    assert run(environ, capsys, "project", "show", "ships")["metadata"]["auto_scan"] == "true"
    run(environ, capsys, "project", "unset", "ships", "auto_scan")
    assert "auto_scan" not in run(environ, capsys, "project", "show", "ships")["metadata"]
    run(environ, capsys, "trash", "set-grace", "ships", "--seconds", "86400")
    assert run(environ, capsys, "trash", "grace", "ships") == {"seconds": 86400}
    assert run(environ, capsys, "project", "deletable", "ships")["deletable"] is True


def test_a_log_that_comes_in_parts_is_printed_whole(
    server: Server, environ: Environ, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions_module, "MAX_SHOWN_LOG", 20)
    executions, events = server.desk.executions, EventMaker(server.desk.services.clock)
    one = Starter(executions, events).start("copy", "ships", {}, actor=Actor("ada"))
    tasks = [Task(1, "ships/galleon", Status.SUCCESS, one.created, one.created)]
    lines = [f"(line {number})\n" for number in range(5)]
    was = replace(one, version=1)
    executions.save(was, was, tasks=tasks, logs=[LogPart(1, at, line) for at, line in enumerate(lines)])
    assert run(environ, capsys, "execution", "log", str(one.id), "1") == {"text": "".join(lines)}


def test_rules_by_which_tags_never_change(environ: Environ, capsys: Captured) -> None:
    run(environ, capsys, "immutable", "create", "ships", "--tags", "v*")
    (rule,) = run(environ, capsys, "immutable", "list", "ships")
    run(environ, capsys, "immutable", "set", "ships", str(rule["id"]), "--tags", "r*", "--state", "disabled")
    (changed,) = run(environ, capsys, "immutable", "list", "ships")
    assert (changed["disabled"], changed["tag_selectors"][0]["pattern"]) == (True, "r*")
    assert changed["scope_selectors"] == rule["scope_selectors"]
    assert "no rule 7" in reason(environ, capsys, "immutable", "set", "ships", "7", "--tags", "r*")


def test_retention_from_its_first_rule_to_its_last(server: Server, environ: Environ, capsys: Captured) -> None:
    digest = server.desk.push("ships/cargo", "v1")
    run(environ, capsys, "retention", "create", "ships", "--keep", "latestPushedK=3", "--tags", "v*")
    assert "has retention rules already" in reason(environ, capsys, "retention", "create", "ships", "--keep", "always")
    run(environ, capsys, "retention", "add-rule", "ships", "--keep", "always", "--repositories", "x/**")
    run(environ, capsys, "retention", "schedule", "ships", "--cron", "0 0 3 * * *")
    shown = run(environ, capsys, "retention", "show", "ships")
    assert [(one["template"], one["params"]) for one in shown["rules"]] == [
        ("latestPushedK", {"latestPushedK": 3}),
        ("always", {}),
    ]
    assert shown["trigger"]["settings"]["cron"] == "0 0 3 * * *"
    (found,) = run(environ, capsys, "retention", "preview", "ships")
    assert [(one["digest"], one["keep"]) for one in found["artifacts"]] == [(digest, True)]
    assert run(environ, capsys, "retention", "run", "ships", "--dry-run", "--no-wait")["created"]
    (started,) = run(environ, capsys, "retention", "runs", "ships")
    assert started["dry_run"] is True
    run(environ, capsys, "retention", "stop", "ships", str(started["id"]))
    assert run(environ, capsys, "execution", "show", str(started["id"]))["stopping"] is True
    run(environ, capsys, "retention", "remove-rule", "ships", "1")
    assert len(run(environ, capsys, "retention", "show", "ships")["rules"]) == 1
    run(environ, capsys, "retention", "delete", "ships")
    assert "no retention rules" in reason(environ, capsys, "retention", "show", "ships")


def test_a_robot_is_found_by_its_name_and_changed(environ: Environ, capsys: Captured, tmp_path: Path) -> None:
    run(environ, capsys, "robot", "create", "ships", "ci", "--access", "repository:pull", "--repositories", "cargo/**")
    run(environ, capsys, "robot", "create-system", "all", "--access", "repository:pull", "--in-project", "*")
    assert [one["name"] for one in run(environ, capsys, "robot", "list")] == ["robot$all"]
    assert [one["name"] for one in run(environ, capsys, "robot", "list", "--project", "ships")] == ["robot$ships+ci"]
    run(environ, capsys, "robot", "set", "robot$ships+ci", "--description", "builds", "--state", "disabled")
    shown = run(environ, capsys, "robot", "show", "robot$ships+ci")
    assert (shown["disable"], shown["description"], shown["duration"]) == (True, "builds", 30)
    assert shown["permissions"][0]["repositories"] == ["cargo/**"]
    run(environ, capsys, "robot", "set", "robot$ships+ci", "--access", "repository:push", "--state", "enabled")
    shown = run(environ, capsys, "robot", "show", "robot$ships+ci")
    assert shown["disable"] is False
    assert [one["action"] for one in shown["permissions"][0]["access"]] == ["push"]
    assert run(environ, capsys, "robot", "refresh", "robot$ships+ci")["secret"]
    rules = tmp_path / "rules.json"
    rules.write_text("[]")
    run(environ, capsys, "robot", "set-trust", "robot$ships+ci", "--rules", str(rules))
    assert run(environ, capsys, "robot", "trust", "robot$ships+ci") == {"rules": []}
    rules.write_text("[")
    assert "cannot be read as JSON" in reason(environ, capsys, "robot", "set-trust", "robot$all", "--rules", str(rules))
    run(environ, capsys, "robot", "delete", "robot$all")
    assert "There is no robot robot$all." in reason(environ, capsys, "robot", "show", "robot$all")


def test_labels_of_a_project_go_before_those_of_the_registry(
    server: Server, environ: Environ, capsys: Captured
) -> None:
    server.desk.push("ships/cargo", "v1")
    run(environ, capsys, "label", "create", "good")
    run(environ, capsys, "label", "create", "good", "--project", "ships", "--color", "#112233")
    (own,) = run(environ, capsys, "label", "list", "--project", "ships")
    run(environ, capsys, "artifact", "label", "ships", "cargo", "v1", "good")
    (shown,) = run(environ, capsys, "artifact", "list", "ships", "cargo", "--q", f"labels=({own['id']})")
    run(environ, capsys, "label", "set", "good", "--project", "ships", "--description", "seaworthy")
    (changed,) = run(environ, capsys, "label", "list", "--project", "ships")
    assert (changed["description"], changed["color"], changed["name"]) == ("seaworthy", "#112233", "good")
    run(environ, capsys, "artifact", "unlabel", "ships", "cargo", shown["digest"], "good")
    assert run(environ, capsys, "artifact", "list", "ships", "cargo", "--q", f"labels=({own['id']})") == []
    run(environ, capsys, "label", "delete", "good", "--project", "ships")
    assert len(run(environ, capsys, "label", "list")) == 1


def test_access_tokens_and_profiles(environ: Environ, capsys: Captured) -> None:
    made = run(environ, capsys, "token", "create", "laptop", "--access", "read", "--project", "ships")
    assert made["token"] and made["projects"] == ["ships"]
    assert [one["name"] for one in run(environ, capsys, "token", "list-of", "ada")] == ["laptop"]
    run(environ, capsys, "token", "revoke", "laptop")
    run(environ, capsys, "token", "create", "second", "--access", "write")
    run(environ, capsys, "token", "revoke-of", "ada", "second")
    run(environ, capsys, "token", "create", "third", "--access", "write")
    run(environ, capsys, "token", "revoke-all", "ada")
    assert run(environ, capsys, "token", "list") == []
    run(environ, capsys, "user", "set", "bob", "--email", "bob@example.com")
    run(environ, capsys, "user", "set", "bob", "--realname", "Bob")
    shown = run(environ, capsys, "user", "show", "bob")
    assert (shown["email"], shown["realname"]) == ("bob@example.com", "Bob")
    run(environ, capsys, "user", "release", "bob")
    for verb, disabled in (("disable", True), ("enable", False)):
        run(environ, capsys, "user", verb, "bob")
        listed = {one["username"]: one["disabled"] for one in run(environ, capsys, "user", "list")}
        assert listed == {"ada": False, "bob": disabled, "eve": False}


def test_a_webhook_is_changed_and_keeps_the_rest(
    environ: Environ, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Bearer secret\n"))
    run(
        environ,
        capsys,
        *("webhook", "create", "ships", "ci", "https://ci.example.com/", "--event", "PUSH_ARTIFACT", "--header-stdin"),
    )
    run(environ, capsys, "webhook", "set", "ships", "ci", "--state", "disabled", "--format", "CloudEvents")
    shown = run(environ, capsys, "webhook", "show", "ships", "ci")
    assert (shown["enabled"], shown["event_types"]) == (False, ["PUSH_ARTIFACT"])
    target = shown["targets"][0]
    assert (target["address"], target["payload_format"]) == ("https://ci.example.com/", "CloudEvents")
    assert target["auth_header"] == "Bearer secret"


def test_the_collector_is_scheduled_run_and_stopped(environ: Environ, capsys: Captured) -> None:
    run(environ, capsys, "gc", "set-schedule", "Weekly")
    assert run(environ, capsys, "gc", "schedule")["schedule"]["type"] == "Weekly"
    run(environ, capsys, "gc", "run", "--dry-run", "--no-wait")
    (started,) = run(environ, capsys, "gc", "list")
    assert json.loads(run(environ, capsys, "gc", "show", str(started["id"]))["job_parameters"])["dry_run"] is True
    run(environ, capsys, "gc", "stop", str(started["id"]))
    assert run(environ, capsys, "execution", "show", str(started["id"]))["stopping"] is True


def test_the_configuration_is_a_table_for_people(
    environ: Environ, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a password\n"))
    run(environ, capsys, "config", "set-secret", "ldap_search_password", "--password-stdin")
    assert command.main(["config", "show"], environ) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split() == ["KEY", "VALUE", "EDITABLE"]
    assert "a password" not in said


def test_repositories_are_described_and_found(server: Server, environ: Environ, capsys: Captured) -> None:
    digest = server.desk.push_image("ships/cargo", "v1")
    run(environ, capsys, "repo", "describe", "ships", "cargo", "what ships carry")
    assert run(environ, capsys, "repo", "show", "ships", "cargo")["description"] == "what ships carry"
    assert [one["name"] for one in run(environ, capsys, "repo", "list-all")] == ["ships/cargo"]
    assert run(environ, capsys, "repo", "search", "carg")["repository"][0]["repository_name"] == "ships/cargo"
    assert run(environ, capsys, "artifact", "layers", "ships", "cargo", "v1")[0]["size"] == 5
    assert run(environ, capsys, "artifact", "show", "ships", "cargo", digest)["digest"] == digest
    assert command.main(["artifact", "layers", "ships", "cargo", "v1"], environ) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["DIGEST", "SIZE", "TYPE", "CREATED", "BY"]


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/api/roadstead/v1/executions/12", "/api/roadstead/v1/executions/12"),
        ("/api/v2.0/retentions/5/executions/12", "/api/roadstead/v1/executions/12"),
        ("/api/v2.0/system/gc/12", "/api/roadstead/v1/executions/12"),
        ("/api/v2.0/system/gc/schedule", ""),
        ("/api/v2.0/projects/12", ""),
        ("", ""),
    ],
)
def test_work_that_goes_on_is_known_by_its_location(location: str, path: str) -> None:
    assert execution_at(location) == path
