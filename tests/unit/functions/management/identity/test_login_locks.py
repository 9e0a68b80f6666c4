"""Who is locked out by wrong passwords, and how that ends before its time."""

from __future__ import annotations

from typing import Any

import pytest

from functions.management.handlers.identity import login_locks as login_locks_module
from roadstead.identity.directory import AttemptKey
from roadstead.identity.sign_in.attempts import Attempt
from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import Browser, Desk, basic

PATH = "/api/roadstead/v1/login-locks"
RELEASE = f"{PATH}/release"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def lock(desk: Desk, name: str | None, address: str, times: int = 10) -> None:
    for _ in range(times):
        attempt = Attempt.of(name, address, desk.now)
        attempt.fail(desk.directory, desk.directory.read(None, (), attempts=attempt.keys).attempts)


def listed(desk: Desk) -> list[dict[str, Any]]:
    status, found, _ = Browser(desk).ask("GET", PATH, headers=basic("ada"))
    assert status == 200
    assert found["more"] is False
    return list(found["locks"])


def release(desk: Desk, document: Any, who: str = "ada") -> int:
    return Browser(desk).ask("POST", RELEASE, document, basic(who))[0]


def test_locks_are_listed_with_what_they_lock_until_they_end(desk: Desk) -> None:
    lock(desk, "bob", "198.51.100.1")
    desk.now += 1
    lock(desk, "robot ships+ci", "2001:db8::1")
    until = "2027-01-15T08:15:00.000Z"
    assert listed(desk) == [
        {"scope": "name-and-address", "name": "bob", "robot": None, "address": "198.51.100.1", "until": until},
        {
            "scope": "name-and-address",
            "name": None,
            "robot": "ships+ci",
            "address": "2001:db8::/64",
            "until": until.replace("00.000", "01.000"),
        },
    ]
    desk.now += 899
    assert [one["robot"] for one in listed(desk)] == ["ships+ci"]
    desk.now += 1
    assert listed(desk) == []


@pytest.mark.parametrize(
    ("name", "address", "times", "document"),
    [
        ("bob", "198.51.100.1", 10, {"name": "bob"}),
        ("robot ships+ci", "198.51.100.1", 10, {"robot": "ships+ci"}),
        (None, "198.51.100.1", 100, {"address": "198.51.100.1"}),
        (None, "2001:db8::1", 100, {"address": "2001:db8::/64"}),
    ],
)
def test_a_lock_that_was_ended_is_not_listed_and_leaves_an_event(
    desk: Desk, name: str | None, address: str, times: int, document: Any
) -> None:
    lock(desk, name, address, times)
    assert len(listed(desk)) == 1
    assert release(desk, document) == 200
    assert listed(desk) == []
    event = desk.directory.events[-1]
    assert (event.operation, event.actor.name) == (Operation.RELEASE_LOGIN, "ada")
    assert next(iter(document.values())) in (event.user, *event.detail.split("=")[1:])


def test_a_lock_of_a_name_from_anywhere_has_no_address(desk: Desk) -> None:
    for number in range(100):
        lock(desk, "bob", f"198.51.100.{number}", 1)
    assert [(one["scope"], one["address"]) for one in listed(desk)] == [("name", None)]


def test_failures_short_of_a_lock_are_not_listed(desk: Desk) -> None:
    lock(desk, "bob", "198.51.100.1", 9)
    assert listed(desk) == []


def test_that_there_are_more_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_locks_module, "MAX_LOCKS", 1)
    lock(desk, "bob", "198.51.100.1")
    lock(desk, "eve", "198.51.100.1")
    found = Browser(desk).ask("GET", PATH, headers=basic("ada"))[1]
    assert (len(found["locks"]), found["more"]) == (1, True)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"name": "bob", "address": "192.0.2.1"},
        {"name": ""},
        {"name": 7},
        {"robot": "A"},
        {"robot": "No Such+ci"},
        {"address": "nowhere"},
        {"address": "192.0.2.0/24"},
        {"address": "192.0.2.1/64"},  # one of IPv6 alone is locked by its network
        {"name": "x" * 300},
    ],
)
def test_a_malformed_release_is_a_bad_request(desk: Desk, document: Any) -> None:
    before = len(desk.directory.events)
    assert release(desk, document) == 400
    assert len(desk.directory.events) == before


def test_only_system_administrators_see_and_end_locks(desk: Desk) -> None:
    for who in ("bob", "eve"):
        assert Browser(desk).ask("GET", PATH, headers=basic(who))[0] == 403
        assert release(desk, {"name": "bob"}, who) == 403
    assert Browser(desk).ask("GET", PATH)[0] == 401


def test_a_released_name_counts_from_nothing_again(desk: Desk) -> None:
    lock(desk, "bob", "198.51.100.1")
    assert release(desk, {"name": "bob"}) == 200
    assert desk.directory.read(None, (), attempts=[AttemptKey("n#bob", int(desk.now) // 900)]).attempts == {}
