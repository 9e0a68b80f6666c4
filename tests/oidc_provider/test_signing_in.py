"""Signing in by npm's provider: whole ways of a browser, there and back."""

from __future__ import annotations

import json
import logging

import pytest

from roadstead import base64url
from roadstead.identity.directory import Role, UserName
from roadstead.identity.groups import Group, GroupKind
from tests.oidc_provider.place import Place, begin, come_back, parameters, sign_in, user_of
from tests.unit.functions.management.client import Browser

COOKIE = "__Host-roadstead-oidc"


@pytest.mark.parametrize("in_token", [False, True])
def test_a_person_signs_in_with_the_claims_of_userinfo_or_of_the_token(place: Place, in_token: bool) -> None:
    place.provider.tell(claimsInIdToken=in_token)
    browser = place.browser()
    assert sign_in(browser, place.person(), "1234") == 302
    assert user_of(browser)["username"] == "grace"
    found = place.desk.directory.find_user(UserName("grace"))
    assert found is not None
    assert (found.provider, found.subject) == ("oidc", f"{place.provider.issuer}\n1234")


def test_a_client_without_a_secret_signs_people_in_by_pkce_alone(place: Place) -> None:
    public = {**place.provider.clients[0], "token_endpoint_auth_method": "none"}
    del public["client_secret"]
    place.provider.tell(clients=[public])
    place.configure(oidc_client_secret="")
    browser = place.browser()
    assert sign_in(browser, place.person(), "1234") == 302
    assert user_of(browser)["username"] == "grace"


@pytest.mark.parametrize("secret", ["verifier", "nonce"])
def test_a_sign_in_is_worth_nothing_without_the_secrets_that_it_began_with(place: Place, secret: str) -> None:
    """A wrong verifier is refused by the provider, a token with another nonce by the registry."""
    browser = place.browser()
    response = place.person().answer(begin(browser), "1234")
    kept = json.loads(base64url.decode(browser.cookies[COOKIE]))
    browser.cookies[COOKIE] = base64url.encode(json.dumps({**kept, secret: "A" * 43}).encode())
    assert come_back(browser, response) == 403
    assert user_of(browser) == {}


def test_a_code_of_another_sign_in_is_refused(place: Place) -> None:
    mine, other = place.browser(), place.browser()
    stolen = place.person().answer(begin(other), "1234")["code"]
    response = place.person().answer(begin(mine), "5678")
    assert come_back(mine, {**response, "code": stolen}) == 403
    assert user_of(mine) == {}


def test_a_code_that_the_provider_has_taken_already_is_refused(place: Place) -> None:
    browser, person = place.browser(), place.person()
    first = person.answer(begin(browser), "1234")
    assert come_back(browser, first) == 302
    again = place.browser()
    second = person.answer(begin(again), "1234")
    assert come_back(again, {**second, "code": first["code"]}) == 403
    assert user_of(again) == {}


def test_a_person_who_cancels_is_told_why_and_not_signed_in(place: Place) -> None:
    browser = place.browser()
    response = place.person().answer(begin(browser), None)
    assert response["error"] == "access_denied"
    assert come_back(browser, response) == 403
    assert user_of(browser) == {}


def test_a_response_must_name_the_provider_that_says_it_does(place: Place) -> None:
    """RFC 9207: so no other provider's response is taken for this one's."""
    for issuer in (None, "https://other.example"):
        browser = place.browser()
        response = place.person().answer(begin(browser), "1234")
        assert response.pop("iss") == place.provider.issuer
        assert come_back(browser, response if issuer is None else {**response, "iss": issuer}) == 403
        assert user_of(browser) == {}


def test_an_identity_token_that_has_expired_is_refused(place: Place) -> None:
    place.provider.tell(idTokenSeconds=30)
    browser = place.browser()
    response = place.person().answer(begin(browser), "1234")
    place.desk.now += 120  # the token's 30 seconds, the minute by which clocks may differ, and half a minute
    assert come_back(browser, response) == 403
    assert user_of(browser) == {}


def test_groups_and_the_administrators_group_are_those_of_the_last_sign_in(place: Place) -> None:
    devs = place.desk.directory.create_group(Group(GroupKind.OIDC, "devs", 0))
    ships = place.desk.accounts.find_project("ships")
    assert ships is not None
    place.desk.directory.set_group_role(ships.name, devs.id, Role.DEVELOPER)
    browser, admin = place.browser(), place.browser()
    assert sign_in(browser, place.person(), "1234") == 302
    assert browser.ask("GET", "/api/v2.0/projects/ships")[0] == 200
    assert sign_in(admin, place.person(), "5678") == 302
    assert (user_of(browser)["sysadmin_flag"], user_of(admin)["sysadmin_flag"]) == (False, True)
    place.provider.tell(people={"1234": {"preferred_username": "grace"}, "5678": {"preferred_username": "linus"}})
    for one, login in ((browser, "1234"), (admin, "5678")):
        assert sign_in(one, place.person(), login) == 302
        assert user_of(one)["sysadmin_flag"] is False
        assert one.ask("GET", "/api/v2.0/projects/ships")[0] == 403


def test_keys_that_the_provider_rotated_are_read_again(place: Place) -> None:
    assert sign_in(place.browser(), place.person(), "1234") == 302
    before = place.provider.tell()["kid"]
    assert place.provider.tell(rotate=True)["kid"] != before
    browser = place.browser()
    assert sign_in(browser, place.person(), "1234") == 302
    assert user_of(browser)["username"] == "grace"


def test_signing_out_ends_the_session_at_the_provider_too(place: Place) -> None:
    browser, person = place.browser(), place.person()
    assert sign_in(browser, person, "1234") == 302
    assert not person.is_asked(begin(place.browser()))
    status, _, headers = browser.ask("GET", "/c/log_out")
    assert status == 302
    assert user_of(browser) == {}
    assert person.sign_out(headers["location"]) == "https://registry.example/ui"
    assert person.is_asked(begin(place.browser()))


def test_a_provider_that_is_down_is_503_at_every_step_and_up_again_it_signs_people_in(place: Place) -> None:
    browser = place.browser()
    response = place.person().answer(begin(browser), "1234")
    place.provider.stop()
    assert come_back(browser, response) == 503
    assert user_of(browser) == {}
    place.desk.now += 3_601  # what was read of the provider is forgotten
    status, _, headers = browser.ask("GET", "/c/oidc/login")
    assert (status, headers["retry-after"]) == (503, "10")
    place.desk.now -= 3_601
    place.provider.start()  # with keys that are new
    assert sign_in(browser, place.person(), "1234") == 302
    assert user_of(browser)["username"] == "grace"


def test_a_wrong_secret_is_the_operators_to_mend_and_in_no_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    place.configure(oidc_client_secret="not the secret")
    with caplog.at_level(logging.INFO):
        assert sign_in(place.browser(), place.person(), "1234") == 503
    assert "token:" in caplog.text
    assert "invalid_client" in caplog.text
    assert "not the secret" not in caplog.text


def test_a_redirect_uri_that_is_not_registered_never_comes_back(place: Place) -> None:
    """The provider refuses to send anybody to a host that it does not know: nothing reaches that host."""
    location = begin(Browser(place.desk, host="other.example"))
    assert parameters(location)["redirect_uri"] == "https://other.example/c/oidc/callback"
    assert place.person().refusal(location) == "invalid_redirect_uri"
