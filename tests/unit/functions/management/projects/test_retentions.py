"""Retention over Harbor's API: rules, runs, tasks and logs; and what rules would do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.management.harbor.retention import METADATA
from roadstead.identity.directory import Role
from roadstead.lifecycle.executions.executions import LogPart, Status, Task
from roadstead.lifecycle.retention.policies import MAX_PREVIEWED
from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import Browser, Desk, basic

RETENTIONS = "/api/v2.0/retentions"
PREVIEW = "/api/roadstead/v1/projects/ships/retention/preview"
EVE = basic("eve")


@pytest.fixture
def browser() -> Browser:
    browser = Browser(Desk())
    browser.desk.accounts.set_member("ships", "eve", Role.DEVELOPER)
    return browser


def project_id(browser: Browser, name: str = "ships") -> int:
    found = browser.ask("GET", f"/api/v2.0/projects/{name}", headers=basic("ada"))[1]["project_id"]
    assert isinstance(found, int)
    return found


def policy(browser: Browser, *rules: Any, cron: str = "") -> dict[str, Any]:
    """As Terraform's provider sends it."""
    return {
        "algorithm": "or",
        "scope": {"level": "project", "ref": project_id(browser)},
        "trigger": {"kind": "Schedule", "settings": {"cron": cron}, "references": {}},
        "rules": list(rules),
    }


def rule(template: str = "latestPushedK", number: int | None = 1, **more: Any) -> dict[str, Any]:
    return {
        "action": "retain",
        "template": template,
        "params": {template: number} if number is not None else {},
        "tag_selectors": [
            {"kind": "doublestar", "decoration": "matches", "pattern": "**", "extras": '{"untagged":true}'}
        ],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
        **more,
    }


def create(browser: Browser, *rules: Any, cron: str = "") -> str:
    status, _, headers = browser.ask("POST", RETENTIONS, policy(browser, *rules, cron=cron), EVE)
    assert status == 201
    assert headers["location"] == f"{RETENTIONS}/{project_id(browser)}"
    return headers["location"]


def test_a_policy_comes_back_as_it_was_sent(browser: Browser) -> None:
    sent = [rule(number=3), rule("always", None, disabled=True), rule("nDaysSinceLastPull", 7)]
    path = create(browser, *sent, cron="0 0 3 * * *")
    status, document, _ = browser.ask("GET", path, headers=EVE)
    assert (status, document["id"], document["algorithm"]) == (200, project_id(browser), "or")
    assert document["scope"] == {"level": "project", "ref": project_id(browser)}
    settings = document["trigger"]["settings"]
    assert settings == {"cron": "0 0 3 * * *", "next_scheduled_time": "2027-01-16T03:00:00.000Z"}
    for got, wanted in zip(document["rules"], sent, strict=True):
        for name in ("template", "params", "tag_selectors", "scope_selectors", "action"):
            assert got[name] == wanted[name]
    assert [one["disabled"] for one in document["rules"]] == [False, True, False]


def test_a_project_shows_the_id_of_its_rules_wherever_its_metadata_are_shown(browser: Browser) -> None:
    browser.desk.accounts.create_project("cargo")
    browser.desk.accounts.set_member("cargo", "eve", Role.ADMIN)
    browser.desk.accounts.set_member("ships", "eve", Role.ADMIN)

    def shown() -> list[object]:
        one = browser.ask("GET", "/api/v2.0/projects/ships", headers=EVE)[1]
        every = browser.ask("GET", "/api/v2.0/projects", headers=EVE)[1]
        listed = [one for one in every if one["name"] in ("cargo", "ships")]
        metadata = browser.ask("GET", "/api/v2.0/projects/ships/metadatas", headers=EVE)[1]
        status, value, _ = browser.ask("GET", "/api/v2.0/projects/ships/metadatas/retention_id", headers=EVE)
        places = [one["metadata"], *(one["metadata"] for one in listed), metadata, value if status == 200 else {}]
        return [place.get("retention_id") for place in places]

    assert shown() == [None] * 5
    path, id_ = create(browser, rule()), str(project_id(browser))
    assert shown() == [id_, None, id_, id_, id_]
    document = {"metadata": {"retention_id": "7"}}
    assert browser.ask("PUT", "/api/v2.0/projects/cargo", document, EVE)[0] == 200
    assert shown() == [id_, None, id_, id_, id_]
    assert browser.ask("DELETE", path, headers=EVE)[0] == 200
    assert shown() == [None] * 5


def test_a_second_policy_is_refused_and_the_first_can_be_replaced_and_removed(browser: Browser) -> None:
    path = create(browser, rule(), cron="0 0 3 * * *")
    assert browser.ask("POST", RETENTIONS, policy(browser), EVE)[0] == 400
    assert browser.ask("PUT", path, policy(browser), EVE)[0] == 200
    document = browser.ask("GET", path, headers=EVE)[1]
    assert (document["rules"], document["trigger"]["settings"]) == ([], {"cron": ""})
    assert browser.ask("DELETE", path, headers=EVE)[0] == 200
    for method in ("GET", "DELETE"):
        assert browser.ask(method, path, headers=EVE)[0] == 404
    assert browser.ask("PUT", path, policy(browser), EVE)[0] == 404
    changes = [one.detail for one in browser.desk.index.events if one.operation is Operation.CHANGE_RETENTION]
    assert changes == ["rules=1 cron=0 0 3 * * *", "rules=0 cron=none", "rules=none"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"algorithm": "and"}, 400),
        ({"rules": {}}, 400),
        ({"rules": [{"template": "none"}]}, 400),
        ({"rules": [rule(number=-1)]}, 400),
        ({"rules": [rule(params={"latestPushedK": "1"})]}, 400),
        ({"rules": [rule(action="delete")]}, 400),
        ({"rules": [rule(tag_selectors=[{"kind": "label"}])]}, 400),
        ({"rules": [rule(tag_selectors=[{"kind": "doublestar", "decoration": "matches", "pattern": "[a"}])]}, 400),
        ({"rules": [rule(scope_selectors={"project": []})]}, 400),
        ({"rules": [rule(), rule()]}, 409),
        ({"rules": [rule(number=n) for n in range(16)]}, 400),
        ({"trigger": {"settings": {"cron": "daily"}}}, 400),
        ({"scope": {"level": "system", "ref": 1}}, 400),
        ({"scope": None}, 400),
    ],
)
def test_a_policy_that_cannot_be_is_refused(browser: Browser, change: dict[str, Any], status: int) -> None:
    assert browser.ask("POST", RETENTIONS, {**policy(browser), **change}, EVE)[0] == status


@pytest.mark.parametrize(("who", "status"), [("ada", 200), ("eve", 200), ("bob", 403), ("", 401)])
def test_rules_are_for_those_who_may_read_them(browser: Browser, who: str, status: int) -> None:
    path, headers = create(browser, rule()), basic(who) if who else {}
    for part in ("", "/executions"):
        assert browser.ask("GET", path + part, headers=headers)[0] == status
    assert browser.ask("POST", PREVIEW, policy(browser), headers)[0] == status


def test_an_unknown_id_is_not_found_for_administrators_and_forbidden_for_others(browser: Browser) -> None:
    for id_ in ("1", "0", "x", "9" * 30):
        assert browser.ask("GET", f"{RETENTIONS}/{id_}", headers=basic("ada"))[0] == 404
        assert browser.ask("GET", f"{RETENTIONS}/{id_}", headers=EVE)[0] == 403


def test_templates_and_selectors_are_listed(browser: Browser) -> None:
    assert browser.ask("GET", f"{RETENTIONS}/metadatas", headers=basic("bob"))[1] == METADATA


def test_a_run_is_started_listed_read_and_stopped(browser: Browser) -> None:
    path = create(browser, rule())
    status, _, headers = browser.ask("POST", f"{path}/executions", {"dry_run": True}, EVE)
    assert status == 201
    assert browser.ask("POST", f"{path}/executions", {"dry_run": True}, EVE)[0] == 409
    id_ = int(headers["location"].rpartition("/")[2])
    status, listed, answered = browser.ask("GET", f"{path}/executions", headers=EVE)
    assert (status, answered["x-total-count"]) == (200, "1")
    (one,) = listed
    assert (one["id"], one["status"], one["dry_run"], one["trigger"]) == (id_, "Pending", True, "Manual")
    found = browser.desk.executions.find(id_)
    assert found is not None
    task = Task(1, "ships/a/b", Status.SUCCESS, found.created, found.created, {"total": 3, "retained": 2})
    browser.desk.executions.save(found, found, tasks=[task], logs=[LogPart(1, 0, "KEEP v1\n")])
    tasks = browser.ask("GET", f"{headers['location']}/tasks", headers=EVE)[1]
    assert [(one["repository"], one["total"], one["retained"], one["status_code"]) for one in tasks] == [
        ("a/b", 3, 2, 3)
    ]
    assert browser.ask("GET", f"{headers['location']}/tasks/1", headers=EVE)[0] == 200
    assert browser.ask("GET", f"{headers['location']}/tasks/2", headers=EVE)[0] == 404
    assert browser.ask("PATCH", headers["location"], {"action": "pause"}, EVE)[0] == 400
    assert browser.ask("PATCH", headers["location"], {"action": "stop"}, EVE)[0] == 200
    assert browser.ask("PATCH", f"{path}/executions/17", {"action": "stop"}, EVE)[0] == 404


def test_a_preview_says_of_every_artifact_why_it_stays_or_goes(browser: Browser) -> None:
    browser.desk.push("ships/galleon", "v1", size=1)
    second = browser.desk.push("ships/galleon", "v2", size=2)
    browser.desk.push("ships/other", "v1", size=3)
    only = {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "galleon"}]}
    status, found, _ = browser.ask("POST", PREVIEW, policy(browser, rule(scope_selectors=only)), EVE)
    assert status == 200
    galleon, other = found
    assert [(one["tags"], one["keep"]) for one in galleon["artifacts"]] == [(["v2"], True), (["v1"], False)]
    assert galleon["artifacts"][0]["digest"] == second
    assert (
        galleon["artifacts"][1]["reason"] == "rule 1: it is number 2 of the most recently pushed, of which 1 are kept"
    )
    (why,) = galleon["artifacts"][1]["reasons"]
    assert why == {"cause": "push-rank", "rule": 1, "rank": 2, "most": 1}
    assert [(one["keep"], one["reason"]) for one in other["artifacts"]] == [(True, "no rule selects the repository")]
    assert other["artifacts"][0]["reasons"] == [{"cause": "no-rule"}]
    assert browser.ask("POST", PREVIEW, headers=EVE)[0] == 404  # the project has no rules of its own
    create(browser, rule())
    assert [len(one["artifacts"]) for one in browser.ask("POST", PREVIEW, headers=EVE)[1]] == [2, 1]


def test_regular_expressions_come_back_as_they_were_sent_and_work_in_a_preview(browser: Browser) -> None:
    for tag in ("v1.2", "v1.2-rc1"):
        browser.desk.push("ships/galleon", tag, size=len(tag))
    tags = [{"kind": "regexp", "decoration": "matches", "pattern": r"v\d+\.\d+"}]
    repositories = {"repository": [{"kind": "regexp", "decoration": "repoExcludes", "pattern": "old-.*"}]}
    sent = rule("always", None, tag_selectors=tags, scope_selectors=repositories)
    path = create(browser, sent)
    (got,) = browser.ask("GET", path, headers=EVE)[1]["rules"]
    assert (got["tag_selectors"], got["scope_selectors"]) == (tags, repositories)
    (galleon,) = browser.ask("POST", PREVIEW, headers=EVE)[1]
    assert {one["tags"][0]: one["keep"] for one in galleon["artifacts"]} == {"v1.2": True, "v1.2-rc1": False}


@pytest.mark.parametrize("pattern", [r"(v)\1", "(?=v).*", "^v1$", "(a{100}){100}", "(", "a b", ""])
def test_an_expression_that_cannot_be_is_refused_with_a_sentence(browser: Browser, pattern: str) -> None:
    tags = [{"kind": "regexp", "decoration": "matches", "pattern": pattern}]
    for path in (RETENTIONS, PREVIEW):
        status, document, _ = browser.ask("POST", path, policy(browser, rule(tag_selectors=tags)), EVE)
        assert status == 400
        assert "is not a regular expression that rules can have: " in document["errors"][0]["message"]


def test_a_preview_of_too_many_tags_asks_for_a_dry_run(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roadstead.lifecycle.retention.policies.MAX_PREVIEWED", 1)
    for tag in ("v1", "v2"):
        browser.desk.push("ships/galleon", tag)
    status, document, _ = browser.ask("POST", PREVIEW, policy(browser), EVE)
    assert status == 400
    assert "dry run" in document["errors"][0]["message"]
    assert MAX_PREVIEWED == 5_000


def test_a_preview_of_more_than_fits_in_a_response_is_refused(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.desk.push("ships/galleon", "v1", size=1)
    size = len(json.dumps(browser.ask("POST", PREVIEW, policy(browser, rule()), EVE)[1], separators=(",", ":")))
    monkeypatch.setattr("functions.management.handlers.projects.retentions.MAX_PREVIEW", size)
    assert browser.ask("POST", PREVIEW, policy(browser, rule()), EVE)[0] == 200
    monkeypatch.setattr("functions.management.handlers.projects.retentions.MAX_PREVIEW", size - 1)
    status, refused, _ = browser.ask("POST", PREVIEW, policy(browser, rule()), EVE)
    assert (status, "dry run" in refused["errors"][0]["message"]) == (400, True)
