"""A provider of OpenID Connect: discovery, its keys, the authorisation code flow with PKCE, and who somebody is.

Sources: OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0; RFC 7636 (PKCE), RFC 9207 (`iss` in the
authorisation response). What the provider says of itself is kept an hour; its keys are read again when a token names
one that is not known, once a minute at most. Certificates are always verified, whatever `oidc_verify_cert` says.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from roadstead import base64url, documents
from roadstead.identity.people import OIDC, Person, PersonGroup, ProviderFailed
from roadstead.identity.providers import id_tokens
from roadstead.identity.providers.id_tokens import Expected, SigningKey, TokenInvalid, UnknownKey
from roadstead.identity.providers.oidc_settings import NotSignedIn, OidcSettings
from roadstead.outbound.endpoint import Endpoint, EndpointRefused
from roadstead.outbound.https import Reply, Unreachable
from roadstead.recent import Recent

KEPT_SECONDS = 3_600
REFRESH_SECONDS = 60
MAX_GROUPS = 2_000
MAX_CLAIM = 255  # characters of a name or a group
_WELL_KNOWN = "/.well-known/openid-configuration"
_OK = 200


class Fetcher(Protocol):
    """`roadstead.outbound.https.HttpsPoster` is one."""

    def parse(self, url: str) -> Endpoint: ...

    def fetch(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes | None = None) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the provider says of itself. Endpoints are URLs; the last two may be empty."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str
    end_session: str
    posts_secret: bool  # in the form, because it accepts no Basic authentication
    names_itself: bool  # in every authorisation response (RFC 9207)


class OidcProvider:
    """Asks providers. Every method raises ProviderFailed if the provider cannot be asked."""

    def __init__(self, fetcher: Fetcher, *, clock: Callable[[], float] = time.time) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._metadata: Recent[str, Metadata] = Recent(KEPT_SECONDS, 8, clock)
        self._keys: Recent[str, tuple[SigningKey, ...]] = Recent(KEPT_SECONDS, 64, clock)
        self._key_urls: Recent[str, str] = Recent(KEPT_SECONDS, 64, clock)
        self._refreshed: dict[str, float] = {}

    def metadata(self, endpoint: str) -> Metadata:
        """Return what the provider says of itself. Costs one request an hour."""
        return self._metadata.get(endpoint, lambda: self._discover(endpoint))

    def test(self, endpoint: str) -> None:
        """Ask again, whatever is kept, for the provider's description and its keys."""
        found = self._discover(endpoint.rstrip("/"))
        if not self._read_keys(found.keys):
            raise ProviderFailed("keys", f"{found.keys} has no key by which a token could be verified")

    def authorization_url(
        self, settings: OidcSettings, *, redirect_uri: str, state: str, nonce: str, verifier: str
    ) -> str:
        """Return where to send the browser."""
        found = self.metadata(settings.endpoint)
        scopes = dict.fromkeys(["openid", *settings.scope.replace(",", " ").split()])
        challenge = base64url.encode(hashlib.sha256(verifier.encode()).digest())
        parameters = {
            **settings.extra,
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return found.authorization + ("&" if "?" in found.authorization else "?") + urlencode(parameters)

    def end_session_url(self, settings: OidcSettings, *, back_to: str) -> str:
        """Return where to send the browser to end the provider's session, or "" if the provider has no such place."""
        url = self.metadata(settings.endpoint).end_session
        if not url:
            return ""
        parameters = {"client_id": settings.client_id, "post_logout_redirect_uri": back_to}
        return url + ("&" if "?" in url else "?") + urlencode(parameters)

    def exchange(self, settings: OidcSettings, code: str, *, redirect_uri: str, nonce: str, verifier: str) -> Person:
        """Return whom the provider confirms for a code. Costs one request, and one more if claims are missing.

        Raises NotSignedIn if the provider confirms nobody, or its token is not right.
        """
        found = self.metadata(settings.endpoint)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": settings.client_id,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if settings.client_secret and found.posts_secret:
            form["client_secret"] = settings.client_secret
        elif settings.client_secret:
            pair = ":".join(quote(part, safe="") for part in (settings.client_id, settings.client_secret))
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        reply = self._fetch("token", found.token, headers, urlencode(form).encode())
        answered = _object(reply.body)
        if reply.status != _OK:
            error = str(answered.get("error", reply.status))[:60]
            if error == "invalid_grant":
                raise NotSignedIn("the sign-in has taken too long, or was used already: begin again")
            raise ProviderFailed(
                "token", f"{found.token} refused the code ({error}): check oidc_client_id and the secret"
            )
        token, access = answered.get("id_token"), answered.get("access_token")
        if not isinstance(token, str):
            raise ProviderFailed("token", f"{found.token} returned no id_token: is openid among the scopes?")
        try:
            claims = self._verified(found.keys, token, Expected(found.issuer, settings.client_id, nonce))
        except TokenInvalid as error:
            raise NotSignedIn(f"the provider's token is not accepted: {error}") from error
        return self._person(settings, found, claims, access if isinstance(access, str) else "")

    def subject_of(self, settings: OidcSettings, token: str) -> str:
        """Return the subject of the person whom an id token is about that did not come from a sign-in here.

        Costs two requests an hour. Raises TokenInvalid.
        """
        id_tokens.check_kind(token)
        found = self.metadata(settings.endpoint)
        return _subject(self._verified(found.keys, token, Expected(found.issuer, settings.client_id)))

    def verify(self, issuer: str, token: str, audience: str) -> Mapping[str, Any]:
        """Return the verified claims of a token for machines, whose issuer may have nothing but keys.

        Costs two requests when the issuer is not known yet. Raises TokenInvalid.
        """
        url = self._key_urls.get(issuer, lambda: self._describe(issuer)[1])
        return self._verified(url, token, Expected(issuer, audience))

    def _verified(self, url: str, token: str, expected: Expected) -> Mapping[str, Any]:
        keys = self._keys.get(url, lambda: self._read_keys(url))
        try:
            return id_tokens.verify(token, keys, expected, self._clock())
        except UnknownKey:
            now = self._clock()
            if now - self._refreshed.get(url, 0) < REFRESH_SECONDS:
                raise
            self._refreshed[url] = now
            read = self._read_keys(url)  # first: while this fails, the keys that are known stay
            self._keys.forget(url)
            keys = self._keys.get(url, lambda: read)
            return id_tokens.verify(token, keys, expected, now)

    def _person(self, settings: OidcSettings, found: Metadata, claims: Mapping[str, Any], access: str) -> Person:
        needed = [settings.user_claim] if settings.user_claim else []
        needed += [settings.groups_claim] if settings.groups_claim else []
        known = any(_text(claims.get(name)) for name in _NAMES)
        if found.userinfo and access and (any(name not in claims for name in needed) or not (needed or known)):
            more = self._userinfo(found.userinfo, access)
            if more.get("sub") != claims["sub"]:
                raise NotSignedIn("the provider's userinfo is about somebody else")
            claims = {**more, **claims}
        name = (
            _text(claims.get(settings.user_claim))
            if settings.user_claim
            else next(filter(None, (_text(claims.get(one)) for one in _NAMES)), "")
        )
        if not name:
            wanted = settings.user_claim or ", ".join(_NAMES)
            raise NotSignedIn(f"the provider tells no name for you ({wanted}): check oidc_user_claim and oidc_scope")
        groups = _groups(claims.get(settings.groups_claim)) if settings.groups_claim else ()
        admin = bool(settings.admin_group) and settings.admin_group in groups
        kept = [group for group in groups if not settings.group_filter or re.search(settings.group_filter, group)]
        named = [name for name in (_group_name(settings.id, group) for group in kept) if 0 < len(name) <= MAX_CLAIM]
        return Person(
            OIDC,
            _subject(claims),
            name,
            _text(claims.get("email")),
            _text(claims.get("name")),
            tuple(PersonGroup(name, name) for name in named),
            admin,
        )

    def _userinfo(self, url: str, access: str) -> Mapping[str, Any]:
        if re.fullmatch(r"[!-~]{1,8192}", access) is None:
            raise ProviderFailed("userinfo", "the provider's access token cannot be sent")
        reply = self._fetch("userinfo", url, {"Authorization": f"Bearer {access}", "Accept": "application/json"})
        if reply.status != _OK:
            raise ProviderFailed("userinfo", f"{url} responded with {reply.status}")
        return _object(reply.body)

    def _describe(self, endpoint: str) -> tuple[Mapping[str, Any], str]:
        """Return the description of an issuer, and the URL of its keys."""
        endpoint = endpoint.rstrip("/")
        url = f"{endpoint}{_WELL_KNOWN}"
        reply = self._fetch("discovery", url, {"Accept": "application/json"})
        document = _object(reply.body)
        if reply.status != _OK or not document:
            raise ProviderFailed("discovery", f"{url} responded with {reply.status}, and not with a description")
        issuer = document.get("issuer")
        if not isinstance(issuer, str) or issuer.rstrip("/") != endpoint:
            raise ProviderFailed("discovery", f"{url} is of another issuer: oidc_endpoint must be the issuer's own URL")
        keys = document.get("jwks_uri")
        if not isinstance(keys, str) or not keys:
            raise ProviderFailed("discovery", f"{url} has no jwks_uri")
        self._parse("discovery", keys)
        return document, keys

    def _discover(self, endpoint: str) -> Metadata:
        document, keys = self._describe(endpoint)
        url, issuer = f"{endpoint}{_WELL_KNOWN}", str(document["issuer"])
        urls = {}
        for name, required in _ENDPOINTS.items():
            value = document.get(name, "")
            if not isinstance(value, str) or (required and not value):
                raise ProviderFailed("discovery", f"{url} has no {name}")
            if value:
                self._parse("discovery", value)
            urls[name] = value
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        posts = isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
        return Metadata(
            issuer=issuer,
            authorization=urls["authorization_endpoint"],
            token=urls["token_endpoint"],
            keys=keys,
            userinfo=urls["userinfo_endpoint"],
            end_session=urls["end_session_endpoint"],
            posts_secret=posts,
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _read_keys(self, url: str) -> tuple[SigningKey, ...]:
        reply = self._fetch("keys", url, {"Accept": "application/json"})
        try:
            if reply.status != _OK:
                raise ValueError(str(reply.status))
            return id_tokens.parse_keys(documents.read(reply.body))
        except ValueError as error:
            raise ProviderFailed("keys", f"{url} has no set of keys") from error

    def _fetch(self, step: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        endpoint = self._parse(step, url)
        try:
            return self._fetcher.fetch(endpoint, headers, body)
        except (EndpointRefused, Unreachable) as error:
            raise ProviderFailed(step, f"{endpoint.authority}: {error}") from error

    def _parse(self, step: str, url: str) -> Endpoint:
        try:
            return self._fetcher.parse(url)
        except EndpointRefused as error:
            raise ProviderFailed(step, f"{url[:200]!r} is not allowed: {error}") from error


_NAMES = ("preferred_username", "email", "name")  # where a name is, if the settings do not say
_ENDPOINTS = {  # by the member of the description: whether it must be there
    "authorization_endpoint": True,
    "token_endpoint": True,
    "userinfo_endpoint": False,
    "end_session_endpoint": False,
}


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        document = documents.read(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _subject(claims: Mapping[str, Any]) -> str:
    """Return what identifies a person among those of every provider. A `sub` has no line breaks."""
    return f"{claims['iss']}\n{claims['sub']}"


def _text(value: Any) -> str:
    """Return a claim that is text, or "" for what nobody can have typed, as half of a surrogate pair."""
    return value.strip()[:MAX_CLAIM] if isinstance(value, str) and value.isprintable() else ""


def _group_name(provider: str, group: str) -> str:
    """Return the name of a provider's group here, or "" if it has none: `@<id>/` begins those of further providers, so
    that no provider can put its people into another one's groups."""
    if provider:
        return f"@{provider}/{group}"
    return "" if group.startswith("@") else group


def _groups(value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    texts = (one for one in listed if isinstance(one, str) and 0 < len(one) <= MAX_CLAIM and one.isprintable())
    return tuple(dict.fromkeys(texts))[:MAX_GROUPS]
