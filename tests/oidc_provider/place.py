"""A registry and a provider, and people who sign in to the one by the other."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.oidc_provider import CLIENT, SECRET, NpmProvider
from tests.oidc_provider.person import Person
from tests.unit.functions.management.client import Browser, Desk, basic

REGISTRY = "https://registry.example"
CONFIGURATIONS, CURRENT = "/api/v2.0/configurations", "/api/v2.0/users/current"


@dataclass
class Place:
    desk: Desk
    provider: NpmProvider
    tls: ssl.SSLContext

    def configure(self, **changes: Any) -> None:
        values = {
            "oidc_endpoint": self.provider.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "oidc_scope": "openid,profile,email",
            "oidc_groups_claim": "groups",
            "oidc_admin_group": "admins",
            "oidc_auto_onboard": True,
            "oidc_logout": True,
            **changes,
        }
        assert Browser(self.desk).ask("PUT", CONFIGURATIONS, values, basic("ada"))[0] == 200
        self.desk.services.configuration.refresh()

    def add(self, id_: str, provider: NpmProvider, **changes: Any) -> None:
        """Set up a provider beside the first."""
        values = {
            "endpoint": provider.issuer,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": "openid,profile,email",
            "groups_claim": "groups",
            "auto_onboard": True,
            "logout": True,
            **changes,
        }
        path = f"/api/roadstead/v1/oidc-providers/{id_}"
        assert Browser(self.desk).ask("PUT", path, values, basic("ada"))[0] == 200
        self.desk.services.configuration.refresh()

    def person(self) -> Person:
        return Person(self.tls)

    def browser(self) -> Browser:
        return Browser(self.desk)

    def ping(self, url: str) -> tuple[int, str]:
        """Press the test button; return the status, and the sentence of a failure."""
        status, document, _ = self.browser().ask("POST", "/api/v2.0/system/oidc/ping", {"url": url}, basic("ada"))
        return status, "" if document is None else document["errors"][0]["message"]


def begin(browser: Browser, query: str = "") -> str:
    """Return where the registry sends the browser."""
    status, _, headers = browser.ask("GET", f"/c/oidc/login{query}")
    assert status == 302
    return headers["location"]


def come_back(browser: Browser, response: dict[str, str], provider: str = "") -> int:
    """Return the status of what the registry says to a response of the provider."""
    path = f"/c/oidc/callback/{provider}" if provider else "/c/oidc/callback"
    return browser.ask("GET", f"{path}?{urlencode(response)}")[0]


def sign_in(browser: Browser, person: Person, login: str | None, provider: str = "") -> int:
    """Return the status with which the whole way ends: 302 if somebody is signed in."""
    location = begin(browser, f"?provider={provider}" if provider else "")
    return come_back(browser, person.answer(location, login), provider)


def user_of(browser: Browser) -> dict[str, Any]:
    """Return who the browser is signed in as; nothing if nobody."""
    status, user, _ = browser.ask("GET", CURRENT)
    return user if status == 200 else {}


def parameters(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
