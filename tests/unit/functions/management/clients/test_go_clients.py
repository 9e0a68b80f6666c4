"""Calls of Harbor's own Go programs: the replication adapter, by which a Harbor copies from here and to here, and the
`harbor` command.

Source: goharbor/harbor, src/pkg/reg/adapter/harbor/base/*.go and v2/client.go; goharbor/harbor-cli, pkg/api/*.go.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from roadstead.digest import Digest
from tests.unit.functions.management.client import Browser, Desk, basic
from tests.unit.functions.management.clients.terraform.provider import BOOL, INT, INT32, STRING, TIME, decoded

ADA = basic("ada")
PROJECT = {"project_id": INT, "name": STRING, "registry_id": INT}
ARTIFACT = {
    "id": INT, "type": STRING, "media_type": STRING, "manifest_media_type": STRING, "project_id": INT,
    "repository_id": INT, "digest": STRING, "size": INT, "push_time": TIME, "pull_time": TIME,
    "tags": [{"id": INT, "repository_id": INT, "artifact_id": INT, "name": STRING, "push_time": TIME}],
    "labels": [{"id": INT, "name": STRING}],
    "references": [{"parent_id": INT, "child_id": INT, "child_digest": STRING}],
    "accessories": [{"id": INT, "digest": STRING, "type": STRING}],
}  # fmt: skip


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def get(browser: Browser, path: str, model: Any) -> Any:
    status, said, _ = browser.ask("GET", path, headers=ADA)
    assert status == 200, (path, said)
    return decoded(model, said)


def every_page(browser: Browser, path: str, model: Any) -> list[Any]:
    """GetAndIteratePagination: follows `rel="next"` on the same host."""
    found: list[Any] = []
    while path:
        status, said, headers = browser.ask("GET", path, headers=ADA)
        assert status == 200, (path, said)
        found += decoded([model], said)
        following = re.search(r'<([^>]+)>; rel="next"', headers.get("link", ""))
        path = following[1] if following is not None else ""
    return found


def test_the_adapter_finds_the_version_and_the_labels_that_it_filters_by(browser: Browser) -> None:
    assert get(browser, "/api/version", {"version": STRING}) == {"version": "v2.0"}
    browser.ask("POST", "/api/v2.0/labels", {"name": "stable", "scope": "g"}, ADA)
    assert get(browser, "/api/v2.0/labels?scope=g", [{"name": STRING}]) == [{"name": "stable"}]


@pytest.mark.parametrize("name", ["ships", "2024"])
def test_the_adapter_makes_a_project_that_is_not_there_before_it_pushes(browser: Browser, name: str) -> None:
    """Names are in quotes, so that one of digits is text."""
    quoted = quote_plus(f"name={{'{name}' 'open'}}")

    def existing() -> set[str]:
        found = every_page(browser, f"/api/v2.0/projects?q={quoted}&with_detail=false", PROJECT)
        assert {one["registry_id"] for one in found} == {0}
        return {one["name"] for one in found}

    if name not in existing():
        made = {"project_name": name, "metadata": {"public": "true"}}
        assert browser.ask("POST", "/api/v2.0/projects", made, ADA)[0] == 201
        assert browser.ask("POST", "/api/v2.0/projects", made, ADA)[0] == 409
    assert existing() == {name, "open"}


def test_the_adapter_lists_all_that_it_copies(browser: Browser) -> None:
    desk = browser.desk
    for number in range(23):
        desk.push("ships/cargo/crane", f"v{number}", size=100 + number)
    desk.push("ships/galleon", "v1")
    (ships,) = [one for one in every_page(browser, "/api/v2.0/projects?name=ships", PROJECT) if one["name"] == "ships"]
    assert ships["project_id"] > 0
    repositories = every_page(browser, "/api/v2.0/projects/ships/repositories", {"name": STRING})
    assert [one["name"] for one in repositories] == ["ships/cargo/crane", "ships/galleon"]
    path = f"/api/v2.0/projects/ships/repositories/{quote(quote('cargo/crane', safe=''))}/artifacts"
    found = every_page(browser, f"{path}?with_label=true&with_accessory=true", ARTIFACT)
    assert {tag["name"] for one in found for tag in one["tags"]} == {f"v{number}" for number in range(23)}
    assert len({one["id"] for one in found}) == 23
    one = found[0]
    tags = every_page(browser, f"{path}/{one['digest']}/tags", {"name": STRING})
    assert [tag["name"] for tag in tags] == [tag["name"] for tag in one["tags"]]
    tag = one["tags"][0]["name"]
    assert browser.ask("DELETE", f"{path}/{tag}/tags/{tag}", headers=ADA)[0] == 200


def test_the_adapter_asks_who_has_a_blob(browser: Browser) -> None:
    """It mounts from the repository that is named; without one it uploads."""
    browser.desk.push_image("ships/galleon", "v1", layer=b"hull")
    browser.desk.push_image("ships/sloop", "v1", layer=b"mast")

    def named(digest: str, who: dict[str, str] = ADA) -> Any:
        path = f"/api/v2.0/repositories?q=blob_digest={digest}&page_size=1&page_number=1"
        status, said, _ = browser.ask("GET", path, headers=who)
        return [one["name"] for one in said] if status == 200 else status

    assert named(Digest.of(b"mast")) == ["ships/sloop"]
    assert named(Digest.of(b"keel")) == []
    assert named(Digest.of(b"mast"), basic("eve")) == []  # who may not see the repository
    assert named("latest") == 400


def test_the_command_signs_in_and_shows_the_registry(browser: Browser) -> None:
    user = get(browser, "/api/v2.0/users/current", {"user_id": INT32, "username": STRING, "sysadmin_flag": BOOL})
    assert (user["username"], user["sysadmin_flag"]) == ("ada", True)
    assert browser.ask("GET", "/api/v2.0/ping", headers=ADA)[0] == 200
    assert get(browser, "/api/v2.0/projects?page=1&page_size=1", [PROJECT])[0]["name"]
    assert get(browser, "/api/v2.0/systeminfo", {"harbor_version": STRING, "auth_mode": STRING})["harbor_version"]
    assert get(browser, "/api/v2.0/systeminfo/volumes", {"storage": [{"total": INT, "free": INT}]}) == {"storage": []}
    statistics = get(browser, "/api/v2.0/statistics", {"total_project_count": INT, "private_project_count": INT})
    assert statistics["total_project_count"] == 2
    assert get(browser, "/api/v2.0/health", {"status": STRING})["status"] == "healthy"


def test_the_command_shows_a_project(browser: Browser) -> None:
    number = get(browser, "/api/v2.0/projects/ships", PROJECT)["project_id"]
    summary = get(browser, "/api/v2.0/projects/ships/summary", {"repo_count": INT, "project_admin_count": INT})
    assert summary["repo_count"] == 0
    get(browser, "/api/v2.0/projects/ships/auditlog-exts?page=1&page_size=10", [{"id": INT, "username": STRING}])
    assert browser.ask("GET", "/api/v2.0/projects/ships/metadatas/", headers=ADA)[1]["public"] == "false"
    robots = f"/api/v2.0/robots?page=1&page_size=10&q={quote_plus(f'Level=project,ProjectID={number}')}"
    assert get(browser, robots, [{"id": INT, "name": STRING}]) == []
    found = get(browser, "/api/v2.0/search?q=ship", {"project": [{"project_id": INT32, "name": STRING}]})
    assert [one["name"] for one in found["project"]] == ["ships"]
