"""Repositories, pages of tags, and search, as each caller sees them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from roadstead.lifecycle.deletion.repositories import KIND, RepositoryDeletionWork
from roadstead.lifecycle.executions.executions import Status
from roadstead.lifecycle.executions.runner import Runner
from roadstead.trail.events import EventMaker
from tests.unit.functions.management.client import Browser, Desk, basic

REPOSITORIES = "/api/v2.0/projects/ships/repositories"
TAGS = "/api/roadstead/v1/projects/ships/repositories/galleon/tags"


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(browser: Browser, who: str, path: str) -> tuple[int, Any, dict[str, str]]:
    return browser.ask("GET", path, None, basic(who) if who else {})


def walk(browser: Browser, path: str) -> list[str]:
    """Follow `Link` from page to page; return the names of the tags."""
    names: list[str] = []
    while path:
        status, rows, headers = ask(browser, "bob", path)
        assert status == 200
        names += [row["name"] for row in rows]
        found = re.search(r'<([^>]+)>; rel="next"', headers.get("link", ""))
        path = found[1] if found else ""
    return names


def test_a_projects_repositories_are_listed_with_their_counts(browser: Browser) -> None:
    for repository, tag in [("ships/galleon", "v1"), ("ships/galleon", "v2"), ("ships/a/b", "v1"), ("open/boat", "v1")]:
        browser.desk.push(repository, tag)
    status, documents, headers = ask(browser, "bob", REPOSITORIES)
    assert (status, headers["x-total-count"]) == (200, "2")
    assert [(one["name"], one["artifact_count"]) for one in documents] == [("ships/a/b", 1), ("ships/galleon", 1)]
    assert [one["name"] for one in ask(browser, "bob", f"{REPOSITORIES}?q=name%3D~GAL")[1]] == ["ships/galleon"]


@pytest.mark.parametrize("path", ["a%252Fb", "a%2Fb", "a/b"])
def test_a_repository_is_found_by_its_name_in_every_encoding(browser: Browser, path: str) -> None:
    browser.desk.push("ships/a/b", "v1")
    status, document, _ = ask(browser, "bob", f"{REPOSITORIES}/{path}")
    assert (status, document["name"]) == (200, "ships/a/b")


@pytest.mark.parametrize("path", ["absent", "..%2Fopen%2Fboat", "%2E%2E/open/boat", "Galleon"])
def test_a_repository_that_is_not_of_the_project_is_not_found(browser: Browser, path: str) -> None:
    browser.desk.push("open/boat", "v1")
    assert ask(browser, "bob", f"{REPOSITORIES}/{path}")[0] == 404


@pytest.mark.parametrize(("who", "status"), [("ada", 200), ("bob", 200), ("eve", 403), ("", 401)])
def test_a_private_projects_repositories_are_for_its_members(browser: Browser, who: str, status: int) -> None:
    browser.desk.push("ships/galleon", "v1")
    for path in (REPOSITORIES, f"{REPOSITORIES}/galleon", TAGS):
        assert ask(browser, who, path)[0] == status


def test_a_path_with_a_projects_name_takes_no_id(browser: Browser) -> None:
    browser.desk.accounts.create_project("2024")
    assert ask(browser, "ada", "/api/v2.0/projects/2024/repositories")[:2] == (200, [])


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-pushed", ["b", "c", "a"]),
        ("pushed", ["a", "c", "b"]),
        ("name", ["a", "b", "c"]),
        ("-name", ["c", "b", "a"]),
    ],
)
def test_pages_of_tags_lead_through_all_of_them_in_every_order(
    browser: Browser, sort: str, expected: list[str]
) -> None:
    for size, tag in enumerate(("a", "c", "b")):
        browser.desk.push("ships/galleon", tag, size=100 + size)
    assert walk(browser, f"{TAGS}?sort={sort}&limit=1") == expected
    assert walk(browser, f"{TAGS}?sort={sort}&limit=2") == expected
    assert ask(browser, "bob", f"{TAGS}?sort={sort}")[2]["x-total-count"] == "3"


def test_a_prefix_keeps_the_tags_that_begin_so(browser: Browser) -> None:
    for tag in ("v1.0", "v1.1", "v2.0"):
        browser.desk.push("ships/galleon", tag)
    assert walk(browser, f"{TAGS}?sort=name&prefix=v1&limit=1") == ["v1.0", "v1.1"]


def test_a_tag_says_what_it_is_and_who_pushed_it(browser: Browser) -> None:
    digest = browser.desk.push("ships/galleon", "v1")
    (row,) = ask(browser, "bob", TAGS)[1]
    assert (row["name"], row["digest"], row["pushed_by"]) == ("v1", digest, "ada")
    assert row["push_time"] == "2027-01-15T08:00:01.000Z"
    assert (row["size"], row["pull_count"], row["pull_time"]) == (None, 0, None)  # the indexer has not come to it


@pytest.mark.parametrize("query", ["sort=size", "limit=0", "limit=51", "limit=x", "prefix=v1", f"after={'x' * 200}"])
def test_a_page_that_cannot_be_is_a_bad_request(browser: Browser, query: str) -> None:
    browser.desk.push("ships/galleon", "v1")
    assert ask(browser, "bob", f"{TAGS}?{query}")[0] == 400


def test_tags_of_an_absent_repository_are_not_found(browser: Browser) -> None:
    assert ask(browser, "bob", TAGS)[0] == 404


@pytest.mark.parametrize(
    ("who", "projects", "repositories"),
    [
        ("ada", ["open", "ships"], ["open/ship", "ships/galleon"]),
        ("bob", ["open", "ships"], ["open/ship", "ships/galleon"]),
        ("eve", ["open"], ["open/ship"]),
        ("", ["open"], ["open/ship"]),
    ],
)
def test_search_finds_what_the_caller_may_see(
    browser: Browser, who: str, projects: list[str], repositories: list[str]
) -> None:
    browser.desk.push("ships/galleon", "v1")
    browser.desk.push("open/ship", "v1")
    found = ask(browser, who, "/api/v2.0/search?q=")[1]
    assert [one["name"] for one in found["project"]] == projects
    assert [one["repository_name"] for one in found["repository"]] == repositories
    found = ask(browser, who, "/api/v2.0/search?q=SHIP")[1]
    assert [one["repository_name"] for one in found["repository"]] == repositories
    assert ask(browser, who, f"/api/v2.0/search?q={'x' * 300}")[0] == 400


def change(browser: Browser, who: str, document: Any, path: str = f"{REPOSITORIES}/galleon") -> int:
    return browser.ask("PUT", path, document, basic(who))[0]


def test_a_repository_gets_a_description(browser: Browser) -> None:
    browser.desk.push("ships/galleon", "v1")
    assert change(browser, "ada", {"description": "Three masts.", "name": "ignored"}) == 200
    assert ask(browser, "bob", f"{REPOSITORIES}/galleon")[1]["description"] == "Three masts."
    assert ask(browser, "bob", f"{REPOSITORIES}?q=description%3D~mast")[1][0]["name"] == "ships/galleon"
    event = browser.desk.index.events[-1]
    assert (event.operation, event.repository, event.actor.name) == ("change-repository", "ships/galleon", "ada")
    assert change(browser, "ada", {}) == 200
    assert ask(browser, "bob", f"{REPOSITORIES}/galleon")[1]["description"] == ""
    assert change(browser, "ada", {"description": "x" * 2_049}) == 400
    assert change(browser, "ada", {"description": 1}) == 400
    assert change(browser, "ada", {"description": "x"}, f"{REPOSITORIES}/absent") == 404
    assert change(browser, "bob", {"description": "x"}) == 403


def test_repositories_of_all_projects_are_listed_as_far_as_the_caller_may_see_them(browser: Browser) -> None:
    for repository in ("ships/galleon", "ships/a/b", "open/boat"):
        browser.desk.push(repository, "v1")
    every = "/api/v2.0/repositories"
    names = {"ada": ["open/boat", "ships/a/b", "ships/galleon"], "eve": ["open/boat"], "": ["open/boat"]}
    for who, expected in names.items():
        for query in ("", "?sort=creation_time&q=artifact_count%3D1"):
            status, documents, headers = ask(browser, who, every + query)
            assert (status, headers["x-total-count"]) == (200, str(len(expected)))
            assert sorted(one["name"] for one in documents) == expected
    page = ask(browser, "ada", f"{every}?page=2&page_size=2")
    assert ([one["name"] for one in page[1]], page[2]["x-total-count"]) == (["ships/galleon"], "3")
    assert [one["name"] for one in ask(browser, "ada", f"{every}?q=name%3D~GALL")[1]] == ["ships/galleon"]
    assert ask(browser, "ada", f"{every}?sort=-creation_time")[1][0]["name"] == "open/boat"


def test_a_filter_over_the_repositories_of_too_many_projects_is_refused(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.management.handlers.content.repositories.MAX_PROJECTS", 1)
    for repository in ("ships/galleon", "open/boat"):
        browser.desk.push(repository, "v1")
    assert ask(browser, "ada", "/api/v2.0/repositories?sort=-pull_count")[0] == 400
    assert ask(browser, "ada", "/api/v2.0/repositories?sort=-name")[0] == 200


def test_a_project_says_how_many_repositories_it_has(browser: Browser) -> None:
    for repository in ("ships/galleon", "ships/a/b"):
        browser.desk.push(repository, "v1")
    project = "/api/v2.0/projects/ships"
    assert ask(browser, "bob", project)[1]["repo_count"] == 2
    assert ask(browser, "bob", f"{project}/summary")[1]["repo_count"] == 2
    counts = {one["name"]: one["repo_count"] for one in ask(browser, "bob", "/api/v2.0/projects")[1]}
    assert counts == {"open": 0, "ships": 2}


def delete(browser: Browser, who: str = "ada", name: str = "galleon") -> tuple[int, dict[str, str]]:
    status, _, headers = browser.ask("DELETE", f"{REPOSITORIES}/{name}", None, basic(who))
    return status, headers


def test_a_deleted_repository_is_gone_and_its_name_is_free(browser: Browser) -> None:
    for tag, layer in (("v1", b"one"), ("v2", b"two")):
        browser.desk.push_image("ships/galleon", tag, layer=layer)
    browser.desk.settle()
    browser.desk.content.clock.now += 10
    assert delete(browser)[0] == 200
    assert browser.desk.index.repositories["ships/galleon"].manifests == {}
    assert ask(browser, "ada", REPOSITORIES)[1] == []
    for path in (f"{REPOSITORIES}/galleon", f"{REPOSITORIES}/galleon/artifacts", TAGS):
        assert ask(browser, "ada", path)[0] == 404
    browser.desk.push_image("ships/galleon", "v3")
    assert [one["name"] for one in ask(browser, "ada", REPOSITORIES)[1]] == ["ships/galleon"]
    operations = [str(event.operation) for event in browser.desk.index.events]
    assert operations.count("delete-repository") == 1 and operations.count("delete-manifest") == 2


def test_a_repository_that_takes_longer_is_deleted_by_an_execution(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.management.handlers.content.repositories.DELETION_SECONDS", 0.0)
    browser.desk.push_image("ships/galleon", "v1")
    browser.desk.content.clock.now += 10
    for _ in range(2):  # asked for again, it is the same
        status, headers = delete(browser)
        assert status == 202
        document = ask(browser, "ada", headers["location"])[1]
        assert (document["kind"], document["project"], document["status"]) == ("delete-repository", "ships", "Pending")
    deletion = browser.desk.services.content.repository_deletion
    runner = Runner(
        browser.desk.executions,
        {KIND: RepositoryDeletionWork(deletion)},
        EventMaker(browser.desk.content.clock),
    )
    done = runner.run(document["id"], lambda: 900.0)
    assert done is not None and (done.status, done.progress) == (Status.SUCCESS, {"manifests": 1})
    assert browser.desk.index.repositories["ships/galleon"].manifests == {}


@pytest.mark.parametrize(
    ("who", "name", "status"), [("bob", "galleon", 403), ("eve", "galleon", 403), ("ada", "absent", 404)]
)
def test_a_repository_is_deleted_by_those_who_may(browser: Browser, who: str, name: str, status: int) -> None:
    browser.desk.push_image("ships/galleon", "v1")
    assert delete(browser, who, name)[0] == status
    assert len(browser.desk.index.repositories["ships/galleon"].manifests) == 1
