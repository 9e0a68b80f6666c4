"""Projects and their members, as each role sees and changes them."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.identity.directory import Role
from roadstead.trail.entries import ActorKind, Operation
from tests.unit.functions.management.client import Browser, Desk, basic

PROJECTS = "/api/v2.0/projects"
SHIPS = f"{PROJECTS}/ships"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def browser(desk: Desk) -> Browser:
    return Browser(desk)


def ask(browser: Browser, who: str, method: str, path: str, document: Any = None, **headers: str) -> tuple[int, Any]:
    """Ask with Basic credentials; an empty name is an anonymous caller. Return status and body."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    status, body, _ = browser.ask(method, path, document, {**sent, **(basic(who) if who else {})})
    return status, body


def id_of(browser: Browser, name: str) -> int:
    return int(ask(browser, "ada", "GET", f"{PROJECTS}/{name}")[1]["project_id"])


@pytest.mark.parametrize(
    ("who", "names"), [("ada", ["open", "ships"]), ("bob", ["open", "ships"]), ("eve", ["open"]), ("", ["open"])]
)
def test_a_list_has_the_projects_that_the_caller_may_see(browser: Browser, who: str, names: list[str]) -> None:
    status, documents = ask(browser, who, "GET", PROJECTS)
    assert (status, [document["name"] for document in documents]) == (200, names)
    roles = {document["name"]: document["current_user_role_id"] for document in documents}
    assert roles.get("ships", 0) == (3 if who == "bob" else 0)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=SHI", ["ships"]),
        ("public=true", ["open"]),
        ("public=0", ["ships"]),
        ("owner=nobody", []),
        ("q=name%3D~pe", ["open"]),
        ("sort=-name", ["ships", "open"]),
        ("page=2&page_size=1", ["ships"]),
    ],
)
def test_a_list_is_filtered_sorted_and_paged(browser: Browser, query: str, names: list[str]) -> None:
    assert [one["name"] for one in ask(browser, "ada", "GET", f"{PROJECTS}?{query}")[1]] == names


def test_the_total_counts_what_the_caller_may_see(browser: Browser) -> None:
    headers = browser.ask("GET", f"{PROJECTS}?page_size=1", None, basic("eve"))[2]
    assert headers["x-total-count"] == "1"


@pytest.mark.parametrize("query", ["public=maybe", "page=x", "page_size=1000", "q=name"])
def test_a_list_that_cannot_be_is_refused(browser: Browser, query: str) -> None:
    assert ask(browser, "ada", "GET", f"{PROJECTS}?{query}")[0] in (400, 422)


@pytest.mark.parametrize(
    ("who", "ships", "absent"), [("ada", 200, 404), ("bob", 200, 403), ("eve", 403, 403), ("", 401, 401)]
)
def test_nobody_learns_which_private_projects_exist(browser: Browser, who: str, ships: int, absent: int) -> None:
    number = id_of(browser, "ships")
    for path, status in [("ships", ships), (str(number), ships), ("absent", absent), ("999999999", absent)]:
        assert ask(browser, who, "GET", f"{PROJECTS}/{path}")[0] == status


def test_a_public_project_opens_for_anybody(browser: Browser) -> None:
    status, document = ask(browser, "", "GET", f"{PROJECTS}/open")
    assert (status, document["metadata"]) == (200, {"public": "true"})
    assert "registry_id" not in document
    assert ask(browser, "", "GET", f"{PROJECTS}/open/members")[0] == 401
    assert ask(browser, "eve", "GET", f"{PROJECTS}/open/members")[0] == 403


def test_a_number_is_an_id_unless_the_client_says_that_it_is_a_name(browser: Browser) -> None:
    browser.desk.accounts.create_project("2024")
    assert ask(browser, "ada", "GET", f"{PROJECTS}/2024")[0] == 404
    assert ask(browser, "ada", "GET", f"{PROJECTS}/2024", X_Is_Resource_Name="true")[1]["name"] == "2024"


def test_a_project_is_created_with_its_creator_as_administrator(browser: Browser) -> None:
    status, _, headers = browser.ask(
        "POST", PROJECTS, {"project_name": "cargo", "metadata": {"public": "true"}}, basic("ada")
    )
    assert status == 201
    project = id_of(browser, "cargo")
    assert headers["location"] == f"{PROJECTS}/{project}"
    (member,) = ask(browser, "ada", "GET", f"{PROJECTS}/cargo/members")[1]
    assert (member["entity_name"], member["role_name"], member["project_id"]) == ("ada", "projectAdmin", project)
    document = ask(browser, "ada", "GET", headers["location"])[1]
    assert (document["owner_name"], document["metadata"]["public"]) == ("ada", "true")
    assert document["owner_id"] == ask(browser, "ada", "GET", "/api/v2.0/users/current")[1]["user_id"]


def test_the_location_has_the_name_where_the_client_asks_for_it(browser: Browser) -> None:
    headers = browser.ask(
        "POST", PROJECTS, {"project_name": "cargo"}, {**basic("ada"), "X-Resource-Name-In-Location": "true"}
    )[2]
    assert headers["location"] == f"{PROJECTS}/cargo"


@pytest.mark.parametrize(
    ("who", "document", "status"),
    [
        ("", {"project_name": "cargo"}, 401),
        ("bob", {"project_name": "cargo"}, 403),
        ("ada", {"project_name": "ships"}, 409),
        ("ada", {"project_name": "Cargo!"}, 400),
        ("ada", {"project_name": ""}, 400),
        ("ada", {}, 400),
        ("ada", {"project_name": 7}, 400),
        ("ada", {"project_name": "cargo", "metadata": []}, 400),
        ("ada", {"project_name": "cargo", "metadata": {"public": "perhaps"}}, 400),
        ("ada", {"project_name": "cargo", "metadata": {"prevent_vul": "true"}}, 400),
        ("ada", {"project_name": "cargo", "registry_id": 3}, 400),
    ],
)
def test_a_project_that_cannot_be_created_is_not(browser: Browser, who: str, document: Any, status: int) -> None:
    assert ask(browser, who, "POST", PROJECTS, document)[0] == status
    assert [one.name for one in browser.desk.directory.list_projects()] == ["open", "ships"]


@pytest.mark.parametrize(
    ("who", "ships", "absent"), [("ada", 200, 404), ("bob", 200, 403), ("eve", 403, 403), ("", 401, 401)]
)
def test_whether_a_project_exists_is_a_head(browser: Browser, who: str, ships: int, absent: int) -> None:
    for name, status in [("ships", ships), ("absent", absent)]:
        assert ask(browser, who, "HEAD", f"{PROJECTS}?project_name={name}")[0] == status
    assert ask(browser, "ada", "HEAD", f"{PROJECTS}?project_name=No%20name")[0] == 404


def test_a_project_shows_an_empty_list_of_cves_and_takes_no_other(browser: Browser) -> None:
    shown = ask(browser, "ada", "GET", SHIPS)[1]
    number = shown["project_id"]
    assert shown["cve_allowlist"].items() >= {"id": number, "project_id": number, "items": []}.items()
    assert ask(browser, "ada", "PUT", SHIPS, shown)[0] == 200
    for wrong, code in [
        ({"items": [{"cve_id": "CVE-1"}]}, "UNSUPPORTED"), ({"items": "CVE-1"}, "BAD_REQUEST"), ([], "BAD_REQUEST"),
    ]:  # fmt: skip
        for method, path in (("PUT", SHIPS), ("POST", PROJECTS)):
            status, said = ask(browser, "ada", method, path, {"project_name": "cargo", "cve_allowlist": wrong})
            assert (status, said["errors"][0]["code"]) == (400, code)


def test_a_summary_counts_members_for_who_may_list_them(browser: Browser) -> None:
    browser.desk.accounts.set_member("ships", "eve", Role.LIMITED_GUEST)
    counts = {"project_admin_count", "maintainer_count", "developer_count", "guest_count", "limited_guest_count"}
    for who, path, seen in (("bob", SHIPS, counts), ("eve", SHIPS, set()), ("", f"{PROJECTS}/open", set())):
        assert ask(browser, who, "GET", f"{path}/summary")[1].keys() & counts == seen


def test_metadata_that_is_not_named_stays(browser: Browser) -> None:
    assert ask(browser, "ada", "PUT", f"{PROJECTS}/open", {"metadata": {"auto_scan": "true"}})[0] == 200
    assert ask(browser, "", "GET", f"{PROJECTS}/open")[0] == 200
    assert ask(browser, "ada", "PUT", f"{PROJECTS}/open", {"metadata": {"public": "false"}})[0] == 200
    assert ask(browser, "", "GET", f"{PROJECTS}/open")[0] == 401


def test_members_are_added_changed_and_removed(browser: Browser) -> None:
    assert ask(browser, "ada", "POST", f"{SHIPS}/members", {"role_id": 2, "member_user": {"username": "eve"}})[0] == 201
    members = {one["entity_name"]: one for one in ask(browser, "ada", "GET", f"{SHIPS}/members")[1]}
    assert members["eve"]["role_name"] == "developer"
    path = f"{SHIPS}/members/{members['eve']['id']}"
    assert ask(browser, "ada", "PUT", path, {"role_id": 5})[0] == 200
    assert ask(browser, "ada", "GET", path)[1]["role_name"] == "limitedGuest"
    assert ask(browser, "eve", "GET", f"{SHIPS}/members")[0] == 403  # a limited guest sees no members
    assert ask(browser, "ada", "DELETE", path)[0] == 200
    assert ask(browser, "eve", "GET", SHIPS)[0] == 403
    assert ask(browser, "ada", "DELETE", path)[0] == 404


def test_a_member_is_named_by_the_users_id_too(browser: Browser) -> None:
    eve = ask(browser, "ada", "GET", "/api/v2.0/users/search?username=eve")[1][0]["user_id"]
    document = {"role_id": 1, "member_user": {"user_id": eve}, "member_group": {}}
    status, _, headers = browser.ask("POST", f"{SHIPS}/members", document, basic("ada"))
    assert status == 201
    assert ask(browser, "ada", "GET", headers["location"])[1]["entity_id"] == eve


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"role_id": 2, "member_user": {"username": "bob"}}, 409),
        ({"role_id": 2, "member_user": {"username": "nobody"}}, 404),
        ({"role_id": 2, "member_user": {"user_id": 77}}, 404),
        ({"role_id": 2, "member_user": {"username": "Bob!"}}, 400),
        ({"role_id": 9, "member_user": {"username": "eve"}}, 400),
        ({"role_id": "2", "member_user": {"username": "eve"}}, 400),
        ({"role_id": True, "member_user": {"username": "eve"}}, 400),
        ({"role_id": 2}, 400),
        ({"role_id": 2, "member_user": {}}, 400),
        ({"role_id": 2, "member_group": {"id": 3}}, 404),
    ],
)
def test_a_member_that_cannot_be_added_is_not(browser: Browser, document: Any, status: int) -> None:
    assert ask(browser, "ada", "POST", f"{SHIPS}/members", document)[0] == status
    assert len(browser.desk.directory.list_members(browser.desk.directory.list_projects()[1].name)) == 1


def test_a_member_of_another_project_is_not_found(browser: Browser) -> None:
    browser.desk.accounts.set_member("open", "eve", Role.GUEST)
    (other,) = ask(browser, "ada", "GET", f"{PROJECTS}/open/members")[1]
    for method, document in [("GET", None), ("PUT", {"role_id": 1}), ("DELETE", None)]:
        assert ask(browser, "ada", method, f"{SHIPS}/members/{other['id']}", document)[0] == 404


@pytest.mark.parametrize("role", list(Role))
def test_only_an_administrator_of_the_project_changes_it(browser: Browser, role: Role) -> None:
    browser.desk.accounts.set_member("ships", "eve", role)
    expected = 200 if role is Role.ADMIN else 403
    assert ask(browser, "eve", "PUT", SHIPS, {"metadata": {"public": "false"}})[0] == expected
    bob = next(one for one in ask(browser, "ada", "GET", f"{SHIPS}/members")[1] if one["entity_name"] == "bob")
    assert ask(browser, "eve", "PUT", f"{SHIPS}/members/{bob['id']}", {"role_id": 2})[0] == expected


def test_a_change_leaves_one_event_in_the_name_of_the_caller(browser: Browser) -> None:
    before = len(browser.desk.directory.events)
    ask(browser, "ada", "PUT", SHIPS, {"metadata": {"public": "true"}})
    (event,) = browser.desk.directory.events[before:]
    assert (event.operation, event.project, event.actor.name) == (Operation.CHANGE_PROJECT, "ships", "ada")
    assert (event.actor.kind, event.actor.source_ip) == (ActorKind.USER, "192.0.2.7")


def test_the_summary_counts_members_by_role(browser: Browser) -> None:
    browser.desk.accounts.set_member("ships", "eve", Role.ADMIN)
    summary = ask(browser, "bob", "GET", f"{SHIPS}/summary")[1]
    assert (summary["guest_count"], summary["project_admin_count"], summary["developer_count"]) == (1, 1, 0)
