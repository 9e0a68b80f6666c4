"""Names that look like parts of a path, and that the name which is authorised is the one that is served."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.identity.directory import Role
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic

HARBOR = "/api/v2.0"
ADA = basic("ada")
TRICKY = "a/artifacts/b/tags/c"
encodings: dict[str, Callable[[str], str]] = {
    "raw": lambda name: name,
    "once": lambda name: quote(name, safe=""),
    "twice": lambda name: quote(quote(name, safe=""), safe=""),
}


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


@pytest.mark.parametrize("project", ["api", "v2", "c", "2024", "library", "token", "ui"])
def test_a_project_and_a_repository_may_be_named_like_a_path(browser: Browser, project: str) -> None:
    assert browser.ask("POST", f"{HARBOR}/projects", {"project_name": project}, ADA)[0] == 201
    digest = browser.desk.push(f"{project}/{TRICKY}", "nil")
    by_name = {**ADA, "X-Is-Resource-Name": "true"}
    assert browser.ask("GET", f"{HARBOR}/projects/{project}", headers=by_name)[1]["name"] == project
    for encode in ("once", "twice"):
        path = f"{HARBOR}/projects/{project}/repositories/{encodings[encode](TRICKY)}"
        assert browser.ask("GET", path, headers=ADA)[1]["name"] == f"{project}/{TRICKY}"
        (artifact,) = browser.ask("GET", f"{path}/artifacts", headers=ADA)[1]
        assert (artifact["digest"], [tag["name"] for tag in artifact["tags"]]) == (digest, ["nil"])
        assert browser.ask("GET", f"{path}/artifacts/nil", headers=ADA)[1]["digest"] == digest
        (named,) = browser.ask("GET", f"{path}/artifacts?q=tags%3Dnil", headers=ADA)[1]  # or those without a tag
        assert named["digest"] == digest
        assert browser.ask("GET", f"{path}/artifacts/nil/tags", headers=ADA)[1][0]["name"] == "nil"


@pytest.mark.parametrize("name", ["..", ".", "a/../b", "%25252F", "a%252525b", "A", "-a", "a//b", "a%00b"])
def test_a_name_that_cannot_be_one_is_refused(browser: Browser, name: str) -> None:
    for encode in encodings.values():
        for rest in ("", "/artifacts", "/artifacts/v1"):
            status, said, _ = browser.ask(
                "GET", f"{HARBOR}/projects/ships/repositories/{encode(name)}{rest}", headers=ADA
            )
            assert status in (400, 404), (name, rest, said)
            assert said["errors"][0]["message"]


@cache
def harbour() -> Browser:
    """With `lim`, who may see `team/**` of `ships` alone."""
    desk = Desk()
    desk.accounts.create_user("lim", PASSWORD)
    desk.accounts.set_member("ships", "lim", Role.DEVELOPER, ("team/**",))
    for repository in ("team/web", "team/a/b", "other", "other/team/web", "teams/web", "team"):
        desk.push(f"ships/{repository}", "v1")
    return Browser(desk)


parts = st.sampled_from(["team", "other", "web", "a", "b", "teams", "..", ".", "artifacts", "tags", "v1", ""])


@given(
    name=st.lists(parts, min_size=1, max_size=4).map("/".join),
    encode=st.sampled_from(sorted(encodings)),
    rest=st.sampled_from(["", "/artifacts", "/artifacts/v1", "/artifacts/v1/tags"]),
)
def test_what_is_served_is_what_was_authorised(name: str, encode: str, rest: str) -> None:
    path = f"{HARBOR}/projects/ships/repositories/{encodings[encode](name)}{rest}"
    browser = harbour()
    status, said, _ = browser.ask("GET", path, headers=basic("lim"))
    assert status in (200, 400, 401, 403, 404)
    if status == 200 and isinstance(said, dict) and "name" in said:
        assert said["name"].startswith("ships/team/")
    if status == 200 and rest and encode != "raw":
        assert name.startswith("team/")


@pytest.mark.parametrize("who", ["eve", ""])
def test_what_the_caller_cannot_see_is_shown_nowhere(browser: Browser, who: str) -> None:
    """`ships` is private."""
    browser.desk.push("ships/galleon", "v1")
    headers = basic(who) if who else {}
    refused = 403 if who else 401
    for path in ("", "/_deletable", "/summary", "/repositories", "/members", "/webhook/policies"):
        assert browser.ask("GET", f"{HARBOR}/projects/ships{path}", headers=headers)[0] == refused
        assert browser.ask("GET", f"{HARBOR}/projects/nowhere{path}", headers=headers)[0] == refused
    found = browser.ask("GET", f"{HARBOR}/search?q=", headers=headers)
    assert found[0] == 200 and "ships" not in str(found[1])
    assert "ships" not in str(browser.ask("GET", f"{HARBOR}/projects", headers=headers)[1])
    assert "ships" not in str(browser.ask("GET", f"{HARBOR}/repositories", headers=headers)[1])
    assert browser.ask("HEAD", f"{HARBOR}/projects?project_name=ships", headers=headers)[0] == refused
