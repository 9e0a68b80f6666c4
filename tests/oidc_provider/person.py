"""Somebody's browser at npm's provider: it follows the provider's redirects and keeps its cookies."""

from __future__ import annotations

import re
import ssl
import urllib.error
import urllib.request
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Person:
    """Has the cookies of one browser. `tls` trusts the provider's certificate."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=tls), urllib.request.HTTPCookieProcessor(CookieJar()), _Stay()
        )

    def answer(self, location: str, login: str | None) -> dict[str, str]:
        """Go where the registry sends the browser, sign in by a name, or cancel without one; return what the provider
        sends the browser back with. Somebody who is signed in there still is not asked."""
        while True:
            status, to, _ = self._open(location)
            if status == 200:  # the provider's own page
                form = {"go": "no"} if login is None else {"login": login, "go": "on"}
                status, to, page = self._open(location, form)
                assert status == 303, page
            if "/c/oidc/callback" in to:
                return dict(parse_qsl(urlsplit(to).query))
            location = to

    def sign_out(self, location: str) -> str:
        """Confirm at the provider that the session ends there; return where the browser is sent then."""
        status, _, page = self._open(location)
        assert status == 200, page
        action, secret = re.search(r'action="([^"]+)"', page), re.search(r'name="xsrf" value="([^"]+)"', page)
        assert action and secret, page
        status, to, page = self._open(action[1], {"xsrf": secret[1], "logout": "yes"})
        assert status == 303, page
        return to

    def is_asked(self, location: str) -> bool:
        """Return whether the provider asks who somebody is, or knows it still."""
        status, to, _ = self._open(location)
        assert status == 303
        return "/interaction/" in to

    def refusal(self, location: str) -> str:
        """Return the error that the provider shows instead of going on."""
        status, _, page = self._open(location)
        assert status == 400
        found = re.search(r"invalid_[a-z_]+", page)
        return found[0] if found else page

    def _open(self, url: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        data = urlencode(form).encode() if form is not None else None
        try:
            with self._opener.open(url, data, timeout=120) as response:
                return self._read(url, response)
        except urllib.error.HTTPError as response:
            with response:
                return self._read(url, response)

    def _read(self, url: str, response: HTTPResponse | urllib.error.HTTPError) -> tuple[int, str, str]:
        return response.status or 0, urljoin(url, response.headers.get("Location", "")), response.read().decode()
