"""What the access token of a provider's person is worth, once the provider has changed its mind."""

from __future__ import annotations

import pytest

from roadstead.identity.directory import Role
from roadstead.identity.groups import Group, GroupKind
from tests.oidc_provider.place import CURRENT, Place, sign_in, user_of
from tests.unit.functions.management.client import Browser

SHIPS = "/api/v2.0/projects/ships"
DAY = 86_400


@pytest.fixture
def token(place: Place) -> dict[str, str]:
    """An access token of grace, a developer of `ships` by the provider's group `devs`."""
    devs = place.desk.directory.create_group(Group(GroupKind.OIDC, "devs", 0))
    ships = place.desk.accounts.find_project("ships")
    assert ships is not None
    place.desk.directory.set_group_role(ships.name, devs.id, Role.DEVELOPER)
    browser = place.browser()
    assert sign_in(browser, place.person(), "1234") == 302
    assert user_of(browser)["username"] == "grace"  # with the CSRF token of the session
    new = {"name": "laptop", "access": "write", "duration": -1}
    status, made, _ = browser.ask("POST", "/api/roadstead/v1/users/current/tokens", new)
    assert status == 201
    return {"Authorization": f"Bearer {made['token']}"}


def status_of(place: Place, token: dict[str, str], path: str) -> int:
    return Browser(place.desk).ask("GET", path, None, token)[0]


def test_a_token_loses_the_group_with_the_sign_in_that_shows_it_gone(place: Place, token: dict[str, str]) -> None:
    assert status_of(place, token, SHIPS) == 200
    place.provider.tell(people={"1234": {"preferred_username": "grace", "groups": []}})
    assert status_of(place, token, SHIPS) == 200  # nobody has told the registry yet
    assert sign_in(place.browser(), place.person(), "1234") == 302
    assert (status_of(place, token, SHIPS), status_of(place, token, CURRENT)) == (403, 200)


def test_a_token_is_suspended_thirty_days_after_the_last_sign_in_until_the_next(
    place: Place, token: dict[str, str]
) -> None:
    place.provider.tell(people={"1234": {"preferred_username": "grace", "groups": []}}, idTokenSeconds=DAY)
    place.desk.now += DAY / 2
    assert sign_in(place.browser(), place.person(), "1234") == 302  # something changes, so it is written down
    place.desk.now += 30 * DAY - 60
    assert status_of(place, token, CURRENT) == 200
    place.desk.now += 120
    assert status_of(place, token, CURRENT) == 401
    place.provider.tell(people={"1234": {"preferred_username": "grace", "groups": ["devs"]}})
    place.desk.now -= 30 * DAY
    assert sign_in(place.browser(), place.person(), "1234") == 302
    place.desk.now += 30 * DAY - 60
    assert status_of(place, token, SHIPS) == 200


def test_who_is_gone_at_the_provider_signs_in_no_more_and_the_token_ends_by_itself(
    place: Place, token: dict[str, str]
) -> None:
    place.provider.tell(people={"5678": {"preferred_username": "linus"}})
    browser = place.browser()
    with pytest.raises(AssertionError, match="nobody has that name"):
        sign_in(browser, place.person(), "1234")
    assert user_of(browser) == {}
    place.desk.now += 30 * DAY + 60
    assert status_of(place, token, CURRENT) == 401


def test_an_account_that_is_disabled_or_deleted_here_is_worthless_at_once(place: Place, token: dict[str, str]) -> None:
    place.desk.accounts.set_disabled("grace", True)
    assert status_of(place, token, CURRENT) == 401
    assert sign_in(place.browser(), place.person(), "1234") == 403
    place.desk.accounts.set_disabled("grace", False)
    assert status_of(place, token, CURRENT) == 200
    place.desk.accounts.remove_user("grace")
    assert status_of(place, token, CURRENT) == 401
