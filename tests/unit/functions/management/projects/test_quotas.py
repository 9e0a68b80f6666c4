"""Quotas over Harbor's API and ours."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.names import ProjectName
from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import Browser, Desk, basic

QUOTAS = "/api/v2.0/quotas"
GIB = 1024**3


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(
    browser: Browser, method: str, path: str, document: Any = None, who: str = "ada"
) -> tuple[int, Any, dict[str, str]]:
    return browser.ask(method, path, document, basic(who) if who else {})


def id_of(browser: Browser, project: str) -> int:
    found = browser.desk.accounts.find_project(ProjectName(project))
    assert found is not None
    return found.id


def test_every_project_has_a_quota_with_its_own_id(browser: Browser) -> None:
    browser.desk.index.used["ships"] = 5
    number = id_of(browser, "ships")
    status, document, _ = ask(browser, "GET", f"{QUOTAS}/{number}")
    assert status == 200
    assert document | {"creation_time": "", "update_time": ""} == {
        "id": number,
        "ref": {"id": number, "name": "ships", "owner_name": ""},
        "hard": {"storage": -1},
        "used": {"storage": 5},
        "creation_time": "",
        "update_time": "",
    }
    assert ask(browser, "GET", f"{QUOTAS}/1")[0] == 404
    assert ask(browser, "GET", f"{QUOTAS}/x")[0] == 400


def test_quotas_are_listed_page_by_page_until_an_empty_one(browser: Browser) -> None:
    """As the Terraform provider does it, with the slash."""
    status, documents, headers = ask(browser, "GET", f"{QUOTAS}/?page=1&page_size=100")
    assert (status, headers["x-total-count"]) == (200, "2")
    assert {one["ref"]["name"] for one in documents} == {"ships", "open"}
    assert ask(browser, "GET", f"{QUOTAS}/?page=2&page_size=100")[1] == []
    assert len(ask(browser, "GET", f"{QUOTAS}?page_size=1&page=2")[1]) == 1


def test_quotas_are_found_by_their_project_and_sorted(browser: Browser) -> None:
    ships, browser.desk.index.used["open"] = id_of(browser, "ships"), 7
    found = ask(browser, "GET", f"{QUOTAS}?reference=project&reference_id={ships}")
    assert [one["id"] for one in found[1]] == [ships]
    assert ask(browser, "GET", f"{QUOTAS}?reference=registry")[1] == []
    for sort, first in (("used.storage", "ships"), ("-used.storage", "open")):
        assert ask(browser, "GET", f"{QUOTAS}?sort={sort}")[1][0]["ref"]["name"] == first


def test_a_quota_is_changed_with_one_event(browser: Browser) -> None:
    number = id_of(browser, "ships")
    for _ in range(2):
        assert ask(browser, "PUT", f"{QUOTAS}/{number}", {"hard": {"storage": GIB}})[0] == 200
    assert ask(browser, "GET", f"{QUOTAS}/{number}")[1]["hard"] == {"storage": GIB}
    events = [event for event in browser.desk.index.events if event.operation is Operation.CHANGE_QUOTA]
    assert [(event.project, event.detail, event.actor.name) for event in events] == [("ships", f"storage={GIB}", "ada")]
    assert ask(browser, "PUT", f"{QUOTAS}/{number}", {"hard": {"storage": -1}})[0] == 200
    assert ask(browser, "GET", f"{QUOTAS}/{number}")[1]["hard"] == {"storage": -1}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"hard": {}},
        {"hard": 5},
        {"hard": {"count": 5}},
        *({"hard": {"storage": one}} for one in (0, -2, True, "1", 2**60, None)),
    ],
)
def test_what_is_no_limit_gets_400(browser: Browser, document: Any) -> None:
    assert ask(browser, "PUT", f"{QUOTAS}/{id_of(browser, 'ships')}", document)[0] == 400


def test_a_project_is_created_with_its_quota(browser: Browser) -> None:
    projects = "/api/v2.0/projects"
    assert ask(browser, "POST", projects, {"project_name": "small", "storage_limit": GIB})[0] == 201
    assert ask(browser, "POST", projects, {"project_name": "large", "storage_limit": -1})[0] == 201
    assert ask(browser, "POST", projects, {"project_name": "none", "storage_limit": -2})[0] == 400
    browser.desk.index.used["small"] = 9
    _, summary, _ = ask(browser, "GET", f"{projects}/small/summary")
    assert summary["quota"] == {"hard": {"storage": GIB}, "used": {"storage": 9}}
    assert ask(browser, "GET", f"{projects}/large/summary")[1]["quota"]["hard"] == {"storage": -1}


def test_a_project_created_without_a_limit_gets_the_configured_one(browser: Browser) -> None:
    assert ask(browser, "PUT", "/api/v2.0/configurations", {"storage_per_project": GIB})[0] == 200
    browser.desk.now += 61
    for name, limit in (("small", {}), ("none", {"storage_limit": 0})):
        assert ask(browser, "POST", "/api/v2.0/projects", {"project_name": name, **limit})[0] == 201
        assert ask(browser, "GET", f"{QUOTAS}/{id_of(browser, name)}")[1]["hard"] == {"storage": GIB}


@pytest.mark.parametrize("limit", [-1, 2 * GIB])
def test_who_is_no_administrator_cannot_choose_the_quota_of_a_new_project(browser: Browser, limit: int) -> None:
    changed = {"project_creation_restriction": "everyone", "storage_per_project": GIB}
    assert ask(browser, "PUT", "/api/v2.0/configurations", changed)[0] == 200
    browser.desk.now += 61
    document = {"project_name": "small", "storage_limit": limit}
    assert ask(browser, "POST", "/api/v2.0/projects", document, who="eve")[0] == 201
    assert ask(browser, "GET", f"{QUOTAS}/{id_of(browser, 'small')}")[1]["hard"] == {"storage": GIB}


def test_only_system_administrators_see_and_change_quotas(browser: Browser) -> None:
    number = id_of(browser, "ships")
    for method, path in (("GET", QUOTAS), ("GET", f"{QUOTAS}/{number}"), ("PUT", f"{QUOTAS}/{number}")):
        assert ask(browser, method, path, who="bob")[0] == 403
        assert ask(browser, method, path, who="")[0] == 401


def test_our_own_api_limits_repositories_and_artifacts_too(browser: Browser) -> None:
    own = "/api/roadstead/v1/projects/ships/quota"
    browser.desk.push("ships/galleon", "v1")
    browser.desk.index.used["ships"] = 100
    assert ask(browser, "PUT", own, {"repositories": 5, "artifacts": 100})[0] == 200
    assert ask(browser, "PUT", own, {"storage": GIB})[0] == 200
    status, document, _ = ask(browser, "GET", own, who="bob")
    assert (status, document) == (
        200,
        {
            "storage": {"limit": GIB, "used": 100, "hard": False},
            "repositories": {"limit": 5, "used": 1},
            "artifacts": {"limit": 100, "used": 1},
        },
    )
    assert ask(browser, "PUT", own, {"hard": True})[0] == 200
    assert ask(browser, "GET", own)[1]["storage"] == {"limit": GIB, "used": 100, "hard": True}
    assert ask(browser, "PUT", own, {"hard": 1})[0] == 400
    assert ask(browser, "PUT", own, {})[0] == 400
    assert ask(browser, "PUT", own, {"artifacts": 0})[0] == 400
    assert ask(browser, "PUT", own, {"artifacts": 9}, who="bob")[0] == 403
    assert ask(browser, "PUT", own.replace("ships", "absent"), {"artifacts": 9})[0] == 404
