"""Signing in by OpenID Connect: the way of a browser to the provider and back, and what others achieve on it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from roadstead.identity.directory import Role, UserName
from roadstead.identity.groups import Group, GroupKind
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, basic
from tests.unit.identity.oidc_parts import CLIENT, ISSUER, SECRET, Signer

LOGIN, CALLBACK, LOGOUT = "/c/oidc/login", "/c/oidc/callback", "/c/log_out"
CURRENT = "/api/v2.0/users/current"
CONFIGURED = {
    "oidc_endpoint": ISSUER,
    "oidc_client_id": CLIENT,
    "oidc_client_secret": SECRET,
    "oidc_scope": "openid,profile,email",
    "oidc_auto_onboard": True,
    "oidc_groups_claim": "groups",
    "oidc_admin_group": "admins",
    "oidc_logout": True,
}


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    configure(desk, **CONFIGURED)
    return desk


@pytest.fixture
def browser(desk: Desk) -> Browser:
    return Browser(desk)


def configure(desk: Desk, **values: Any) -> None:
    assert Browser(desk).ask("PUT", "/api/v2.0/configurations", values, basic("ada"))[0] == 200
    desk.now += 61


def begin(browser: Browser, query: str = "") -> tuple[str, str]:
    """Return where the browser is sent, and the state."""
    status, _, headers = browser.ask("GET", LOGIN + query)
    assert status == 302
    return headers["location"], parse_qs(urlsplit(headers["location"]).query)["state"][0]


def come_back(browser: Browser, **query: str) -> tuple[int, dict[str, str]]:
    status, _, headers = browser.ask("GET", f"{CALLBACK}?{urlencode(query)}")
    return status, headers


def sign_in(desk: Desk, browser: Browser, query: str = "") -> tuple[int, dict[str, str]]:
    location, state = begin(browser, query)
    return come_back(browser, code=desk.provider.approve(location), state=state, iss=ISSUER)


def test_a_browser_goes_to_the_provider_and_comes_back_signed_in(desk: Desk, browser: Browser) -> None:
    status, headers = sign_in(desk, browser, "?redirect_url=/ui/projects")
    assert (status, headers["location"]) == (302, "/ui/projects")
    status, user, _ = browser.ask("GET", CURRENT)
    assert (status, user["username"]) == (200, "grace")
    found = desk.directory.find_user(UserName("grace"))
    assert found is not None
    assert (found.provider, found.subject) == ("oidc", f"{ISSUER}\n1234")
    assert "__Host-roadstead-oidc" not in browser.cookies


def test_the_request_has_pkce_and_no_secret(browser: Browser) -> None:
    location, _ = begin(browser)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == f"https://registry.example{CALLBACK}"
    assert asked["scope"] == "openid profile email"
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    assert SECRET not in location
    assert browser.cookies["__Host-roadstead-oidc"] not in location


def test_the_same_person_keeps_the_account_under_another_name(desk: Desk, browser: Browser) -> None:
    sign_in(desk, browser)
    desk.provider.claims["preferred_username"] = "bob"  # a local user's
    other = Browser(desk)
    assert sign_in(desk, other)[0] == 302
    assert other.ask("GET", CURRENT)[1]["username"] == "grace"


def test_another_person_with_a_taken_name_has_no_account(desk: Desk, browser: Browser) -> None:
    for name in ("bob", "Bob", "ada"):
        desk.provider.claims = {"sub": f"other-{name}", "preferred_username": name}
        status, _ = sign_in(desk, browser)
        assert status == 403
        assert browser.ask("GET", CURRENT)[0] == 401
    assert Browser(desk).ask("GET", CURRENT, None, basic("bob"))[0] == 200


def test_a_subject_counts_for_its_issuer_only(desk: Desk, browser: Browser) -> None:
    desk.provider.make = lambda claims: desk.provider.signer.token({**claims, "iss": "https://other.example"})
    assert sign_in(desk, browser)[0] == 403


def test_a_response_counts_once(desk: Desk, browser: Browser) -> None:
    location, state = begin(browser)
    cookies = dict(browser.cookies)
    code = desk.provider.approve(location)
    assert come_back(browser, code=code, state=state)[0] == 302
    again = Browser(desk, cookies=cookies)
    asked = desk.provider.asked.count("/token")
    assert come_back(again, code=desk.provider.approve(location), state=state)[0] == 403
    assert desk.provider.asked.count("/token") == asked  # the code was not even tried


def test_a_state_of_another_browser_is_refused(desk: Desk, browser: Browser) -> None:
    """Nobody is signed in as somebody else by following a link."""
    location, state = begin(browser)
    code = desk.provider.approve(location)
    victim = Browser(desk)
    assert come_back(victim, code=code, state=state)[0] == 403
    begin(victim)
    assert come_back(victim, code=code, state=state)[0] == 403
    assert victim.ask("GET", CURRENT)[0] == 401


@pytest.mark.parametrize("query", [{}, {"state": ""}, {"state": "x", "code": "y"}, {"code": "y"}, {"state": "\udcff"}])
def test_a_callback_out_of_nowhere_is_refused(browser: Browser, query: dict[str, str]) -> None:
    assert come_back(browser, **{name: value.replace("\udcff", "%") for name, value in query.items()})[0] == 403
    begin(browser)
    assert come_back(browser, **{name: value.replace("\udcff", "%") for name, value in query.items()})[0] == 403


@pytest.mark.parametrize("cookie", ["", "x", "e30", "W10", "eyJzdGF0ZSI6MX0", "A" * 5_000])
def test_a_malformed_cookie_is_refused(desk: Desk, cookie: str) -> None:
    browser = Browser(desk, cookies={"__Host-roadstead-oidc": cookie})
    assert come_back(browser, code="x", state="y")[0] == 403


def test_a_nonce_of_another_sign_in_is_refused(desk: Desk, browser: Browser) -> None:
    desk.provider.make = lambda claims: desk.provider.signer.token({**claims, "nonce": "another"})
    assert sign_in(desk, browser)[0] == 403


def test_a_sign_in_that_takes_too_long_is_refused(desk: Desk, browser: Browser) -> None:
    location, state = begin(browser)
    desk.now += 600
    assert come_back(browser, code=desk.provider.approve(location), state=state)[0] == 403


def test_a_response_of_another_provider_is_refused(desk: Desk, browser: Browser) -> None:
    location, state = begin(browser)
    code = desk.provider.approve(location)
    assert come_back(browser, code=code, state=state, iss="https://other.example")[0] == 403


def test_an_error_of_the_provider_is_shown_and_escaped(browser: Browser) -> None:
    _, state = begin(browser)
    query = urlencode({"error": "<script>alert(1)</script>", "state": state})
    request = browser.ask("GET", f"{CALLBACK}?{query}")
    assert request[0] == 403
    assert request[2]["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("wanted", "to"),
    [
        ("/ui/a?b=c", "/ui/a?b=c"),
        ("https://evil.example", "/ui"),
        ("//evil.example", "/ui"),
        ("/\\evil.example", "/ui"),
        ("\\\\evil.example", "/ui"),
        ("/ui\r\nSet-Cookie: a=b", "/ui"),
        ("javascript:alert(1)", "/ui"),
        ("", "/ui"),
        ("/" + "a" * 2_000, "/ui"),
    ],
)
def test_the_browser_is_sent_to_our_own_pages_only(desk: Desk, browser: Browser, wanted: str, to: str) -> None:
    status, headers = sign_in(desk, browser, f"?{urlencode({'redirect_url': wanted})}")
    assert (status, headers["location"]) == (302, to)


def test_rotated_keys_are_read_again_once_a_minute(desk: Desk, browser: Browser) -> None:
    sign_in(desk, browser)
    desk.provider.signer = Signer("ES256", "two")
    assert sign_in(desk, browser)[0] == 302
    read = desk.provider.asked.count("/keys")
    desk.provider.make = lambda claims: Signer("ES256", "unknown").token(claims)
    for _ in range(3):
        assert sign_in(desk, browser)[0] == 403
    assert desk.provider.asked.count("/keys") == read  # an attacker cannot have them read again and again
    desk.now += 61
    assert sign_in(desk, browser)[0] == 403
    assert desk.provider.asked.count("/keys") == read + 1


def test_a_description_is_read_once_an_hour(desk: Desk, browser: Browser) -> None:
    for _ in range(3):
        sign_in(desk, browser)
    assert desk.provider.asked.count("/.well-known/openid-configuration") == 1


def test_groups_and_the_administrators_group_are_of_the_last_sign_in(desk: Desk, browser: Browser) -> None:
    devs = desk.directory.create_group(Group(GroupKind.OIDC, "devs", 0))
    ships = desk.accounts.find_project("ships")
    assert ships is not None
    desk.directory.set_group_role(ships.name, devs.id, Role.DEVELOPER)
    desk.provider.claims["groups"] = ["devs", "admins", "unknown"]
    sign_in(desk, browser)
    user = browser.ask("GET", CURRENT)[1]
    assert (user["sysadmin_flag"], user["admin_role_in_auth"]) == (True, True)
    desk.provider.claims["groups"] = ["devs"]
    sign_in(desk, browser)
    assert browser.ask("GET", CURRENT)[1]["sysadmin_flag"] is False
    assert browser.ask("GET", "/api/v2.0/projects/ships")[0] == 200
    desk.provider.claims["groups"] = []
    sign_in(desk, browser)
    assert browser.ask("GET", "/api/v2.0/projects/ships")[0] == 403


def test_the_group_filter_leaves_out_groups_and_not_the_administrators(desk: Desk, browser: Browser) -> None:
    configure(desk, oidc_group_filter="^team-")
    team = desk.directory.create_group(Group(GroupKind.OIDC, "team-a", 0))
    other = desk.directory.create_group(Group(GroupKind.OIDC, "other", 0))
    desk.provider.claims["groups"] = ["team-a", "other", "admins"]
    sign_in(desk, browser)
    found = desk.directory.find_user(UserName("grace"))
    assert found is not None
    assert (found.groups, found.admin) == ((team.id,), True)
    assert other.id not in found.groups


@pytest.mark.parametrize(
    "groups", ["devs", 7, None, {"devs": 1}, [["devs"]], [1, None, "devs"], ["x" * 300], ["g"] * 1_000]
)
def test_groups_of_any_shape_do_no_harm(desk: Desk, browser: Browser, groups: Any) -> None:
    desk.provider.claims["groups"] = groups
    assert sign_in(desk, browser)[0] == 302


def test_claims_that_the_token_lacks_come_from_userinfo(desk: Desk, browser: Browser) -> None:
    desk.provider.claims = {"sub": "1234"}
    desk.provider.user = {"sub": "1234", "preferred_username": "grace", "groups": ["admins"], "iss": "x", "exp": 0}
    assert sign_in(desk, browser)[0] == 302
    assert browser.ask("GET", CURRENT)[1]["sysadmin_flag"] is True


def test_userinfo_about_somebody_else_is_refused(desk: Desk, browser: Browser) -> None:
    desk.provider.claims = {"sub": "1234"}
    desk.provider.user = {"sub": "5678", "preferred_username": "grace"}
    assert sign_in(desk, browser)[0] == 403


def test_the_name_is_the_configured_claim(desk: Desk, browser: Browser) -> None:
    configure(desk, oidc_user_claim="email")
    desk.provider.claims["email"] = "Grace@Example.org"
    sign_in(desk, browser)
    assert browser.ask("GET", CURRENT)[1]["username"] == "grace@example.org"


@pytest.mark.parametrize(
    "claims", [{}, {"preferred_username": ""}, {"preferred_username": "Grace Hopper"}, {"name": 7}]
)
def test_without_a_name_that_an_account_can_have_there_is_none(
    desk: Desk, browser: Browser, claims: dict[str, Any]
) -> None:
    desk.provider.claims = {"sub": "1234", **claims}
    desk.provider.user = {"sub": "1234"}
    assert sign_in(desk, browser)[0] == 403
    assert desk.directory.find_subject("oidc", f"{ISSUER}\n1234") is None


def test_without_onboarding_who_has_an_account_signs_in_and_nobody_else(desk: Desk, browser: Browser) -> None:
    sign_in(desk, browser)
    configure(desk, oidc_auto_onboard=False)
    assert sign_in(desk, browser)[1]["location"] == "/ui"
    desk.provider.claims["sub"] = "5678"
    desk.provider.claims["preferred_username"] = "newcomer"
    other = Browser(desk)
    assert sign_in(desk, other)[1]["location"] == "/ui/choose-name"
    assert other.ask("GET", CURRENT)[0] == 401
    assert desk.directory.find_user(UserName("newcomer")) is None


@pytest.mark.parametrize(
    "claims", [{"email": "\ud800", "name": "\ud800"}, {"groups": ["\ud800", "devs"]}, {"email": "x"}]
)
def test_a_claim_that_no_profile_can_have_is_left_out(desk: Desk, browser: Browser, claims: dict[str, Any]) -> None:
    desk.provider.claims.update(claims)
    assert sign_in(desk, browser)[0] == 302
    user = browser.ask("GET", CURRENT)[1]
    assert (user["email"], user["realname"]) == ("", "")


def test_a_subject_that_is_no_text_is_refused(desk: Desk, browser: Browser) -> None:
    for subject in ("\ud800", "a\nb", "", 7, None):
        desk.provider.claims["sub"] = subject
        assert sign_in(desk, browser)[0] == 403


def test_the_profile_of_an_account_begins_as_the_provider_has_it(desk: Desk, browser: Browser) -> None:
    desk.provider.claims.update(email="grace@example.org", name="Grace Hopper")
    sign_in(desk, browser)
    user = browser.ask("GET", CURRENT)[1]
    assert (user["email"], user["realname"]) == ("grace@example.org", "Grace Hopper")


@pytest.mark.parametrize(
    "came_by", ["http://registry.example", "https://d1.example.net", "https://REGISTRY.example:444"]
)
def test_a_sign_in_on_another_host_name_begins_at_the_external_url(came_by: str) -> None:
    desk = Desk(external_url="https://registry.example")
    configure(desk, **CONFIGURED)
    scheme, _, host = came_by.partition("://")
    elsewhere = Browser(desk, scheme=scheme, host=host)
    status, _, headers = elsewhere.ask("GET", f"{LOGIN}?redirect_url=/ui/p/%C3%A4&x=y")
    assert status == 302
    assert not elsewhere.cookies  # the sign-in begins there, not here
    to = urlsplit(headers["location"])
    assert f"{to.scheme}://{to.netloc}{to.path}" == f"https://registry.example{LOGIN}"
    assert parse_qs(to.query) == {"redirect_url": ["/ui/p/ä"], "moved": ["1"]}
    browser = Browser(desk)
    assert sign_in(desk, browser, f"?{to.query}")[0] == 302
    assert browser.ask("GET", CURRENT)[0] == 200


def test_a_browser_is_not_sent_round_in_circles_where_the_external_url_is_wrong() -> None:
    desk = Desk(external_url="https://elsewhere.example")
    configure(desk, **CONFIGURED)
    browser = Browser(desk)
    location = browser.ask("GET", LOGIN)[2]["location"]
    status, document, _ = browser.ask("GET", f"{LOGIN}?{urlsplit(location).query}")
    assert status == 400
    assert "EXTERNAL_URL" in document["errors"][0]["message"]


def test_the_provider_sends_everybody_back_to_the_external_url() -> None:
    desk = Desk(external_url="https://REGISTRY.example")
    configure(desk, **CONFIGURED)
    browser = Browser(desk)
    location, _ = begin(browser)
    assert parse_qs(urlsplit(location).query)["redirect_uri"] == [f"https://REGISTRY.example{CALLBACK}"]
    assert (
        Browser(desk).ask("GET", "/api/v2.0/systeminfo", None, basic("bob"))[1]["external_url"]
        == "https://REGISTRY.example"
    )


def test_a_disabled_account_gets_no_session(desk: Desk, browser: Browser) -> None:
    sign_in(desk, browser)
    desk.accounts.set_disabled("grace", True)
    assert browser.ask("GET", CURRENT)[0] == 401
    assert sign_in(desk, browser)[0] == 403


def test_an_account_of_the_provider_has_no_password(desk: Desk, browser: Browser) -> None:
    sign_in(desk, browser)
    for password in ("", PASSWORD, "v1$"):
        assert Browser(desk).ask("GET", CURRENT, None, basic("grace", password))[0] == 401


def test_signing_out_ends_both_sessions(desk: Desk, browser: Browser) -> None:
    sign_in(desk, browser)
    status, _, headers = browser.ask("GET", LOGOUT)
    assert status == 302
    parts = urlsplit(headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/logout"
    asked = parse_qs(parts.query)
    assert asked == {"client_id": [CLIENT], "post_logout_redirect_uri": ["https://registry.example/ui"]}
    assert browser.ask("GET", CURRENT)[0] == 401


@pytest.mark.parametrize("configured", [{"oidc_logout": False}, {}])
def test_signing_out_here_alone_goes_home(desk: Desk, browser: Browser, configured: dict[str, Any]) -> None:
    if configured:
        configure(desk, **configured)
        sign_in(desk, browser)
    else:
        browser.sign_in("bob")
    status, _, headers = browser.ask("GET", LOGOUT)
    assert (status, headers["location"]) == (302, "/ui")
    assert browser.ask("GET", CURRENT)[0] == 401


def test_another_site_signs_nobody_out(desk: Desk, browser: Browser) -> None:
    sign_in(desk, browser)
    assert browser.ask("GET", LOGOUT, headers={"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert browser.ask("GET", CURRENT)[0] == 200


def test_a_provider_that_is_down_is_503_and_nobody_is_signed_in(desk: Desk, browser: Browser) -> None:
    desk.provider.down = True
    status, _, headers = browser.ask("GET", LOGIN)
    assert (status, headers["retry-after"], headers["content-type"]) == (503, "10", "text/html; charset=utf-8")
    desk.provider.down = False
    location, state = begin(browser)
    code = desk.provider.approve(location)
    desk.provider.down = True
    status, headers = come_back(browser, code=code, state=state)
    assert (status, headers["retry-after"]) == (503, "10")
    assert browser.ask("GET", CURRENT)[0] == 401


def test_a_wrong_secret_is_the_operators_to_mend(
    desk: Desk, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    configure(desk, oidc_client_secret="wrong")
    assert sign_in(desk, browser)[0] == 503
    assert "invalid_client" in caplog.text
    assert "wrong" not in caplog.text


def test_a_provider_without_basic_gets_the_secret_in_the_form(desk: Desk, browser: Browser) -> None:
    desk.provider.description["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    assert sign_in(desk, browser)[0] == 302


def test_nothing_is_told_of_a_provider_that_is_not_configured() -> None:
    browser = Browser(Desk())
    assert browser.ask("GET", LOGIN)[0] == 400
    assert come_back(browser, code="x", state="y")[0] == 403


def test_signing_in_needs_https_but_on_loopback(desk: Desk) -> None:
    assert Browser(desk, scheme="http").ask("GET", LOGIN)[0] == 403
    local = Browser(desk, scheme="http", host="127.0.0.1:5000")
    assert sign_in(desk, local)[0] == 302
    assert local.ask("GET", CURRENT)[0] == 200


def test_sign_ins_are_in_the_trail_without_secrets(
    desk: Desk, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in(desk, browser)
    come_back(browser, code="x", state="y")
    printed = capsys.readouterr().out
    entries = [json.loads(line)["audit"] for line in printed.splitlines() if '"audit"' in line]
    told = [(entry["operation"], entry["outcome"], entry["detail"]) for entry in entries]
    assert told == [("login", "success", "method=oidc session"), ("login", "failure", "method=oidc")]
    assert entries[0]["actor"]["name"] == "grace"
    assert SECRET not in printed


@pytest.mark.parametrize(
    ("description", "words"),
    [
        ({"issuer": "https://other.example"}, "another issuer"),
        ({"issuer": None}, "another issuer"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"jwks_uri": 7}, "jwks_uri"),
        ({"jwks_uri": "http://login.example.com/keys"}, "https://"),
        ({"token_endpoint": "https://user:password@login.example.com/token"}, "not allowed"),
        ({"jwks_uri": f"{ISSUER}/none"}, "no set of keys"),
    ],
)
def test_a_ping_says_which_step_failed(desk: Desk, browser: Browser, description: dict[str, Any], words: str) -> None:
    path = "/api/v2.0/system/oidc/ping"
    assert browser.ask("POST", path, {"url": ISSUER, "verify_cert": True}, basic("ada"))[0] == 200
    desk.provider.description = description
    status, document, _ = browser.ask("POST", path, {"url": ISSUER}, basic("ada"))
    assert status == 400
    assert words in document["errors"][0]["message"]


@pytest.mark.parametrize("url", ["http://login.example.com", "https://10.0.0.1:22", "ftp://x", "https://a@b", ""])
def test_a_ping_goes_nowhere_that_it_may_not(browser: Browser, url: str) -> None:
    assert browser.ask("POST", "/api/v2.0/system/oidc/ping", {"url": url}, basic("ada"))[0] == 400


def test_a_ping_is_for_system_administrators(browser: Browser) -> None:
    assert browser.ask("POST", "/api/v2.0/system/oidc/ping", {"url": ISSUER})[0] == 401
    assert browser.ask("POST", "/api/v2.0/system/oidc/ping", {"url": ISSUER}, basic("bob"))[0] == 403
