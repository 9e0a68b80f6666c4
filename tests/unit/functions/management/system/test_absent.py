"""What Harbor has and this registry has not, and the health of what it has."""

from __future__ import annotations

from typing import Any

import pytest

from functions.management.handlers.system import absent
from functions.management.route import InProject, Route
from tests.unit.functions.management.client import Browser, Desk, basic

LISTS = [one for one in absent.ROUTES if one.handler in (absent._nothing, absent._nothing_in, absent._nothing_named)]
CHANGES = [one for one in absent.ROUTES if one.method != "GET" and one.operation != "putSystemCVEAllowlist"]


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(browser: Browser, who: str, method: str, path: str, document: Any = None) -> Any:
    return browser.ask(method, path, document, basic(who) if who else {})


def path_of(route: Route) -> str:
    return route.template.text.replace("{project}", "ships").replace("{project_name}", "ships").replace("{id}", "1")


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.operation)
def test_a_list_is_empty(browser: Browser, route: Route) -> None:
    status, documents, headers = ask(browser, "ada", "GET", path_of(route))
    assert (status, documents, headers["x-total-count"]) == (200, [], "0")


@pytest.mark.parametrize("route", absent.ROUTES, ids=lambda route: route.operation)
def test_it_is_read_by_whom_harbor_lets(browser: Browser, route: Route) -> None:
    expected = 200 if isinstance(route.needs, InProject) and route.method == "GET" else 403
    assert ask(browser, "bob", route.method, path_of(route), {})[0] == expected
    assert ask(browser, "", route.method, path_of(route), {})[0] == 401


@pytest.mark.parametrize("route", CHANGES, ids=lambda route: route.operation)
def test_a_change_is_unsupported_and_leaves_no_event(browser: Browser, route: Route) -> None:
    before = list(browser.desk.directory.events)
    status, document, _ = ask(browser, "ada", route.method, path_of(route), {"name": "x"})
    (error,) = document["errors"]
    assert (status, error["code"]) == (400, "UNSUPPORTED")
    assert len(error["message"]) > 20
    assert browser.desk.directory.events == before


@pytest.mark.parametrize(
    "operation", ["getRegistry", "getReplicationPolicy", "getScanner", "getPurgeJob", "GetInstance"]
)
def test_one_of_it_is_not_found(browser: Browser, operation: str) -> None:
    (route,) = [one for one in absent.ROUTES if one.operation == operation]
    assert ask(browser, "ada", "GET", path_of(route))[0] == 404


def test_an_empty_list_of_cves_is_accepted_and_no_other(browser: Browser) -> None:
    path = "/api/v2.0/system/CVEAllowlist"
    assert ask(browser, "ada", "PUT", path, {"items": [], "id": 0})[0] == 200
    assert ask(browser, "ada", "PUT", path, {"items": [{"cve_id": "CVE-1"}]})[1]["errors"][0]["code"] == "UNSUPPORTED"
    assert ask(browser, "ada", "GET", path)[1]["items"] == []


def test_health_is_told_to_everybody_and_costs_a_read_a_minute(browser: Browser) -> None:
    reads = browser.desk.configuration.reads
    for _ in range(3):
        status, document, _ = ask(browser, "", "GET", "/api/v2.0/health")
        assert (status, document["status"]) == (200, "healthy")
    assert browser.desk.configuration.reads == reads + 1


def test_a_table_that_cannot_be_read_is_unhealthy(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(browser.desk.configuration, "find_configuration", broken)
    status, document, _ = ask(browser, "", "GET", "/api/v2.0/health")
    assert (status, document["status"]) == (200, "unhealthy")
    assert [one["status"] for one in document["components"]] == ["healthy", "unhealthy"]
    assert "secret" not in str(document)


def test_there_are_no_volumes_and_no_certificate_to_download(browser: Browser) -> None:
    assert ask(browser, "ada", "GET", "/api/v2.0/systeminfo/volumes")[1] == {"storage": []}
    assert ask(browser, "bob", "GET", "/api/v2.0/systeminfo/volumes")[0] == 403
    assert ask(browser, "", "GET", "/api/v2.0/systeminfo/getcert")[0] == 404
