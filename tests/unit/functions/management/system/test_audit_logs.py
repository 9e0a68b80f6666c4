"""The audit trail over the API: who sees what, in which shape, and how far."""

from __future__ import annotations

from typing import Any

import pytest

from functions.management.harbor.audit import EVENT_TYPES, audit_id, kind_of
from roadstead.identity.directory import Role
from roadstead.trail.entries import Actor, AuditEntry, Operation, Outcome
from roadstead.trail.pages import MAX_EXAMINED
from tests.unit.functions.management.client import Browser, Desk, basic

API = "/api/v2.0"
LOGS, EXTS = f"{API}/audit-logs", f"{API}/auditlog-exts"
T = 1_800_000_100_000
DIGEST = f"sha256:{'ab' * 32}"


@pytest.fixture
def browser() -> Browser:
    desk = Desk()
    desk.accounts.set_member("ships", "eve", Role.ADMIN)
    desk.trail.write(
        [
            AuditEntry("1", T, Operation.CREATE_USER, Actor("ada"), user="bob", detail="admin=false"),
            push("2", T + 1_000, "ships", reference="v1,v2"),
            push("3", T + 2_000, "open"),
            push("old", 1_700_000_000_000, "ships"),  # before the project was created
            AuditEntry("4", T + 3_000, Operation.LOGIN, Actor("eve"), Outcome.FAILURE),
        ]
    )
    return Browser(desk)


def push(id_: str, at: int, project: str, *, reference: str = DIGEST) -> AuditEntry:
    repository = f"{project}/a"
    return AuditEntry(
        id_,
        at,
        Operation.PUSH,
        Actor("bob"),
        project=project,
        repository=repository,
        reference=reference,
        digest=DIGEST,
    )


def ask(browser: Browser, who: str, path: str) -> Any:
    return browser.ask("GET", path, None, basic(who) if who else {})


def resources(browser: Browser, who: str, path: str) -> list[str]:
    status, documents, headers = ask(browser, who, path)
    assert status == 200 and int(headers["x-total-count"]) >= len(documents)
    return [one["resource"] for one in documents]


def test_a_system_administrator_sees_everything_newest_first(browser: Browser) -> None:
    assert resources(browser, "ada", LOGS) == [
        "system",
        f"open/a@{DIGEST}",
        "ships/a:v1,v2",
        "bob",
        f"ships/a@{DIGEST}",
    ]
    assert resources(browser, "ada", EXTS) == resources(browser, "ada", LOGS)


def test_others_see_the_projects_whose_logs_they_may_list(browser: Browser) -> None:
    assert resources(browser, "eve", LOGS) == ["ships/a:v1,v2"]
    assert resources(browser, "bob", LOGS) == []
    assert ask(browser, "", LOGS)[0] == 401


def test_a_projects_log_begins_with_the_project(browser: Browser) -> None:
    for spelling in ("logs", "auditlog-exts"):
        assert resources(browser, "eve", f"{API}/projects/ships/{spelling}") == ["ships/a:v1,v2"]
        assert ask(browser, "bob", f"{API}/projects/ships/{spelling}")[0] == 403
        assert ask(browser, "", f"{API}/projects/ships/{spelling}")[0] == 401
        assert ask(browser, "ada", f"{API}/projects/nowhere/{spelling}")[0] == 404


def test_an_entry_has_harbors_fields(browser: Browser) -> None:
    _, (login, *_, created, _), _ = ask(browser, "ada", EXTS)
    assert (login["operation"], login["resource_type"], login["operation_result"]) == ("login", "user", False)
    assert created == {
        "id": audit_id(AuditEntry("1", T, Operation.CREATE_USER, Actor("ada"))),
        "username": "ada",
        "resource": "bob",
        "resource_type": "user",
        "operation": "create",
        "op_time": "2027-01-15T08:01:40.000Z",
        "operation_description": "create-user: bob (admin=false)",
        "operation_result": True,
    }
    assert created["id"] < 1 << 53


@pytest.mark.parametrize(
    ("q", "count"),
    [
        ("username=bob", 3),
        ("username=~B", 3),
        ("operation=create,resource_type=artifact", 3),
        ("resource=~ships", 2),
        ("resource_type={user tag}", 2),
        ("op_time=[2027-01-15T08:01:40~2027-01-15T08:01:42]", 3),
        ("op_time=[~2027-01-15T08:01:40]", 2),
        ("op_time=[1800000102~]", 2),
        ("op_time=[2027-01-15T08:01:40~],username=bob", 2),
        ("nothing=x", 5),
    ],
)
def test_a_filter_counts_what_it_lets_through(browser: Browser, q: str, count: int) -> None:
    status, documents, headers = ask(browser, "ada", f"{LOGS}?page_size=1&q={q.replace('=', '%3D')}")
    assert (status, len(documents), headers["x-total-count"]) == (200, 1, str(count))


@pytest.mark.parametrize("q", ["op_time=x", "op_time=[a~b]", "op_time=[2027-13-01T00:00:00~]"])
def test_a_time_that_is_none_is_refused(browser: Browser, q: str) -> None:
    assert ask(browser, "ada", f"{LOGS}?q={q}")[0] == 400


def test_pages_and_order(browser: Browser) -> None:
    everything = resources(browser, "ada", LOGS)
    pages = [resources(browser, "ada", f"{LOGS}?page={page}&page_size=2") for page in (1, 2, 3, 4)]
    assert pages == [everything[:2], everything[2:4], everything[4:], []]
    assert resources(browser, "ada", f"{LOGS}?sort=op_time") == everything[::-1]
    assert resources(browser, "ada", f"{LOGS}?sort=-op_time") == everything


def test_what_would_look_at_too_much_says_how_to_narrow_it(browser: Browser) -> None:
    browser.desk.trail.write([push(f"n{n}", T + 10_000 + n, "ships") for n in range(MAX_EXAMINED)])
    for query in ("q=username%3Dada", f"page={MAX_EXAMINED}", "sort=op_time"):
        status, document, _ = ask(browser, "ada", f"{LOGS}?{query}")
        assert status == 400 and "op_time=[from~to]" in document["errors"][0]["message"]
    status, documents, headers = ask(browser, "ada", LOGS)
    assert (status, len(documents), headers["x-total-count"]) == (200, 10, str(MAX_EXAMINED + 5))
    assert ask(browser, "ada", f"{LOGS}?q=username%3Dada,op_time%3D[~1800000101]")[2]["x-total-count"] == "1"


def test_every_operation_has_an_event_type_and_the_list_names_it(browser: Browser) -> None:
    listed = [one["event_type"] for one in ask(browser, "bob", f"{EXTS}/events")[1]]
    assert listed == list(EVENT_TYPES)
    assert {"create_artifact", "delete_tag", "login_user", "update_configuration", "create_robot"} <= set(listed)
    for operation in Operation:
        verb, kind = kind_of(operation)
        assert verb and kind and "-" not in verb + kind
