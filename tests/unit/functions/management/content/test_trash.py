"""The trash over the API: who sees it, restores it, empties it and sets its time."""

from __future__ import annotations

import pytest

from roadstead.content.deletion.trash import DEFAULT_GRACE, MAX_GRACE, Unit, UnitKind, unit_id
from roadstead.digest import Digest
from roadstead.identity.directory import Role
from roadstead.names import RepositoryName, Tag
from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import Browser, Desk, basic

TRASH = "/api/roadstead/v1/projects/ships/trash"
GRACE = "/api/roadstead/v1/projects/ships/trash-grace"


@pytest.fixture
def browser() -> Browser:
    browser = Browser(Desk())
    browser.desk.accounts.set_member("ships", "eve", Role.MAINTAINER)
    return browser


def put(browser: Browser, *, at: int = 0, repository: str = "ships/galleon", tags: int = 1) -> Unit:
    """Something that was deleted `at` ms after the desk's start."""
    deleted = 1_800_000_000_000 + at
    names = tuple(Tag(f"v{number}") for number in range(tags))
    one = Unit(
        *(unit_id(deleted), UnitKind.MANIFEST, RepositoryName(repository), deleted, deleted + 60_000, "bob"),
        *(Digest.of(b"x"), names, "type", 7),
    )
    browser.desk.trash_store.put_unit(one)
    return one


def test_a_deleted_artifact_is_listed_until_its_time_is_over(browser: Browser) -> None:
    one = put(browser, tags=120)
    status, listed, _ = browser.ask("GET", TRASH, headers=basic("eve"))
    assert (status, len(listed), len(listed[0]["tags"]), listed[0]["tag_count"]) == (200, 1, 100, 120)
    shown = {name: value for name, value in listed[0].items() if not name.startswith("tag")}
    assert shown == {
        "id": one.id,
        "kind": "manifest",
        "repository": "ships/galleon",
        "digest": one.digest,
        "media_type": "type",
        "size": 7,
        "deleted_by": "bob",
        "deleted": "2027-01-15T08:00:00.000Z",
        "expires": "2027-01-15T08:01:00.000Z",
    }
    assert browser.ask("GET", f"{TRASH}/{one.id}", headers=basic("eve"))[1] == listed[0]
    browser.desk.now += 60
    assert browser.ask("GET", TRASH, headers=basic("eve"))[1] == []
    assert browser.ask("GET", f"{TRASH}/{one.id}", headers=basic("eve"))[0] == 404
    assert browser.ask("POST", f"{TRASH}/{one.id}/restore", headers=basic("eve"))[0] == 404


def test_the_trash_comes_in_pages_of_one_repository_or_all(browser: Browser) -> None:
    units = [put(browser, at=at, repository="ships/a/b" if at % 2 else "ships/c") for at in range(101)]
    status, listed, headers = browser.ask("GET", TRASH, headers=basic("eve"))
    assert (status, len(listed)) == (200, 100)
    assert headers["link"] == f'<{TRASH}?before={units[1].id}>; rel="next"'
    rest = browser.ask("GET", f"{TRASH}?before={units[1].id}", headers=basic("eve"))[1]
    assert [one["id"] for one in rest] == [units[0].id]
    assert len(browser.ask("GET", f"{TRASH}?repository=a/b", headers=basic("eve"))[1]) == 50
    assert browser.ask("GET", f"{TRASH}?repository=A", headers=basic("eve"))[0] == 400
    assert browser.ask("GET", f"{TRASH}?before=x", headers=basic("eve"))[0] == 400


def test_restoring_starts_an_execution_once(browser: Browser) -> None:
    one = put(browser)
    path = f"{TRASH}/{one.id}/restore"
    status, _, headers = browser.ask("POST", path, {"tags": {"v0": "old", "v1": ""}}, basic("eve"))
    assert status == 201
    started = browser.desk.executions.find(int(headers["location"].rpartition("/")[2]))
    assert started is not None
    assert (started.kind, started.scope) == ("restore", "ships")
    assert started.parameters == {"unit": one.id, "tags": {"v0": "old", "v1": ""}}
    assert browser.ask("POST", path, headers=basic("eve"))[0] == 409
    assert browser.ask("DELETE", f"{TRASH}/{one.id}", headers=basic("ada"))[0] == 409
    assert [event.operation for event in browser.desk.executions.events] == [Operation.START_EXECUTION]
    assert browser.ask("GET", headers["location"], headers=basic("eve"))[1]["status"] == "Pending"


@pytest.mark.parametrize("tags", [[], {"v0": 1}, {"v0": "a b"}, {"a b": "v1"}, "v0"])
def test_new_names_that_are_no_tags_are_refused(browser: Browser, tags: object) -> None:
    one = put(browser)
    assert browser.ask("POST", f"{TRASH}/{one.id}/restore", {"tags": tags}, basic("eve"))[0] == 400


def test_emptying_is_for_administrators_of_the_project(browser: Browser) -> None:
    one = put(browser)
    for path in (TRASH, f"{TRASH}/{one.id}"):
        assert browser.ask("DELETE", path, headers=basic("eve"))[0] == 403
        status, _, headers = browser.ask("DELETE", path, headers=basic("ada"))
        assert (status, "location" in headers) == (202, True)
    assert browser.ask("DELETE", f"{TRASH}/no-such", headers=basic("ada"))[0] == 404


@pytest.mark.parametrize(("who", "status"), [("ada", 200), ("eve", 200), ("bob", 403), ("", 401)])
def test_the_trash_is_seen_by_who_may_restore_it(browser: Browser, who: str, status: int) -> None:
    headers = basic(who) if who else {}
    for path in (TRASH, GRACE):
        assert browser.ask("GET", path, headers=headers)[0] == status


def test_the_grace_period_is_a_week_until_somebody_sets_it(browser: Browser) -> None:
    assert browser.ask("GET", GRACE, headers=basic("eve"))[1] == {"seconds": DEFAULT_GRACE}
    assert browser.ask("PUT", GRACE, {"seconds": 0}, basic("eve"))[0] == 403
    assert browser.ask("PUT", GRACE, {"seconds": 0}, basic("ada"))[0] == 200
    assert browser.ask("GET", GRACE, headers=basic("eve"))[1] == {"seconds": 0}
    event = browser.desk.index.events[-1]
    assert (event.operation, event.project, event.detail) == (Operation.CHANGE_TRASH, "ships", "grace=0")


@pytest.mark.parametrize("seconds", [-1, MAX_GRACE + 1, True, "7", None, 1.5])
def test_a_grace_period_that_cannot_be_is_refused(browser: Browser, seconds: object) -> None:
    assert browser.ask("PUT", GRACE, {"seconds": seconds}, basic("ada"))[0] == 400
