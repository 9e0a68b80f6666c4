"""The access that a token grants, by name and as sets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roadstead.identity.access import CATALOG_ACCESS, Access
from roadstead.identity.tokens.granted import MAX_ACCESS, MAX_PROJECTS, MAX_SETS, SURELY_FIT, Granted, fits
from roadstead.identity.tokens.minting import MAX_TOKEN
from roadstead.names import MAX_REPOSITORY_NAME, ProjectName, RepositoryName
from tests.unit.identity.parts import Harbour, by_password


def repositories(count: int, *, projects: int = 1) -> list[Access]:
    """Access to repositories whose names have 40 characters."""
    found = []
    for number in range(count):
        project = f"mirror-{number % projects}/"
        found.append(Access.to(project + f"{number:x}".rjust(40 - len(project), "z"), "pull", "push"))
    return found


@pytest.mark.parametrize("projects", [1, 10, 30])
def test_a_token_for_500_repositories_is_granted_and_leaves_room_in_the_headers(projects: int) -> None:
    harbour = Harbour()
    harbour.accounts.create_user("root", "correct horse battery", admin=True)
    for number in range(projects):
        harbour.accounts.create_project(f"mirror-{number}")
    asked = repositories(500, projects=projects)
    issued = harbour.issue(by_password("root"), *(access.scope() for access in asked))
    assert len(issued.minted.token) <= MAX_TOKEN < 10_240 - 3_000
    granted = harbour.verifier.verify(issued.minted.token).granted
    assert all(granted.permits(access) for access in asked)
    assert not any(granted.permits(Access.to(access.name, "delete")) for access in asked)
    assert not granted.permits(Access.to("mirror-0/another", "pull"))
    assert not granted.permits(Access.to("another/" + asked[0].name.partition("/")[2], "pull"))


def test_a_short_grant_lists_names_and_a_long_one_sets() -> None:
    short, long = Granted.of(repositories(15)), Granted.of(repositories(30))
    assert short == Granted(tuple(repositories(15)))
    assert (long.access, len(long.sets)) == ((), 1)
    assert short.as_claims().keys() == {"access"}
    assert Granted.from_claims(json.loads(json.dumps(long.as_claims()))) == long


def test_a_refused_repository_is_mentioned_in_both_forms() -> None:
    refused = Access("repository", "acme/ships", frozenset())
    for granted in (Granted.of([refused]), Granted.of([refused, *repositories(30)])):
        assert granted.mentions(RepositoryName("acme/ships"))
        assert not granted.mentions(RepositoryName("acme/boats"))
        assert not granted.permits(Access.to("acme/ships", "pull"))


def test_the_catalog_is_listed_beside_sets() -> None:
    granted = Granted.of([*repositories(30), CATALOG_ACCESS, Access("plugin", "x", frozenset())])
    assert granted.access == (CATALOG_ACCESS,)
    assert granted.permits(CATALOG_ACCESS)


def test_repositories_are_listed_by_project_as_far_as_their_names_are_known() -> None:
    granted = Granted.of([Access.to("a/b", "pull"), Access.to("c/d", "pull"), Access("repository", "A/B", frozenset())])
    assert list(granted.repositories(ProjectName("a"))) == ["a/b"]
    assert list(Granted.of(repositories(30)).repositories(ProjectName("mirror-0"))) == []


def test_repositories_of_more_projects_than_one_read_finds_do_not_fit() -> None:
    assert fits(repositories(MAX_PROJECTS, projects=MAX_PROJECTS))
    assert not fits(repositories(MAX_PROJECTS + 1, projects=MAX_PROJECTS + 1))


def test_a_few_scopes_fit_however_long_their_names_are() -> None:
    asked = [Access.to(f"{number:0>{MAX_REPOSITORY_NAME - 2}}/a", "*") for number in range(SURELY_FIT)]
    granted = Granted.of(Access.to(RepositoryName.parse(one.name), "pull", "push", "delete") for one in asked)
    assert (len(granted.sets), granted.fits) == (SURELY_FIT, True)
    assert fits(asked)


def test_more_repositories_than_the_sets_hold_do_not_fit() -> None:
    most = (MAX_SETS - len('[["mirror-0",3,""]]')) // 16 * 3
    assert fits(repositories(most))
    assert not fits(repositories(most + 3))


def test_a_star_counts_as_all_that_it_may_become() -> None:
    star = [Access("repository", f"acme/{number}", frozenset({"*"})) for number in range(500)]
    none = [Access("repository", f"acme/x{number}", frozenset({"fly"})) for number in range(200)]
    granted = [Access.to(access.name, "pull", "push", "delete") for access in star] + none
    assert fits(star + none)
    assert len(Granted.of(granted).sets) == 2


def test_the_form_is_that_of_the_documentation() -> None:
    granted = Granted.of([Access.to(f"acme/{number}", "pull", "delete") for number in range(40)])
    ((project, bits, names),) = granted.as_claims()["sets"]
    assert (project, bits, len(names)) == ("acme", 5, -(-40 * 4 * 4 // 3))
    assert len(json.dumps([access.as_claim() for access in granted.access])) < MAX_ACCESS


@pytest.mark.parametrize(
    "sets",
    [
        {},
        None,
        "sets",
        [{}],
        ["acme"],
        [["acme", 3]],
        [["acme", 3, "AAAA"]],
        [["acme", 3, "AAAAAAA="]],
        [["acme", 3, "AAAAAB"], []],
        [["acme", 3, "AAAAAA", []]],
        [["acme", 3, "AAAAAA", "ships/**"]],
        [["acme", 3, "AAAAAA", [1]]],
        [["acme", 3, "AAAAAA", ["ships/**"], 1]],
        [["acme", 8, "AAAAAA"]],
        [["acme", -1, "AAAAAA"]],
        [["acme", True, "AAAAAA"]],
        [["acme", "3", "AAAAAA"]],
        [["ACME", 3, "AAAAAA"]],
        [["acme/ships", 3, "AAAAAA"]],
        [[1, 3, "AAAAAA"]],
        [["acme", 3, 4]],
    ],
)
def test_sets_of_another_shape_are_refused(sets: Any) -> None:
    with pytest.raises(ValueError):
        Granted.from_claims({"access": [], "sets": sets})
