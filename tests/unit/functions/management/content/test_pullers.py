"""Who pulled an artifact: named to those who may read the trail, the last one first."""

from __future__ import annotations

import pytest

from roadstead.digest import Digest
from roadstead.identity.directory import Role
from roadstead.trail.pull_counts import Puller, Pulls
from tests.unit.functions.management.client import Browser, Desk, basic

PATH = "/api/roadstead/v1/projects/ships/repositories/team%252Fweb/artifacts"
REPOSITORY = "ships/team/web"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def _pull(desk: Desk, digest: Digest, actor: str, count: int, seconds: float) -> None:
    pulls = {Puller(REPOSITORY, digest, actor): Pulls(count, int((desk.now + seconds) * 1000))}
    desk.pulls.add(f"{actor} {seconds}", {}, pulls)


def test_pullers_of_a_tag_are_listed_the_last_one_first(desk: Desk) -> None:
    digest, other = desk.push(REPOSITORY, "v1"), desk.push(REPOSITORY, "v2", size=7)
    _pull(desk, digest, "bob", 2, 10)
    _pull(desk, digest, "robot$ships+ci", 40, 30)
    _pull(desk, digest, "", 5, 20)
    _pull(desk, other, "eve", 1, 40)
    browser = Browser(desk)
    status, found, headers = browser.ask("GET", f"{PATH}/v1/pullers", headers=basic("ada"))
    assert (status, headers["x-total-count"]) == (200, "3")
    assert [(one["name"], one["pull_count"]) for one in found] == [("robot$ships+ci", 40), (None, 5), ("bob", 2)]
    assert browser.ask("GET", f"{PATH}/{digest}/pullers", headers=basic("ada"))[1] == found
    page = browser.ask("GET", f"{PATH}/v1/pullers?page=2&page_size=2", headers=basic("ada"))[1]
    assert page == found[2:]


def test_an_artifact_that_nobody_pulled_has_an_empty_list_and_an_absent_one_is_404(desk: Desk) -> None:
    desk.push(REPOSITORY, "v1")
    assert Browser(desk).ask("GET", f"{PATH}/v1/pullers", headers=basic("ada"))[:2] == (200, [])
    for absent in ("v2", "sha256:" + "0" * 64, "not%20one"):
        assert Browser(desk).ask("GET", f"{PATH}/{absent}/pullers", headers=basic("ada"))[0] == 404


def test_pulls_from_an_earlier_project_of_the_name_are_not_shown(desk: Desk) -> None:
    digest = desk.push(REPOSITORY, "v1")
    _pull(desk, digest, "bob", 2, -3_600)
    assert Browser(desk).ask("GET", f"{PATH}/v1/pullers", headers=basic("ada"))[1] == []


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.ADMIN])
def test_who_may_not_read_the_trail_learns_no_names(desk: Desk, role: Role) -> None:
    desk.push(REPOSITORY, "v1")
    desk.accounts.set_member("ships", "bob", role)
    assert Browser(desk).ask("GET", f"{PATH}/v1/pullers", headers=basic("bob"))[0] == 403
    assert Browser(desk).ask("GET", f"{PATH}/v1/pullers")[0] == 401
