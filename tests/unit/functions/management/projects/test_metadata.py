"""A project's metadata: what is kept, what is refused, one value at a time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.functions.management.client import Browser, Desk, basic

SHIPS = "/api/v2.0/projects/ships"
METADATA = f"{SHIPS}/metadatas/"


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(browser: Browser, method: str, path: str, document: Any = None, who: str = "ada") -> tuple[int, Any]:
    return browser.ask(method, path, document, basic(who))[:2]


def changes(browser: Browser) -> list[str]:
    return [event.detail for event in browser.desk.directory.events if event.operation == "change-project"]


def test_what_asks_for_nothing_is_kept_and_shown(browser: Browser) -> None:
    given = {"auto_scan": "true", "severity": "High", "reuse_sys_cve_allowlist": True, "auto_sbom_generation": "false"}
    assert ask(browser, "PUT", SHIPS, {"metadata": {**given, "unknown": "x", "prevent_vul": "false"}})[0] == 200
    expected = {
        "public": "false",
        "auto_scan": "true",
        "severity": "high",
        "reuse_sys_cve_allowlist": "true",
        "auto_sbom_generation": "false",
    }
    assert ask(browser, "GET", METADATA) == (200, expected)
    assert ask(browser, "GET", SHIPS)[1]["metadata"] == expected
    listed = ask(browser, "GET", "/api/v2.0/projects?name=ships")[1]
    assert listed[0]["metadata"] == expected
    assert ask(browser, "PUT", SHIPS, {"metadata": {**given, "public": "false"}})[0] == 200
    assert len(changes(browser)) == 1  # the second changes nothing


def test_a_new_project_has_its_metadata(browser: Browser) -> None:
    document = {"project_name": "cargo", "metadata": {"public": "true", "auto_scan": "true"}}
    assert ask(browser, "POST", "/api/v2.0/projects", document)[0] == 201
    assert ask(browser, "GET", "/api/v2.0/projects/cargo/metadatas")[1] == {"public": "true", "auto_scan": "true"}


@pytest.mark.parametrize(
    "metadata",
    [
        {"prevent_vul": "true"},
        {"enable_content_trust": True},
        {"proxy_speed_kb": "100"},
        {"severity": "terrible"},
        {"severity": 5},
        {"auto_scan": "perhaps"},
        {"public": []},
        [],
    ],
)
def test_what_would_promise_something_or_cannot_be_is_refused(browser: Browser, metadata: Any) -> None:
    assert ask(browser, "PUT", SHIPS, {"metadata": metadata})[0] == 400
    assert ask(browser, "GET", METADATA)[1] == {"public": "false"}


def test_one_value_is_added_changed_and_removed(browser: Browser) -> None:
    assert ask(browser, "POST", METADATA, {"severity": "low"})[0] == 200
    assert ask(browser, "POST", METADATA, {"severity": "low"})[0] == 409
    assert ask(browser, "POST", METADATA, {"public": "true"})[0] == 409
    assert ask(browser, "PUT", f"{METADATA}severity", {"severity": "high"})[0] == 200
    assert ask(browser, "GET", f"{METADATA}severity") == (200, {"severity": "high"})
    assert ask(browser, "DELETE", f"{METADATA}severity")[0] == 200
    for method, document in (("GET", None), ("PUT", {"severity": "low"}), ("DELETE", None)):
        assert ask(browser, method, f"{METADATA}severity", document)[0] == 404
    assert ask(browser, "PUT", f"{METADATA}public", {"public": "true"})[0] == 200
    assert ask(browser, "DELETE", f"{METADATA}public")[0] == 200
    assert ask(browser, "GET", METADATA)[1] == {"public": "false"}
    assert changes(browser) == ["severity=low", "severity=high", "severity=", "public=true", "public=false"]


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("POST", METADATA, {}),
        ("POST", METADATA, {"severity": "low", "auto_scan": "true"}),
        ("POST", METADATA, {"unknown": "x"}),
        ("POST", METADATA, {"prevent_vul": "true"}),
        ("PUT", f"{METADATA}public", {"severity": "low"}),
        ("PUT", f"{METADATA}public", {"public": "perhaps"}),
    ],
)
def test_a_value_that_cannot_be_is_refused(browser: Browser, method: str, path: str, document: Any) -> None:
    assert ask(browser, method, path, document)[0] == 400
    assert changes(browser) == []


def test_metadata_is_changed_by_a_projects_administrators(browser: Browser) -> None:
    for method, path, document in (
        ("POST", METADATA, {"severity": "low"}),
        ("PUT", f"{METADATA}public", {"public": "true"}),
        ("DELETE", f"{METADATA}public", None),
    ):
        assert ask(browser, method, path, document, "bob")[0] == 403
