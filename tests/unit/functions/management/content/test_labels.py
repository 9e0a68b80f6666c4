"""Labels of the registry and of projects, and labels of artifacts."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.catalog import labels as labels_module
from roadstead.identity.directory import Role
from tests.unit.functions.management.client import Browser, Desk, basic

LABELS = "/api/v2.0/labels"
GALLEON = "ships/galleon"
ARTIFACTS = "/api/v2.0/projects/ships/repositories/galleon/artifacts"


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(
    browser: Browser, method: str, path: str, document: Any = None, who: str = "ada"
) -> tuple[int, Any, dict[str, str]]:
    return browser.ask(method, path, document, basic(who) if who else {})


def project_id(browser: Browser, name: str = "ships") -> int:
    project = browser.desk.accounts.find_project(name)
    assert project is not None
    return project.id


def make(browser: Browser, name: str, project: str = "") -> int:
    scope = {"scope": "p", "project_id": project_id(browser, project)} if project else {"scope": "g"}
    status, _, headers = ask(browser, "POST", LABELS, {"name": name, "color": "#2563eb", "id": 0, **scope})
    assert status == 201
    return int(headers["location"].removeprefix(f"{LABELS}/"))


def test_a_label_is_made_read_changed_and_deleted(browser: Browser) -> None:
    id_ = make(browser, "stable")
    status, document, _ = ask(browser, "GET", f"{LABELS}/{id_}", who="bob")
    assert status == 200
    assert document == {
        "id": id_,
        "name": "stable",
        "description": "",
        "color": "#2563eb",
        "scope": "g",
        "project_id": 0,
        "creation_time": "2027-01-15T08:00:00.000Z",
        "update_time": "2027-01-15T08:00:00.000Z",
    }
    assert ask(browser, "PUT", f"{LABELS}/{id_}", {"name": "old", "description": "x"})[0] == 200
    assert ask(browser, "GET", f"{LABELS}/{id_}")[1]["name"] == "old"
    assert ask(browser, "DELETE", f"{LABELS}/{id_}")[0] == 200
    for method in ("GET", "DELETE", "PUT"):
        assert ask(browser, method, f"{LABELS}/{id_}", {"name": "x"} if method == "PUT" else None)[0] == 404
    operations = [(event.operation, event.detail) for event in browser.desk.index.events]
    assert operations == [
        ("create-label", "name=stable"),
        ("change-label", "name=old"),
        ("delete-label", "name=old"),
    ]


def test_labels_are_listed_by_scope(browser: Browser) -> None:
    make(browser, "b")
    make(browser, "a")
    make(browser, "own", "ships")
    make(browser, "other", "open")
    assert names(browser, "scope=g") == ["b", "a"]
    assert names(browser, "scope=g&sort=name") == ["a", "b"]
    assert names(browser, "scope=g&q=name%3D~B") == names(browser, "scope=g&name=B") == ["b"]
    assert names(browser, f"scope=p&project_id={project_id(browser)}") == ["own"]
    assert ask(browser, "GET", f"{LABELS}?scope=g&page_size=1")[2]["x-total-count"] == "2"


def names(browser: Browser, query: str) -> list[str]:
    status, documents, _ = ask(browser, "GET", f"{LABELS}?{query}", who="bob")
    assert status == 200
    return [one["name"] for one in documents]


@pytest.mark.parametrize("query", ["", "scope=x", "scope=p", "scope=p&project_id=x", "scope=p&project_id=0"])
def test_a_list_needs_a_scope(browser: Browser, query: str) -> None:
    assert ask(browser, "GET", f"{LABELS}?{query}")[0] == 400


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"name": "stable", "scope": "g"}, 409),
        ({"name": "", "scope": "g"}, 400),
        ({"name": " ", "scope": "g"}, 400),
        ({"scope": "g"}, 400),
        ({"name": "x" * 129, "scope": "g"}, 400),
        ({"name": "x\n", "scope": "g"}, 400),
        ({"name": 1, "scope": "g"}, 400),
        ({"name": "x", "scope": "g", "color": "red;}"}, 400),
        ({"name": "x", "scope": "g", "description": "x" * 1_025}, 400),
        ({"name": "x"}, 400),
        ({"name": "x", "scope": "p"}, 400),
        ({"name": "x", "scope": "p", "project_id": 5}, 404),
    ],
)
def test_a_label_that_cannot_be_is_refused(browser: Browser, document: Any, status: int) -> None:
    id_, other = make(browser, "stable"), make(browser, "other")
    events = len(browser.desk.index.events)
    assert ask(browser, "POST", LABELS, document)[0] == status
    if document.get("scope") == "g":
        assert ask(browser, "PUT", f"{LABELS}/{other}", document)[0] == status
    assert ask(browser, "PUT", f"{LABELS}/{id_}", {"name": "stable"})[0] == 200  # its own name
    assert len(browser.desk.index.events) == events + 1


def test_labels_are_bounded(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels_module, "MAX_LABELS", 1)
    make(browser, "one")
    assert ask(browser, "POST", LABELS, {"name": "two", "scope": "g"})[0] == 400
    make(browser, "two", "ships")


@pytest.mark.parametrize(
    ("role", "read", "change"),
    [
        (Role.ADMIN, 200, 200),
        (Role.MAINTAINER, 200, 200),
        (Role.DEVELOPER, 200, 403),
        (Role.GUEST, 200, 403),
        (Role.LIMITED_GUEST, 403, 403),
        (None, 403, 403),
    ],
)
def test_a_projects_labels_are_for_its_roles(browser: Browser, role: Role | None, read: int, change: int) -> None:
    id_ = make(browser, "own", "ships")
    if role is not None:
        browser.desk.accounts.set_member("ships", "eve", role)
    here = project_id(browser)
    assert ask(browser, "GET", f"{LABELS}/{id_}", who="eve")[0] == read
    assert ask(browser, "GET", f"{LABELS}?scope=p&project_id={here}", who="eve")[0] == read
    assert ask(browser, "PUT", f"{LABELS}/{id_}", {"name": "x"}, "eve")[0] == change
    made = ask(browser, "POST", LABELS, {"name": "y", "scope": "p", "project_id": here}, "eve")[0]
    assert made == (201 if change == 200 else 403)
    assert ask(browser, "DELETE", f"{LABELS}/{id_}", who="eve")[0] == change


def test_the_registrys_labels_are_changed_by_system_administrators_and_hidden_from_the_anonymous(
    browser: Browser,
) -> None:
    id_ = make(browser, "stable")
    for method, path, document in [
        ("POST", LABELS, {"name": "x", "scope": "g"}),
        ("PUT", f"{LABELS}/{id_}", {"name": "x"}),
        ("DELETE", f"{LABELS}/{id_}", None),
    ]:
        assert ask(browser, method, path, document, "bob")[0] == 403
        assert ask(browser, method, path, document, "")[0] == 401
    for path in (f"{LABELS}?scope=g", f"{LABELS}/{id_}", f"{LABELS}/5"):
        assert ask(browser, "GET", path, who="")[0] == 401


def test_an_artifacts_labels_are_shown_and_filtered_by(browser: Browser) -> None:
    desk = browser.desk
    first, second = desk.push_image(GALLEON, "v1"), desk.push_image(GALLEON, "v2", layer=b"two")
    stable, own, other = make(browser, "stable"), make(browser, "own", "ships"), make(browser, "other", "open")
    assert ask(browser, "POST", f"{ARTIFACTS}/v1/labels", {"id": stable})[0] == 200
    assert ask(browser, "POST", f"{ARTIFACTS}/{first}/labels", {"id": own})[0] == 200
    assert ask(browser, "POST", f"{ARTIFACTS}/v2/labels", {"id": own})[0] == 200
    assert ask(browser, "POST", f"{ARTIFACTS}/v1/labels", {"id": own})[0] == 409
    assert ask(browser, "POST", f"{ARTIFACTS}/v1/labels", {"id": other})[0] == 404
    assert ask(browser, "POST", f"{ARTIFACTS}/absent/labels", {"id": own})[0] == 404
    for wrong in ({}, {"id": "x"}, {"id": True}):
        assert ask(browser, "POST", f"{ARTIFACTS}/v1/labels", wrong)[0] == 400

    def found(query: str) -> list[str]:
        status, documents, headers = ask(browser, "GET", f"{ARTIFACTS}?{query}", who="bob")
        assert (status, headers["x-total-count"]) == (200, str(len(documents)))
        return [one["digest"] for one in documents]

    assert found(f"q=labels%3D({stable}%20{own})") == [first]
    assert found(f"q=labels%3D({own})") == [second, first]
    assert found(f"q=labels%3D({stable}),tags%3Dv1") == [first]
    assert found(f"q=labels%3D({stable}),tags%3Dv2") == []
    listed = ask(browser, "GET", f"{ARTIFACTS}?with_label=true")[1]
    assert [[label["name"] for label in one["labels"]] for one in listed] == [["own"], ["stable", "own"]]
    assert ask(browser, "GET", ARTIFACTS)[1][0]["labels"] == []
    assert [one["id"] for one in ask(browser, "GET", f"{ARTIFACTS}/v1?with_label=true")[1]["labels"]] == [stable, own]

    assert ask(browser, "DELETE", f"{ARTIFACTS}/v1/labels/{own}")[0] == 200
    for absent in (own, other, "x", 99):
        assert ask(browser, "DELETE", f"{ARTIFACTS}/v1/labels/{absent}")[0] == 404
    assert ask(browser, "DELETE", f"{LABELS}/{stable}")[0] == 200
    assert found(f"q=labels%3D({stable})") == []
    assert ask(browser, "GET", f"{ARTIFACTS}/v1?with_label=true")[1]["labels"] == []
    told = [(event.operation, event.digest) for event in desk.index.events if event.operation in ("label", "unlabel")]
    assert told == [("label", first), ("label", first), ("label", second), ("unlabel", first)]


def test_an_artifact_has_a_bounded_number_of_labels_of_which_deleted_ones_do_not_count(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels_module, "MAX_ASSIGNED", 1)
    browser.desk.push_image(GALLEON, "v1")
    first, second = make(browser, "first"), make(browser, "second")
    assert ask(browser, "POST", f"{ARTIFACTS}/v1/labels", {"id": first})[0] == 200
    assert ask(browser, "POST", f"{ARTIFACTS}/v1/labels", {"id": second})[0] == 400
    assert ask(browser, "DELETE", f"{LABELS}/{first}")[0] == 200
    assert ask(browser, "POST", f"{ARTIFACTS}/v1/labels", {"id": second})[0] == 200


@pytest.mark.parametrize("role", list(Role))
def test_artifacts_are_labelled_by_developers_and_above(browser: Browser, role: Role) -> None:
    browser.desk.push_image(GALLEON, "v1")
    id_ = make(browser, "stable")
    browser.desk.accounts.set_member("ships", "eve", role)
    status = 200 if role in (Role.ADMIN, Role.MAINTAINER, Role.DEVELOPER) else 403
    assert ask(browser, "POST", f"{ARTIFACTS}/v1/labels", {"id": id_}, "eve")[0] == status
    if status == 200:
        assert ask(browser, "DELETE", f"{ARTIFACTS}/v1/labels/{id_}", who="eve")[0] == 200


def test_labels_go_with_their_artifact(browser: Browser) -> None:
    digest = browser.desk.push_image(GALLEON, "v1")
    id_ = make(browser, "stable")
    assert ask(browser, "POST", f"{ARTIFACTS}/v1/labels", {"id": id_})[0] == 200
    browser.desk.settle()
    assert ask(browser, "DELETE", f"{ARTIFACTS}/{digest}")[0] == 200
    browser.desk.settle()
    browser.desk.push_image(GALLEON, "v1")
    assert ask(browser, "GET", f"{ARTIFACTS}/v1?with_label=true")[1]["labels"] == []
