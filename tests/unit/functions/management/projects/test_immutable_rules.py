"""Immutable rules over Harbor's API."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.identity.directory import Role
from roadstead.lifecycle.policy.immutability import MAX_RULES
from tests.unit.functions.management.client import Browser, Desk, basic

RULES = "/api/v2.0/projects/ships/immutabletagrules"


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(
    browser: Browser, method: str, path: str = RULES, document: Any = None, who: str = "ada"
) -> tuple[int, Any, dict[str, str]]:
    return browser.ask(method, path, document, basic(who) if who else {})


def rule(tags: str = "v*", repositories: str = "**", **more: Any) -> dict[str, Any]:
    """As the Terraform provider and Harbor's portal send it."""
    return {
        "action": "immutable",
        "template": "immutable_template",
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": tags}],
        "scope_selectors": {
            "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": repositories}]
        },
        **more,
    }


def test_a_rule_is_created_listed_changed_and_deleted(browser: Browser) -> None:
    status, _, headers = ask(browser, "POST", document=rule(id=99, priority=0, disabled=False))
    assert status == 201
    number = int(headers["location"].removeprefix(f"{RULES}/"))
    status, documents, headers = ask(browser, "GET")
    assert (status, documents, headers["x-total-count"]) == (200, [{"id": number, **rule()}], "1")
    changed = {"id": number, **rule("w*", "a/**", disabled=True, priority=2)}
    assert ask(browser, "PUT", f"{RULES}/{number}", changed)[0] == 200
    assert ask(browser, "GET")[1] == [changed]
    assert ask(browser, "DELETE", f"{RULES}/{number}")[0] == 200
    assert ask(browser, "GET")[1] == []
    assert ask(browser, "DELETE", f"{RULES}/{number}")[0] == 404


def test_each_rule_has_an_id_of_its_own(browser: Browser) -> None:
    places = {ask(browser, "POST", document=rule(f"v{number}"))[2]["location"] for number in range(5)}
    assert len(places) == 5
    assert len(ask(browser, "GET", f"{RULES}?page_size=2&page=2")[1]) == 2


def test_the_selectors_that_exclude_come_back_as_they_were_sent(browser: Browser) -> None:
    sent = rule()
    sent["tag_selectors"][0]["decoration"] = "excludes"
    sent["scope_selectors"]["repository"][0]["decoration"] = "repoExcludes"
    ask(browser, "POST", document=sent)
    ((found,)) = ask(browser, "GET")[1]
    assert {**found, "id": 0} == {**sent, "id": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": "retain"}, "action must be"),
        ({"template": "other"}, "template must be"),
        ({"disabled": "yes"}, "disabled must be"),
        ({"priority": -1}, "priority must be"),
        ({"id": True}, "id must be"),
        ({"tag_selectors": []}, "tag_selectors must be a list"),
        ({"tag_selectors": ["v*"]}, "must be an object"),
        ({"tag_selectors": [{"kind": "label", "decoration": "matches", "pattern": "v*"}]}, "doublestar"),
        ({"tag_selectors": [{"kind": "doublestar", "decoration": "with", "pattern": "v*"}]}, "matches or excludes"),
        ({"tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": ""}]}, "needs a pattern"),
        ({"tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "[a"}]}, "is not a pattern"),
        ({"scope_selectors": []}, "scope_selectors must be an object"),
        ({"scope_selectors": {}}, "scope_selectors.repository must be a list"),
    ],
)
def test_what_is_no_rule_gets_a_sentence(browser: Browser, change: dict[str, Any], message: str) -> None:
    status, document, _ = ask(browser, "POST", document=rule() | change)
    assert status == 400
    assert message in document["errors"][0]["message"]
    assert ask(browser, "GET")[1] == []


def test_the_body_of_a_put_must_have_the_id_of_the_path(browser: Browser) -> None:
    ask(browser, "POST", document=rule())
    assert ask(browser, "PUT", f"{RULES}/17", {"id": 18, **rule()})[0] == 400
    assert ask(browser, "PUT", f"{RULES}/17", {"id": 17, **rule()})[0] == 404
    assert ask(browser, "PUT", f"{RULES}/x", {"id": 17, **rule()})[0] == 400


def test_a_second_rule_of_the_same_selectors_is_a_conflict(browser: Browser) -> None:
    first = ask(browser, "POST", document=rule())[2]["location"].rpartition("/")[2]
    second = ask(browser, "POST", document=rule("w*"))[2]["location"].rpartition("/")[2]
    assert ask(browser, "POST", document=rule(disabled=True))[0] == 409
    assert ask(browser, "PUT", f"{RULES}/{second}", {"id": int(second), **rule()})[0] == 409
    assert ask(browser, "PUT", f"{RULES}/{first}", {"id": int(first), **rule(disabled=True)})[0] == 200


def test_a_project_has_at_most_a_hundred_rules_of_32_kb(browser: Browser) -> None:
    for number in range(MAX_RULES):
        assert ask(browser, "POST", document=rule(f"v{number}"))[0] == 201
    status, document, _ = ask(browser, "POST", document=rule("w"))
    assert (status, "up to 100" in document["errors"][0]["message"]) == (400, True)
    other = RULES.replace("ships", "open")
    for number in range(70):
        status, document, _ = ask(browser, "POST", other, rule(f"{number:03}{'x' * 250}", "y" * 250))
    assert (status, "shorten" in document["errors"][0]["message"]) == (400, True)


def test_maintainers_make_rules_and_developers_do_not_even_see_them(browser: Browser) -> None:
    for role, expected in ((Role.MAINTAINER, 201), (Role.DEVELOPER, 403)):
        browser.desk.accounts.set_member("ships", "bob", role)
        assert ask(browser, "POST", document=rule(f"{role}*"), who="bob")[0] == expected
        assert ask(browser, "GET", who="bob")[0] == (200 if expected == 201 else 403)
    assert ask(browser, "GET", who="")[0] == 401


def test_lists_show_which_tags_are_immutable_and_deleting_those_gets_412(browser: Browser) -> None:
    for tag in ("latest", "v1"):
        digest = browser.desk.push("ships/galleon", tag)
    ask(browser, "POST", document=rule("v*"))
    artifact = f"/api/v2.0/projects/ships/repositories/galleon/artifacts/{digest}"
    shown = {"latest": False, "v1": True}
    for path in (f"{artifact}/tags", "/api/roadstead/v1/projects/ships/repositories/galleon/tags"):
        assert {one["name"]: one["immutable"] for one in ask(browser, "GET", path)[1]} == shown
    for path in (artifact, f"{artifact}?with_tag=true"):
        assert {one["name"]: one["immutable"] for one in ask(browser, "GET", path)[1]["tags"]} == shown
    for path in (artifact, f"{artifact}/tags/v1"):
        status, document, _ = ask(browser, "DELETE", path)
        assert (status, document["errors"][0]["code"]) == (412, "PRECONDITION")
        assert "galleon:v1 is immutable: rule" in document["errors"][0]["message"]
    assert ask(browser, "DELETE", f"{artifact}/tags/latest")[0] == 200
    assert ask(browser, "GET", artifact)[0] == 200


def test_no_way_of_the_api_moves_or_removes_an_immutable_tag(browser: Browser) -> None:
    first = browser.desk.push("ships/galleon", "v1")
    other = browser.desk.push_image("ships/galleon", "latest", layer=b"another")
    elsewhere = browser.desk.push_image("ships/boat", "v1", layer=b"a third")
    ask(browser, "POST", document=rule("v*"))
    repositories = "/api/v2.0/projects/ships/repositories"
    for method, path, document in (
        ("POST", f"{repositories}/galleon/artifacts/{other}/tags", {"name": "v1"}),
        ("POST", f"{repositories}/galleon/artifacts?from=ships/boat:v1", None),
        ("DELETE", f"{repositories}/galleon/artifacts/v1", None),
        ("DELETE", f"{repositories}/galleon", None),
        ("DELETE", f"{repositories}/boat", None),
    ):
        status, answered, headers = ask(browser, method, path, document)
        if status == 202:
            browser.desk.run_executions()
            assert ask(browser, "GET", headers["location"])[1]["status"] == "Error"
        else:
            assert status in (409, 412), (method, path, status, answered)
    for name, digest in (("galleon", first), ("boat", elsewhere)):
        assert ask(browser, "GET", f"{repositories}/{name}/artifacts/v1")[1]["digest"] == digest
