"""Providers of OpenID Connect beside the first: their settings, and where their people go."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.functions.management.client import Browser, Desk, basic
from tests.unit.functions.management.identity.test_oidc import CONFIGURED, configure
from tests.unit.identity.oidc_parts import CLIENT, ISSUER

PROVIDERS, BUTTONS = "/api/roadstead/v1/oidc-providers", "/api/roadstead/v1/sign-in/providers"
CORP = {"endpoint": "https://corp.example.com", "client_id": "roadstead", "client_secret": "hush", "name": "Corp"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def admin(desk: Desk) -> Browser:
    browser = Browser(desk)
    browser.sign_in("ada")
    return browser


def put(admin: Browser, id_: str, document: Any) -> tuple[int, str]:
    """Return the status, and the sentence of a refusal."""
    status, answered, _ = admin.ask("PUT", f"{PROVIDERS}/{id_}", document)
    admin.desk.services.configuration.refresh()
    return status, "" if answered is None else answered["errors"][0]["message"]


def test_a_provider_is_shown_with_every_value_and_without_its_secret(desk: Desk, admin: Browser) -> None:
    assert put(admin, "corp", {**CORP, "auto_onboard": True, "unknown": 7}) == (200, "")
    shown = {
        "id": "corp",
        "name": "Corp",
        "endpoint": "https://corp.example.com",
        "client_id": "roadstead",
        "scope": "openid",
        "groups_claim": "",
        "group_filter": "",
        "admin_group": "",
        "user_claim": "",
        "auto_onboard": True,
        "extra_redirect_parms": "{}",
        "verify_cert": True,
        "logout": False,
        "has_secret": True,
    }
    assert admin.ask("GET", f"{PROVIDERS}/corp")[1] == shown
    assert admin.ask("GET", PROVIDERS)[1] == [shown]
    assert desk.services.configuration.secret("oidc_client_secret", "corp") == "hush"
    assert desk.services.configuration.secret("oidc_client_secret") == ""


def test_a_put_replaces_all_but_a_secret_that_it_leaves_out(desk: Desk, admin: Browser) -> None:
    put(admin, "corp", {**CORP, "scope": "openid,email"})
    without = {name: value for name, value in CORP.items() if name not in ("client_secret", "name")}
    assert put(admin, "corp", without)[0] == 200
    shown = admin.ask("GET", f"{PROVIDERS}/corp")[1]
    assert (shown["scope"], shown["name"], shown["has_secret"]) == ("openid", "", True)
    assert put(admin, "corp", {**without, "client_secret": ""})[0] == 200
    assert admin.ask("GET", f"{PROVIDERS}/corp")[1]["has_secret"] is False
    assert desk.secrets.kept == {}


def test_a_kept_secret_goes_to_no_other_endpoint(desk: Desk, admin: Browser) -> None:
    put(admin, "corp", CORP)
    moved = {"endpoint": "https://evil.example.com", "client_id": "roadstead"}
    status, said = put(admin, "corp", moved)
    assert (status, "client_secret" in said) == (400, True)
    assert admin.ask("GET", f"{PROVIDERS}/corp")[1]["endpoint"] == CORP["endpoint"]
    assert put(admin, "corp", {**moved, "client_secret": "new"})[0] == 200
    assert list(desk.secrets.kept.values()) == ["new"]


@pytest.mark.parametrize(
    ("id_", "changes", "said"),
    [
        ("Corp", {}, "is not an id"),
        ("a" * 33, {}, "is not an id"),
        ("a@b", {}, "is not an id"),
        ("-", {}, "is not an id"),
        ("corp", {"endpoint": ""}, "endpoint must be given"),
        ("corp", {"client_id": ""}, "client_id must be given"),
        ("corp", {"endpoint": "corp.example.com"}, "endpoint must be the issuer's URL"),
        ("corp", {"endpoint": 7}, "endpoint must be text"),
        ("corp", {"auto_onboard": "yes"}, "auto_onboard must be true or false"),
        ("corp", {"group_filter": "("}, "group_filter must be a regular expression"),
        ("corp", {"extra_redirect_parms": "[]"}, "extra_redirect_parms must be the text of a JSON object"),
        ("corp", {"scope": "x" * 1_025}, "scope has more than"),
    ],
)
def test_a_setting_that_is_not_possible_is_refused_and_stores_nothing(
    desk: Desk, admin: Browser, id_: str, changes: dict[str, Any], said: str
) -> None:
    status, sentence = put(admin, id_, {**CORP, **changes})
    assert status == 400
    assert sentence.startswith(said) or said in sentence
    assert admin.ask("GET", PROVIDERS)[1] == []
    assert desk.secrets.kept == {}


def test_one_issuer_is_one_provider(desk: Desk, admin: Browser) -> None:
    """Otherwise the rights of a person would be those of whichever provider signed them in last."""
    configure(desk, **CONFIGURED)
    status, said = put(admin, "corp", {**CORP, "endpoint": f"{ISSUER}/"})
    assert (status, "already" in said) == (400, True)
    put(admin, "corp", CORP)
    assert put(admin, "other", CORP)[0] == 400
    changed = {"oidc_endpoint": CORP["endpoint"]}
    assert admin.ask("PUT", "/api/v2.0/configurations", changed)[0] == 400
    assert admin.ask("GET", "/api/v2.0/configurations")[1]["oidc_endpoint"]["value"] == ISSUER


def test_there_are_ten_beside_the_first(admin: Browser) -> None:
    for number in range(10):
        assert put(admin, f"p{number}", {**CORP, "endpoint": f"https://p{number}.example.com"})[0] == 200
    assert put(admin, "p10", {**CORP, "endpoint": "https://p10.example.com"})[0] == 400
    assert put(admin, "p9", {**CORP, "endpoint": "https://p9.example.com", "name": "Nine"})[0] == 200


def test_the_first_stays_what_the_configuration_names(desk: Desk, admin: Browser) -> None:
    put(admin, "corp", CORP)
    values = admin.ask("GET", "/api/v2.0/configurations")[1]
    assert (values["oidc_endpoint"]["value"], "oidc_endpoint@corp" in values) == ("", False)
    configure(desk, **{"oidc_endpoint@corp": "https://evil.example.com"})
    assert admin.ask("GET", f"{PROVIDERS}/corp")[1]["endpoint"] == CORP["endpoint"]
    configure(desk, read_only=True, **CONFIGURED)  # another change leaves the providers alone
    assert admin.ask("GET", f"{PROVIDERS}/corp")[0] == 200


def test_the_buttons_are_for_everybody_and_name_who_can_be_signed_in_by(desk: Desk, admin: Browser) -> None:
    anybody = Browser(desk)
    assert anybody.ask("GET", BUTTONS)[1] == []
    put(admin, "corp", CORP)
    put(admin, "labs", {"endpoint": "https://labs.example.com", "client_id": "x"})
    corp = {"id": "corp", "name": "Corp", "url": "/c/oidc/login?provider=corp"}
    labs = {"id": "labs", "name": "labs", "url": "/c/oidc/login?provider=labs"}
    assert anybody.ask("GET", BUTTONS)[1] == [corp, labs]
    configure(desk, **CONFIGURED)
    first = {"id": "", "name": "login.example.com", "url": "/c/oidc/login"}
    assert anybody.ask("GET", BUTTONS)[1] == [first, corp, labs]
    assert anybody.ask("GET", "/api/v2.0/systeminfo")[1]["oidc_provider_name"] == "login.example.com"


def test_a_removed_provider_signs_nobody_in_and_its_secret_is_gone(desk: Desk, admin: Browser) -> None:
    put(admin, "corp", CORP)
    assert admin.ask("DELETE", f"{PROVIDERS}/corp")[0] == 200
    desk.services.configuration.refresh()
    assert desk.secrets.kept == {}
    assert Browser(desk).ask("GET", "/c/oidc/login?provider=corp")[0] == 404
    for method in ("GET", "DELETE"):
        assert admin.ask(method, f"{PROVIDERS}/corp")[0] == 404


def test_every_change_is_one_event_without_the_secret(desk: Desk, admin: Browser) -> None:
    before = len(desk.directory.events)
    put(admin, "corp", CORP)
    put(admin, "corp", {name: value for name, value in CORP.items() if name != "client_secret"})  # changes nothing
    put(admin, "corp", {**CORP, "client_secret": "new", "name": ""})
    admin.ask("DELETE", f"{PROVIDERS}/corp")
    told = [event.detail for event in desk.directory.events[before:]]
    assert told == [
        'oidc_client_id@corp="roadstead" oidc_client_secret@corp oidc_endpoint@corp="https://corp.example.com" '
        'oidc_name@corp="Corp"',
        'oidc_client_secret@corp oidc_name@corp=""',
        "oidc_endpoint@corp=null",
    ]
    assert {event.actor.name for event in desk.directory.events[before:]} == {"ada"}


def test_a_sign_in_at_a_second_provider_comes_back_to_its_own_path(desk: Desk, admin: Browser) -> None:
    put(admin, "labs", {"endpoint": ISSUER, "client_id": CLIENT, "client_secret": "the client's secret"})
    browser = Browser(desk)
    location = browser.ask("GET", "/c/oidc/login?provider=labs")[2]["location"]
    asked = parse_qs(urlsplit(location).query)
    assert asked["redirect_uri"] == ["https://registry.example/c/oidc/callback/labs"]


@pytest.mark.parametrize(
    "path", ["/c/oidc/login?provider=none", "/c/oidc/login?provider=Corp%0A", "/c/oidc/login?provider=@"]
)
def test_a_provider_that_is_not_there_is_not_found(desk: Desk, path: str) -> None:
    configure(desk, **CONFIGURED)
    assert Browser(desk).ask("GET", path)[0] == 404


def test_settings_are_for_system_administrators(desk: Desk) -> None:
    for headers, status in (({}, 401), (basic("bob"), 403)):
        assert Browser(desk).ask("GET", PROVIDERS, None, headers)[0] == status
        assert Browser(desk).ask("PUT", f"{PROVIDERS}/corp", CORP, headers)[0] == status
        assert Browser(desk).ask("DELETE", f"{PROVIDERS}/corp", None, headers)[0] == status
