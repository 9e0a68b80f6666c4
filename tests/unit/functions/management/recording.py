"""Every change of changes/, and every route that reads, performed once, with all that they left behind."""

from __future__ import annotations

import contextlib
import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from functions.management.routes import ROUTES
from tests.unit.functions.management.changes import accounts, made, system
from tests.unit.functions.management.changes.made import HARBOR, OWN, Change
from tests.unit.functions.management.changes.table import ROWS
from tests.unit.functions.management.cloud import Called, Place, path_to

_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Recorded:
    """A change that was made. `stored` is all that is stored outside SSM, `lines` all that was logged."""

    change: Change
    status: int
    said: Any
    received: dict[str, str]
    events: tuple[dict[str, Any], ...]
    calls: tuple[Called, ...]
    stored: str
    lines: str


@contextlib.contextmanager
def logged() -> Iterator[io.StringIO]:
    """What is logged, and written to the standard output, meanwhile."""
    found = io.StringIO()
    handler, root = logging.StreamHandler(found), logging.getLogger()
    root.addHandler(handler)
    try:
        with contextlib.redirect_stdout(found), contextlib.redirect_stderr(found):
            yield found
    finally:
        root.removeHandler(handler)


def record_changes(place: Place) -> dict[str, Recorded]:
    """By the operation of the route."""
    return {operation: _recorded(place, operation) for operation in ROWS}


def _recorded(place: Place, operation: str) -> Recorded:
    place.begin()
    with logged() as lines:
        change = ROWS[operation](place)
        before = place.events()
        place.calls.clear()
        status, said, received = place.ask(
            change.method, change.target, change.document, by=change.by, headers=change.headers
        )
    made = tuple(event for number, event in place.events().items() if number not in before)
    return Recorded(change, status, said, received, made, tuple(place.calls), place.stored(), lines.getvalue())


def record_reads(place: Place) -> dict[str, tuple[int, tuple[Called, ...]]]:
    """The status of a read by the operation of its route, and what it asked of AWS. What it names exists."""
    place.begin()
    values = _everything(place)
    place.settle()
    found = {}
    for route in ROUTES:
        if route.method != "GET":
            continue
        place.calls.clear()
        with logged():
            status, _, _ = place.ask("GET", _target(route.operation, route.template.text, values))
        found[route.operation] = (status, tuple(place.calls))
    return found


_QUERIES = {
    "listArtifacts": "?with_label=true&with_accessory=true",
    "ListWebhookJobs": "?policy_id={policy}",
    "search": "?q=crane",
    "searchUsers": "?username=a",
    "searchUserGroups": "?groupname=g",
    "searchLdapUser": "?username=a",
    "searchLdapGroup": "?groupname=g",
    "listTags": "?sort=-push_time",
}


def _target(operation: str, path: str, values: dict[str, str]) -> str:
    return _PARAMETER.sub(lambda one: values[one[1]], path + _QUERIES.get(operation, ""))


CONFIG = b'{"os": "linux", "architecture": "arm64", "history": [{"created_by": "COPY . /"}]}'


def _everything(place: Place) -> dict[str, str]:
    """Make one of everything, and return the parameters of paths that lead to it."""
    name, repository, _ = made.image(place, "v1", "v2")
    digest = place.push(f"{name}/{repository}", "v1", "v2", config=CONFIG)
    number = str(place.made("GET", f"{HARBOR}/projects/{name}")[0]["project_id"])
    system.configure_ldap(place)
    member = place.made("GET", f"{HARBOR}/projects/{name}/members")[0][0]
    robot = made.robot_document("builder", name)
    rule = place.made("POST", f"{HARBOR}/projects/{name}/immutabletagrules", made.immutable_rule())[1]
    policy = place.made("POST", f"{HARBOR}/projects/{name}/webhook/policies", made.webhook_document())[1]
    labelled = made.label(place)
    place.made("POST", path_to(name, repository, digest, "/labels"), {"id": int(labelled)})
    place.push(f"{name}/gone", "v1", layer=b"gone")
    place.made("DELETE", path_to(name, "gone", "v1"))
    (unit,) = place.made("GET", f"{OWN}/projects/{name}/trash")[0]
    place.made("POST", f"{HARBOR}/retentions", made.retention_document(int(number)))
    run = place.made("POST", f"{HARBOR}/retentions/{number}/executions", {"dry_run": True})[1]
    return {
        "project": name,
        "project_name": name,
        "repository": "cargo%252Fcrane",
        "reference": digest,
        "addition": "build_history",
        "user": str(place.made("GET", f"{HARBOR}/users/current")[0]["user_id"]),
        "group": made.group(place),
        "member": str(member["id"]),
        "robot": place.made("POST", f"{HARBOR}/robots", robot)[1],
        "label": labelled,
        "rule": rule,
        "policy": policy,
        "name": "public",
        "unit": str(unit["id"]),
        "execution": run,
        "task": "1",
        "eid": run,
        "tid": "1",
        "id": number,
        "gc_id": made.collection(place),
        "token": "1",
        "session": "1",
        "provider": accounts.provider(place),
    }
