"""One successful call of every route that changes something, on the function as Lambda runs it.

Each row prepares what its call needs, in a project of its own, and returns the call. A route without a row fails
`test_changes.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import PASSWORD
from tests.unit.functions.management.cloud import ADMIN, Place, path_to

HARBOR, OWN = "/api/v2.0", "/api/roadstead/v1"
ISSUER = "https://login.example.com"
MARK = "Hush0-"  # every secret that is sent begins with it
numbers = itertools.count(1)


@dataclass(frozen=True)
class Change:
    """A call that succeeds, and the operations of the events that it leaves, whose actor is `by`."""

    method: str
    target: str
    document: Any = None
    told: tuple[Operation, ...] = ()
    by: str = ADMIN
    actor: str = ""  # if it is not who asks
    password: str = PASSWORD
    headers: Mapping[str, str] | None = None
    status: int | None = None  # or any that begins with 2
    logged: str = ""  # what a line of the log says of it, where there is no event
    unpaired: bool = False  # the event is the only item of its transaction


Row = Callable[[Place], Change]
ROWS: dict[str, Row] = {}


def row(operation: str) -> Callable[[Row], Row]:
    def add(made: Row) -> Row:
        assert operation not in ROWS, operation
        ROWS[operation] = made
        return made

    return add


def secret(what: str = "") -> str:
    """A new secret that keeps Harbor's rule for passwords."""
    return f"{MARK}{what}{next(numbers)}-abcDEF"


def user(place: Place) -> tuple[str, int]:
    name = f"u{next(numbers)}"
    return name, int(place.accounts.create_user(name, PASSWORD).id)


def project(place: Place) -> tuple[str, int]:
    name = f"p{next(numbers)}"
    _, number = place.made("POST", f"{HARBOR}/projects", {"project_name": name})
    return name, int(number)


def image(place: Place, *tags: str) -> tuple[str, str, str]:
    """A project, a repository in it with slashes, and the digest of an image there."""
    name, _ = project(place)
    return name, "cargo/crane", place.push(f"{name}/cargo/crane", *(tags or ("v1",)))


def group(place: Place) -> str:
    return place.made("POST", f"{HARBOR}/usergroups", {"group_name": f"g{next(numbers)}", "group_type": 2})[1]


def robot_document(name: str, namespace: str, **more: Any) -> dict[str, Any]:
    access = [{"resource": "repository", "action": action} for action in ("pull", "push")]
    permission = {"kind": "project", "namespace": namespace, "access": access}
    return {"name": name, "level": "project", "duration": 30, "permissions": [permission], **more}


def robot(place: Place) -> tuple[dict[str, Any], str]:
    """What was sent to make a robot, with its full name, and its id."""
    name, _ = project(place)
    document = robot_document("builder", name, secret=secret())
    made, number = place.made("POST", f"{HARBOR}/robots", document)
    return {**document, "name": made["name"], "id": int(number)}, number


def member(place: Place) -> tuple[str, str]:
    (name, _), (who, _) = project(place), user(place)
    made = place.made("POST", f"{HARBOR}/projects/{name}/members", {"role_id": 2, "member_user": {"username": who}})
    return f"projects/{name}/members/{made[1]}", who


def label(place: Place) -> str:
    return place.made("POST", f"{HARBOR}/labels", {"name": f"l{next(numbers)}", "scope": "g"})[1]


def token(place: Place) -> tuple[str, int, str]:
    """A user, their id, and the id of an access token of theirs."""
    who, number = user(place)
    new = {"name": "ci", "access": "write", "duration": 1}
    return who, number, place.made("POST", f"{OWN}/users/current/tokens", new, by=who)[1]


def session(place: Place, who: str) -> dict[str, str]:
    """The headers of somebody who has signed in."""
    status, _, headers = place.ask("POST", f"{OWN}/session", {"name": who, "password": PASSWORD}, by="")
    assert status == 201
    cookie = headers["set-cookie"].partition(";")[0]
    return {"Cookie": cookie, "X-Harbor-CSRF-Token": headers["x-harbor-csrf-token"]}


def webhook_document(**more: Any) -> dict[str, Any]:
    target = {"type": "http", "address": "http://127.0.0.1:9/hook", "auth_header": f"Bearer {secret()}"}
    return {"name": "ci", "targets": [target], "event_types": ["PUSH_ARTIFACT"], "enabled": True, **more}


def webhook(place: Place) -> tuple[str, str]:
    """A project, and the id of its webhook."""
    name, _ = project(place)
    return name, place.made("POST", f"{HARBOR}/projects/{name}/webhook/policies", webhook_document())[1]


SELECTORS: dict[str, Any] = {
    "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "keep-*"}],
    "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
}


def immutable_rule(**more: Any) -> dict[str, Any]:
    return {"action": "immutable", "template": "immutable_template", "disabled": False, **SELECTORS, **more}


def retention_document(number: int, count: int = 1) -> dict[str, Any]:
    rule = {"action": "retain", "template": "latestPushedK", "params": {"latestPushedK": count}, **SELECTORS}
    scope = {"level": "project", "ref": number}
    return {
        "algorithm": "or", "scope": scope, "rules": [rule], "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
    }  # fmt: skip


def retention(place: Place) -> tuple[str, int]:
    """A project's id, which is also that of its policy, and its name."""
    name, number = project(place)
    place.made("POST", f"{HARBOR}/retentions", retention_document(number))
    return name, number


def execution(place: Place) -> tuple[int, str]:
    """A policy's id, and the id of a run of it."""
    _, number = retention(place)
    return number, place.made("POST", f"{HARBOR}/retentions/{number}/executions", {"dry_run": True})[1]


def trashed(place: Place) -> tuple[str, str]:
    """A project, and the id of a unit in its trash."""
    name, repository, digest = image(place)
    place.made("DELETE", path_to(name, repository, digest))
    (unit,) = place.made("GET", f"{OWN}/projects/{name}/trash")[0]
    return name, str(unit["id"])


def collection(place: Place) -> str:
    """The id of a run of the collector that goes on."""
    document = {"schedule": {"type": "Manual"}, "parameters": {"dry_run": True}}
    status, _, _ = place.ask("POST", f"{HARBOR}/system/gc/schedule", document)
    assert status in (201, 409)
    (found, *_) = place.made("GET", f"{HARBOR}/system/gc")[0]
    return str(found["id"])


def simple(
    operation: str, method: str, target: Callable[[Place], str], document: Any = None, *told: Operation, **more: Any
) -> None:
    def made(place: Place) -> Change:
        sent = document(place) if callable(document) else document
        return Change(method, target(place), sent, told, **more)

    row(operation)(made)


def at(text: str, make: Callable[[Place], Any]) -> Callable[[Place], str]:
    """A path with what `make` returns in the place of `{}`."""
    return lambda place: text.format(*(made if isinstance(made := make(place), tuple) else (made,)))
