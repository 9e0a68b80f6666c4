"""Counts over what the caller may see."""

from __future__ import annotations

import pytest

from tests.unit.functions.management.client import Browser, Desk, basic

STATISTICS = "/api/v2.0/statistics"


@pytest.fixture
def browser() -> Browser:
    made = Browser(Desk())
    made.desk.push_image("ships/galleon", "v1")
    made.desk.push_image("ships/sloop", "v1")
    made.desk.push_image("open/boat", "v1")
    made.desk.settle()
    return made


@pytest.mark.parametrize(
    ("who", "private", "total"), [("ada", (1, 2), (2, 3)), ("bob", (1, 2), (0, 0)), ("eve", (0, 0), (0, 0))]
)
def test_counts_are_of_what_the_caller_may_see(
    browser: Browser, who: str, private: tuple[int, int], total: tuple[int, int]
) -> None:
    status, document, _ = browser.ask("GET", STATISTICS, None, basic(who))
    assert status == 200
    assert (document["private_project_count"], document["private_repo_count"]) == private
    assert (document["public_project_count"], document["public_repo_count"]) == (1, 1)
    assert (document["total_project_count"], document["total_repo_count"]) == total
    assert (document["total_storage_consumption"] > 0) == (who == "ada")


def test_statistics_need_a_sign_in(browser: Browser) -> None:
    assert browser.ask("GET", STATISTICS)[0] == 401
