"""Two of npm's providers side by side: nobody of the one becomes anybody of the other."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from roadstead.identity.directory import Role, UserName
from roadstead.identity.groups import Group, GroupKind
from tests.oidc_provider import NpmProvider
from tests.oidc_provider.place import Place, begin, come_back, parameters, sign_in, user_of

NEWCOMER = "/api/roadstead/v1/sign-in/newcomer"


@pytest.fixture
def both(place: Place, labs: NpmProvider) -> Place:
    place.add("labs", labs)
    return place


def test_each_provider_signs_its_people_in(both: Place, labs: NpmProvider) -> None:
    labs.tell(people={"1234": {"preferred_username": "margaret"}})
    first, second = both.browser(), both.browser()
    assert sign_in(first, both.person(), "1234") == 302
    assert sign_in(second, both.person(), "1234", "labs") == 302
    assert (user_of(first)["username"], user_of(second)["username"]) == ("grace", "margaret")
    subjects = {one: both.desk.directory.find_user(UserName(one)) for one in ("grace", "margaret")}
    assert {one: user.subject for one, user in subjects.items() if user} == {
        "grace": f"{both.provider.issuer}\n1234",
        "margaret": f"{labs.issuer}\n1234",
    }


@pytest.mark.parametrize("first", ["", "labs"])
def test_a_name_is_of_the_provider_that_onboarded_it(both: Place, labs: NpmProvider, first: str) -> None:
    """The same name and the same subject, at two providers: whoever comes second is refused."""
    labs.tell(people={"1234": {"preferred_username": "Grace"}})
    second = "" if first else "labs"
    mine, other = both.browser(), both.browser()
    assert sign_in(mine, both.person(), "1234", first) == 302
    assert sign_in(other, both.person(), "1234", second) == 403
    assert (user_of(mine)["username"], user_of(other)) == ("grace", {})
    assert sign_in(both.browser(), both.person(), "1234", first) == 302


def test_who_is_refused_a_name_may_choose_another_where_names_are_chosen(both: Place, labs: NpmProvider) -> None:
    labs.tell(people={"1234": {"preferred_username": "Grace"}})
    both.add("labs", labs, auto_onboard=False)
    assert sign_in(both.browser(), both.person(), "1234") == 302
    browser = both.browser()
    assert sign_in(browser, both.person(), "1234", "labs") == 302
    assert user_of(browser) == {}
    assert browser.ask("GET", NEWCOMER)[1]["provider"] == "labs"
    assert browser.ask("POST", NEWCOMER, {"name": "grace"})[0] == 409
    assert browser.ask("POST", NEWCOMER, {"name": "grace-of-labs"})[0] == 201
    assert user_of(browser)["username"] == "grace-of-labs"


def test_somebody_whose_name_changes_at_the_provider_keeps_the_account_under_the_old_name(both: Place) -> None:
    assert sign_in(both.browser(), both.person(), "1234") == 302
    both.provider.tell(people={"1234": {"preferred_username": "hopper"}, "9": {"preferred_username": "grace"}})
    browser, other = both.browser(), both.browser()
    assert sign_in(browser, both.person(), "1234") == 302
    assert user_of(browser)["username"] == "grace"
    assert both.desk.directory.find_user(UserName("hopper")) is None
    assert sign_in(other, both.person(), "9") == 403  # who has the old name now is somebody else
    assert user_of(other) == {}


def test_a_response_counts_for_the_provider_alone_that_the_sign_in_began_at(both: Place, labs: NpmProvider) -> None:
    """A provider that leads the browser to another one gets no code of it (RFC 9700 section 4.4)."""
    labs.tell(people={"1234": {"preferred_username": "grace"}})
    browser = both.browser()
    response = both.person().answer(begin(browser, "?provider=labs"), "1234")
    assert come_back(browser, response) == 403
    begun = begin(browser)
    code = both.person().answer(begin(both.browser(), "?provider=labs"), "1234")["code"]
    mixed = {"state": parameters(begun)["state"], "code": code, "iss": labs.issuer}
    assert browser.ask("GET", f"/c/oidc/callback?{urlencode(mixed)}")[0] == 403
    assert user_of(browser) == {}


def test_a_provider_puts_nobody_into_groups_of_another(both: Place, labs: NpmProvider) -> None:
    directory = both.desk.directory
    first, second = (directory.create_group(Group(GroupKind.OIDC, name, 0)) for name in ("devs", "@labs/devs"))
    ships, open_ = (both.desk.accounts.find_project(name) for name in ("ships", "open"))
    assert ships is not None and open_ is not None
    directory.set_group_role(ships.name, first.id, Role.DEVELOPER)
    directory.set_group_role(open_.name, second.id, Role.MAINTAINER)
    both.provider.tell(people={"1": {"preferred_username": "ann", "groups": ["devs", "@labs/devs", "admins"]}})
    labs.tell(people={"1": {"preferred_username": "lea", "groups": ["devs", "admins"]}})
    ann, lea = both.browser(), both.browser()
    assert sign_in(ann, both.person(), "1") == 302
    assert sign_in(lea, both.person(), "1", "labs") == 302
    groups = {name: user.groups for name in ("ann", "lea") if (user := directory.find_user(UserName(name)))}
    assert groups == {"ann": (first.id,), "lea": (second.id,)}
    # The group of administrators is one of the first provider.
    assert (user_of(ann)["sysadmin_flag"], user_of(lea)["sysadmin_flag"]) == (True, False)


def test_signing_out_goes_to_the_provider_that_signed_the_person_in(both: Place, labs: NpmProvider) -> None:
    labs.tell(people={"1234": {"preferred_username": "margaret"}})
    browser, person = both.browser(), both.person()
    assert sign_in(browser, person, "1234", "labs") == 302
    location = browser.ask("GET", "/c/log_out")[2]["location"]
    assert location.startswith(f"{labs.issuer}/session/end?")
    assert person.sign_out(location) == "https://registry.example/ui"
    assert person.is_asked(begin(both.browser(), "?provider=labs"))


def test_one_provider_that_is_down_hinders_nobody_of_the_other(both: Place, labs: NpmProvider) -> None:
    labs.stop()
    try:
        assert both.browser().ask("GET", "/c/oidc/login?provider=labs")[0] == 503
        assert sign_in(both.browser(), both.person(), "1234") == 302
    finally:
        labs.start()
