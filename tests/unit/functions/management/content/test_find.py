"""Finding projects, repositories, tags, digests and labels: what is found, and by whom."""

from __future__ import annotations

from typing import Any

import pytest

from functions.management.handlers.content import find as find_module
from roadstead.digest import Digest
from roadstead.identity.directory import Role
from tests.unit.functions.management.client import Browser, Desk, basic

PATH = "/api/roadstead/v1/search"
EMPTY: dict[str, list[Any]] = {
    "projects": [], "repositories": [], "tags": [], "artifacts": [], "labels": [], "more": []
}  # fmt: skip


@pytest.fixture
def desk() -> Desk:
    return Desk()


def find(desk: Desk, query: str, who: str = "ada", *, status: int = 200) -> Any:
    got, found, _ = Browser(desk).ask("GET", f"{PATH}?q={query}", headers=basic(who) if who else {})
    assert got == status
    return found


def label(desk: Desk, name: str, project: str = "") -> None:
    found = desk.accounts.find_project(project) if project else None
    scope = {"scope": "p", "project_id": found.id} if found is not None else {"scope": "g"}
    document = {"name": name, "color": "#2563eb", **scope}
    assert Browser(desk).ask("POST", "/api/v2.0/labels", document, basic("ada"))[0] == 201


def test_names_are_found_by_a_part_those_that_begin_with_it_first(desk: Desk) -> None:
    for name in ("ships/dhow", "ships/shipyard/tools", "open/a-ship", "open/canoe"):
        desk.push(name, "v1")
    found = find(desk, "SHIP")
    assert [one["name"] for one in found["projects"]] == ["ships"]
    assert [one["name"] for one in found["repositories"]] == ["ships/dhow", "ships/shipyard/tools", "open/a-ship"]
    assert found["more"] == []
    assert find(desk, "zzz") == EMPTY


@pytest.mark.parametrize(
    ("who", "projects", "repositories"),
    [
        ("ada", ["ships"], ["ships/dhow", "ships/galleon"]),
        ("bob", ["ships"], ["ships/dhow", "ships/galleon"]),
        ("eve", [], []),
        ("", [], []),
    ],
)
def test_nobody_finds_what_they_may_not_see(desk: Desk, who: str, projects: list[str], repositories: list[str]) -> None:
    digest = desk.push_image("ships/galleon", "v1")
    desk.push_image("ships/dhow", "v1", layer=b"lateen")
    desk.settle()
    label(desk, "ships-own", "ships")
    found = find(desk, "ships", who)
    assert [one["name"] for one in found["projects"]] == projects
    assert [one["name"] for one in found["repositories"]] == repositories
    assert [one["name"] for one in found["labels"]] == (["ships-own"] if projects else [])
    assert [one["name"] for one in find(desk, "galleon:v", who)["tags"]] == (["v1"] if projects else [])
    assert [one["repository"] for one in find(desk, digest, who)["artifacts"]] == repositories[1:]


def test_a_limited_member_finds_their_repositories_alone(desk: Desk) -> None:
    digest = desk.push_image("ships/team/web", "v1")
    desk.push_image("ships/other", "v1")
    desk.settle()
    desk.accounts.set_member("ships", "eve", Role.DEVELOPER, ("team/**",))
    assert [one["name"] for one in find(desk, "ships/", "eve")["repositories"]] == ["ships/team/web"]
    assert find(desk, "other:v", "eve")["tags"] == []
    assert [one["repository"] for one in find(desk, digest, "eve")["artifacts"]] == ["ships/team/web"]


@pytest.mark.parametrize(
    "form",
    [
        "{digest}",
        "{hex}",
        "ships/galleon@{digest}",
        "registry.example/ships/galleon@{digest}",
    ],
)
def test_a_digest_leads_to_every_repository_that_has_it(desk: Desk, form: str) -> None:
    digest = desk.push_image("ships/galleon", "v1")
    desk.push_image("open/galleon", "v1")
    desk.settle()
    found = find(desk, form.format(digest=digest, hex=digest.hex))
    assert [(one["repository"], one["is_manifest"]) for one in found["artifacts"]] == [
        ("open/galleon", True),
        ("ships/galleon", True),
    ]


def test_a_digest_of_a_layer_is_told_from_one_of_an_artifact(desk: Desk) -> None:
    desk.push_image("ships/galleon", "v1", layer=b"plank")
    desk.settle()
    (found,) = find(desk, Digest.of(b"plank"))["artifacts"]
    assert (found["repository"], found["is_manifest"]) == ("ships/galleon", False)
    assert find(desk, Digest.of(b"mast")) == EMPTY
    assert find(desk, Digest.of(b"plank")[:-1]) == EMPTY


def test_tags_are_found_in_repositories_by_the_end_of_their_names(desk: Desk) -> None:
    for repository in ("ships/web", "ships/team/web", "ships/cobweb", "open/web"):
        for tag in ("v1", "v2", "latest"):
            desk.push(repository, tag)
    found = find(desk, "web:v")
    assert [(one["repository"], one["name"]) for one in found["tags"]] == [
        ("open/web", "v1"), ("open/web", "v2"), ("ships/web", "v1"), ("ships/web", "v2"),
        ("ships/team/web", "v1"), ("ships/team/web", "v2"),
    ]  # fmt: skip
    assert [one["name"] for one in find(desk, "ships/team/web:latest")["tags"]] == ["latest"]
    for nothing in (":v1", "web:%C3%A9", f"web:{'v' * 129}", "/:v", "web:v1%00"):
        assert find(desk, nothing)["tags"] == []


def test_each_kind_is_cut_at_the_limit_and_says_so(desk: Desk) -> None:
    for number in range(3):
        desk.push(f"ships/web{number}", "v1")
        desk.push("ships/one", f"v{number}")
        label(desk, f"web{number}")
    found = find(desk, "web&limit=2")
    assert (len(found["repositories"]), len(found["labels"])) == (2, 2)
    assert found["more"] == ["repositories", "labels"]
    found = find(desk, "one:&limit=2")
    assert (len(found["tags"]), found["more"]) == (2, ["tags"])
    assert find(desk, "web&limit=3")["more"] == []


def test_labels_of_every_project_are_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_module, "MAX_READ", 3)
    names = [f"dock{number:02d}" for number in range(25)]
    for name in names:
        desk.accounts.create_project(name)
        label(desk, "old", name)
    label(desk, "older")
    found = find(desk, "OLD&limit=100")
    assert [(one["name"], one["scope"], one["project"]) for one in found["labels"]] == [
        *(("old", "p", name) for name in names),
        ("older", "g", None),
    ]
    assert found["more"] == []
    found = find(desk, "OLD&limit=25")
    assert (len(found["labels"]), found["more"]) == (25, ["labels"])


def test_tags_of_more_repositories_than_are_looked_through_are_said_to_be_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_module, "MAX_TAGGED", 2)
    for repository in ("ships/app", "ships/a/app"):
        desk.push(repository, "v1")
    assert find(desk, "app:v")["more"] == []
    desk.push("ships/the/longest/app", "v1")
    found = find(desk, "app:v")
    assert [one["repository"] for one in found["tags"]] == ["ships/app", "ships/a/app"]
    assert found["more"] == ["tags"]


@pytest.mark.parametrize("query", ["", "%20", "x" * 256, "x&limit=0", "x&limit=101", "x&limit=x", "x&limit=%C2%B2"])
def test_a_malformed_question_is_a_bad_request(desk: Desk, query: str) -> None:
    find(desk, query, status=400)
