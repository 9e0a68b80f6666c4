"""Executions as each caller sees them, and their end before its time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.management.handlers.system import executions as executions_module
from roadstead.http import Request
from roadstead.identity.directory import Role
from roadstead.lifecycle.executions.executions import Execution, LogPart, Status, Task
from roadstead.trail.entries import Actor, Operation
from tests.unit.functions.management.client import Browser, Desk, basic

PATH = "/api/roadstead/v1/executions"


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def start(browser: Browser, *, scope: str = "ships", by: str = "bob") -> Execution:
    return browser.desk.services.starter.start("copy", scope, {"secret": "s"}, actor=Actor(by))


def test_an_execution_says_how_far_it_is(browser: Browser) -> None:
    one = start(browser)
    status, document, _ = browser.ask("GET", f"{PATH}/{one.id}", headers=basic("bob"))
    assert status == 200
    assert document == {
        "id": one.id,
        "kind": "copy",
        "project": "ships",
        "trigger": "MANUAL",
        "requested_by": "bob",
        "status": "Pending",
        "stopping": False,
        "created": "2027-01-15T08:00:00.000Z",
        "started": None,
        "ended": None,
        "progress": {},
        "message": "",
    }
    store = browser.desk.executions
    was = replace(one, version=1)
    store.save(was, replace(was, status=Status.ERROR, ended=one.created, progress={"tags": 2}, message="no"))
    document = browser.ask("GET", f"{PATH}/{one.id}", headers=basic("bob"))[1]
    assert (document["status"], document["progress"], document["message"]) == ("Error", {"tags": 2}, "no")


@pytest.mark.parametrize(
    ("who", "role", "status"),
    [
        ("ada", None, 200),
        ("bob", None, 404),
        ("eve", None, 404),
        ("eve", Role.DEVELOPER, 404),
        ("eve", Role.MAINTAINER, 200),
        ("", None, 401),
    ],
)
def test_an_execution_is_seen_by_its_starter_and_by_who_may_delete_repositories(
    browser: Browser, who: str, role: Role | None, status: int
) -> None:
    if role is not None:
        browser.desk.accounts.set_member("ships", who, role)
    one = start(browser, by="carl")
    headers = basic(who) if who else {}
    for path in ("", "/tasks"):
        assert browser.ask("GET", f"{PATH}/{one.id}{path}", headers=headers)[0] == status
    assert browser.ask("POST", f"{PATH}/{one.id}/stop", headers=headers)[0] == (202 if status == 200 else status)


def test_an_execution_of_the_registry_is_for_system_administrators(browser: Browser) -> None:
    one = start(browser, scope="", by="ada")
    assert browser.ask("GET", f"{PATH}/{one.id}", headers=basic("ada"))[0] == 200
    assert browser.ask("GET", f"{PATH}/{one.id}", headers=basic("bob"))[0] == 404


@pytest.mark.parametrize("text", ["0", "17", "x", "1" * 40, "-1", "%20"])
def test_an_unknown_execution_is_not_found(browser: Browser, text: str) -> None:
    assert browser.ask("GET", f"{PATH}/{text}", headers=basic("ada"))[0] == 404


def test_stopping_leaves_one_event_and_is_refused_once_it_is_over(browser: Browser) -> None:
    one = start(browser)
    assert browser.ask("POST", f"{PATH}/{one.id}/stop", headers=basic("bob"))[0] == 202
    assert browser.ask("GET", f"{PATH}/{one.id}", headers=basic("bob"))[1]["stopping"]
    operations = [event.operation for event in browser.desk.executions.events]
    assert operations == [Operation.START_EXECUTION, Operation.STOP_EXECUTION]
    stopped = browser.desk.executions.events[-1]
    assert (stopped.project, stopped.actor.name) == ("ships", "bob")
    assert str(one.id) in stopped.detail
    was = browser.desk.executions.find(one.id)
    assert was is not None
    browser.desk.executions.save(was, replace(was, status=Status.STOPPED, ended=was.created))
    assert browser.ask("POST", f"{PATH}/{one.id}/stop", headers=basic("bob"))[0] == 409


def test_tasks_come_in_pages_and_have_logs(browser: Browser) -> None:
    one = start(browser)
    tasks = [Task(number, f"ships/{number}", Status.SUCCESS, one.created, one.created) for number in range(1, 102)]
    was = replace(one, version=1)
    browser.desk.executions.save(was, was, tasks=tasks, logs=[LogPart(7, 0, "a line\n")])
    path, headers = f"{PATH}/{one.id}/tasks", basic("bob")
    status, page, answered = browser.ask("GET", path, headers=headers)
    assert (status, len(page), page[0]["name"]) == (200, 100, "ships/1")
    assert answered["link"] == f'<{path}?after=100>; rel="next"'
    assert [task["number"] for task in browser.ask("GET", f"{path}?after=100", headers=headers)[1]] == [101]
    assert browser.ask("GET", f"{path}?after=x", headers=headers)[0] == 400
    assert browser.ask("GET", f"{path}/7/log", headers=headers)[0] == 200
    assert browser.ask("GET", f"{path}/8/log", headers=headers)[0] == 200
    assert browser.ask("GET", f"{path}/999/log", headers=headers)[0] == 404


def test_a_log_that_is_too_long_for_a_response_comes_in_several(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions_module, "MAX_SHOWN_LOG", 20)
    one = start(browser)
    tasks = [Task(1, "ships/galleon", Status.SUCCESS, one.created, one.created)]
    lines = [f"line {number} of it\n" for number in range(5)]  # 13 bytes each; the third is longer than a response
    lines[2] = "x" * 30 + "\n"
    was = replace(one, version=1)
    browser.desk.executions.save(was, was, tasks=tasks, logs=[LogPart(1, at, line) for at, line in enumerate(lines)])
    path, headers, read = f"{PATH}/{one.id}/tasks/1/log", {"authorization": basic("bob")["Authorization"]}, ""
    query: tuple[tuple[str, str], ...] = ()
    for number in range(5):
        response = browser.desk.ask(Request("GET", path, query, tuple(headers.items())))
        text, _, said = response.body.decode().partition("(")
        goes_on = number < 4
        assert said == (f"this log goes on: ask for it with ?after={number})\n" if goes_on else "")
        assert dict(response.headers).get("Link") == (f'<{path}?after={number}>; rel="next"' if goes_on else None)
        read, query = read + text, (("after", str(number)),)
    assert read == "".join(lines)
    assert browser.ask("GET", f"{path}?after=x", headers=headers)[0] == 400
