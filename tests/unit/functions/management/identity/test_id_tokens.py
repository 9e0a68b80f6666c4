"""An id token of a configured provider as a bearer: whom it lets in, and what others try with one.

That it is worth nothing for a disabled, removed or replaced account is in access/test_every_way_in.py.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.hosting import lines
from functions.management.authentication import credentials_of
from roadstead import base64url
from roadstead.http import Request
from roadstead.identity.directory import Role, UserName
from roadstead.identity.providers.id_tokens import MAX_TOKEN
from roadstead.identity.sign_in.token_sign_in import BELIEVED_SECONDS
from roadstead.outbound.endpoint import Endpoint, EndpointPolicy
from roadstead.outbound.https import Reply
from roadstead.trail.entries import AuditEntry
from tests.unit.functions.management.client import Browser, Desk, basic
from tests.unit.functions.management.identity.test_oidc import CONFIGURED, configure, sign_in
from tests.unit.identity.oidc_parts import CLIENT, ISSUER, RSA_KEY, FakeProvider, Signer
from tests.unit.identity.parts import Clock, Harbour

API, OWN = "/api/v2.0", "/api/roadstead/v1"
CURRENT, SHIPS = f"{API}/users/current", f"{API}/projects/ships"
CORP, CORP_CLIENT = "https://corp.example.com", "registry-of-corp"
THIEF = Signer("RS256", "one", rsa.generate_private_key(65_537, 2_048))


@dataclass
class TwoProviders:
    """A Fetcher that is the first provider, and one of the id `corp`, which has keys alone. `asked` has requests."""

    first: FakeProvider
    corp: Signer = field(default_factory=lambda: Signer("ES256", "corp"))
    asked: list[str] = field(default_factory=list)

    def parse(self, url: str) -> Endpoint:
        return Endpoint.parse(url, EndpointPolicy())

    def fetch(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        self.asked.append(f"https://{endpoint.host}{endpoint.target}")
        if endpoint.host == "login.example.com":
            return self.first.fetch(endpoint, headers, body)
        assert endpoint.host == "corp.example.com"
        urls = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        described = {"issuer": CORP, **{name: f"{CORP}{path}" for name, path in urls.items()}}
        document = {"keys": [self.corp.jwk()]} if endpoint.target == "/keys" else described
        return Reply(200, json.dumps(document).encode())


@pytest.fixture
def providers() -> TwoProviders:
    return TwoProviders(FakeProvider(lambda: 0.0))


@pytest.fixture
def desk(providers: TwoProviders) -> Desk:
    """`grace` has signed in by the first provider, and is a maintainer of `ships`."""
    desk = Desk(fetcher=providers)
    desk.provider = providers.first
    providers.first.clock = lambda: desk.now
    corp = {"endpoint": CORP, "client_id": CORP_CLIENT}
    assert Browser(desk).ask("PUT", f"{OWN}/oidc-providers/corp", corp, basic("ada"))[0] == 200
    configure(desk, **CONFIGURED)
    assert sign_in(desk, Browser(desk))[0] == 302
    desk.accounts.set_member("ships", "grace", Role.MAINTAINER)
    return desk


@pytest.fixture
def trail(monkeypatch: pytest.MonkeyPatch) -> list[AuditEntry]:
    told: list[AuditEntry] = []
    monkeypatch.setattr(lines, "tell", told.append)
    return told


def claims(desk: Desk, **changed: Any) -> dict[str, Any]:
    """The claims of a right token; None leaves one out."""
    now = int(desk.now)
    right = {"iss": ISSUER, "sub": "1234", "aud": CLIENT, "iat": now, "exp": now + 300}
    return {name: value for name, value in {**right, **changed}.items() if value is not None}


def token(desk: Desk, **changed: Any) -> str:
    return desk.provider.signer.token(claims(desk, **changed))


def ask(desk: Desk, bearer: str, method: str = "GET", path: str = CURRENT, document: Any = None) -> tuple[int, Any]:
    status, body, headers = Browser(desk).ask(method, path, document, {"Authorization": f"Bearer {bearer}"})
    assert "set-cookie" not in headers
    assert "basic" not in headers.get("www-authenticate", "").lower()
    assert bearer not in json.dumps(body)
    return status, body


def refused(desk: Desk, bearer: str) -> str:
    """Return the sentence of a refusal."""
    status, body = ask(desk, bearer)
    assert status == 401, body
    return str(body["errors"][0]["message"])


def test_a_person_comes_in_by_an_id_token_and_changes_something_without_a_session(
    desk: Desk, trail: list[AuditEntry]
) -> None:
    assert ask(desk, token(desk))[1]["username"] == "grace"
    project = Browser(desk).ask("GET", SHIPS, None, basic("ada"))[1]["project_id"]
    label = {"name": "dry", "scope": "p", "project_id": project}
    before = desk.directory.sessions(UserName("grace"))
    assert ask(desk, token(desk), "POST", f"{API}/labels", label)[0] == 201
    assert ask(desk, token(desk), "GET", f"{API}/users")[0] == 403
    assert trail == []
    assert desk.directory.sessions(UserName("grace")) == before


def test_the_header_decides_even_beside_a_valid_cookie(desk: Desk) -> None:
    browser = Browser(desk)
    assert browser.sign_in("ada") == 201
    assert browser.ask("GET", CURRENT, None, {"Authorization": f"Bearer {token(desk)}"})[1]["username"] == "grace"
    late = token(desk, exp=int(desk.now) - 61)
    assert browser.ask("GET", CURRENT, None, {"Authorization": f"Bearer {late}"})[0] == 401


def test_an_id_token_makes_no_access_token_and_ends_no_session(desk: Desk) -> None:
    new = {"name": "laptop", "access": "write", "duration": 30}
    assert ask(desk, token(desk), "POST", f"{CURRENT}/tokens".replace(API, OWN), new)[0] == 403
    assert ask(desk, token(desk), "DELETE", f"{CURRENT}/sessions".replace(API, OWN))[0] == 403


def test_groups_and_administrators_are_those_of_the_last_sign_in(desk: Desk) -> None:
    assert ask(desk, token(desk, groups=["admins"]))[1]["sysadmin_flag"] is False
    desk.provider.claims["groups"] = ["admins"]
    sign_in(desk, Browser(desk))
    assert ask(desk, token(desk, groups=[]))[1]["sysadmin_flag"] is True
    del desk.provider.claims["groups"]
    sign_in(desk, Browser(desk))
    assert ask(desk, token(desk, groups=["admins"]))[1]["sysadmin_flag"] is False


def test_what_the_last_sign_in_said_is_believed_for_thirty_days(desk: Desk, trail: list[AuditEntry]) -> None:
    desk.now += BELIEVED_SECONDS
    assert ask(desk, token(desk))[0] == 200
    desk.now += 1
    assert "sign in once in the browser" in refused(desk, token(desk))
    assert [entry.actor.name for entry in trail] == ["grace"]
    sign_in(desk, Browser(desk))
    assert ask(desk, token(desk))[0] == 200


def test_nobody_is_onboarded_by_a_token(desk: Desk) -> None:
    before = desk.directory.list_users()
    assert "has no account here" in refused(desk, token(desk, sub="5678", preferred_username="alan"))
    assert desk.directory.list_users() == before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"aud": "another"}, "not for registry"),
        ({"aud": ["registry", "another"]}, "not issued to registry"),
        ({"aud": ["registry", "another"], "azp": "another"}, "not issued to registry"),
        ({"aud": None}, "not for registry"),
        ({"aud": "Registry"}, "not for registry"),
        ({"exp": None}, "when it expires"),
        ({"iat": None}, "when it expires"),
        ({"exp": 1_000}, "has expired"),
        ({"nbf": 1 << 39}, "of the future"),
        ({"iat": 1 << 39}, "of the future"),
        ({"iat": 1_000}, "more than a day ago"),
        ({"sub": None}, "no subject"),
        ({"sub": 1234}, "no subject"),
        ({"sub": "1234\n"}, "no subject"),
        ({"iss": None}, "names no issuer"),
        ({"iss": [ISSUER]}, "names no issuer"),
        ({"iss": f"{ISSUER}/"}, "another issuer"),
        ({"scope": "openid"}, "another kind"),
        ({"scp": ["openid"]}, "another kind"),
        ({"typ": "Bearer"}, "another kind"),
        ({"token_use": "access"}, "another kind"),
        ({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, "another kind"),
    ],
)
def test_a_token_that_says_something_else_is_refused(desk: Desk, changed: dict[str, Any], said: str) -> None:
    assert said in refused(desk, token(desk, **changed))


@pytest.mark.parametrize("changed", [{"typ": "ID"}, {"token_use": "id"}, {"aud": ["registry", "x"], "azp": "registry"}])
def test_what_id_tokens_of_known_providers_have_is_accepted(desk: Desk, changed: dict[str, Any]) -> None:
    assert ask(desk, token(desk, **changed))[0] == 200


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "AT+JWT", "logout+jwt", 7, None])
def test_the_kind_that_a_header_names_counts(desk: Desk, kind: object) -> None:
    assert "another kind" in refused(desk, desk.provider.signer.token(claims(desk), typ=kind))
    assert ask(desk, desk.provider.signer.token(claims(desk), typ="jwt"))[0] == 200


def test_no_signature_and_none_of_somebody_else_is_accepted(desk: Desk) -> None:
    right = token(desk)
    head, body, signature = right.split(".")
    plain = base64url.encode(b'{"alg":"none","typ":"JWT"}')
    assert "algorithm" in refused(desk, f"{plain}.{body}.")
    assert "algorithm" in refused(desk, f"{plain}.{body}.{signature}")
    public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    shared = base64url.encode(b'{"alg":"HS256","kid":"one","typ":"JWT"}')
    mac = base64url.encode(hmac.digest(public, f"{shared}.{body}".encode(), hashlib.sha256))
    assert "algorithm" in refused(desk, f"{shared}.{body}.{mac}")
    assert "signature" in refused(desk, THIEF.token(claims(desk)))
    assert "signature" in refused(desk, THIEF.token(claims(desk), jwk=THIEF.jwk(), jku="https://evil.example.com"))
    assert "signature" in refused(desk, f"{head}.{body}.")


def test_no_issuer_is_asked_that_is_not_configured(desk: Desk, providers: TwoProviders) -> None:
    before = list(providers.asked)
    for issuer in (
        "https://evil.example.com",
        "",
        f"{ISSUER}.evil.example.com",
        f"{ISSUER}@evil.example.com",
        "\ud800",
    ):
        assert "no provider of this registry" in refused(desk, token(desk, iss=issuer))
    assert providers.asked == before


def test_a_provider_that_was_removed_lets_nobody_in(desk: Desk) -> None:
    configure(desk, oidc_client_id="")
    assert "no provider of this registry" in refused(desk, token(desk))


def test_no_provider_speaks_for_the_people_of_another(desk: Desk, providers: TwoProviders) -> None:
    """`corp` has a person of the same `sub`, who has no account, and could sign whatever it likes."""
    corp = {"iss": CORP, "aud": CORP_CLIENT}
    assert "has no account here" in refused(desk, providers.corp.token(claims(desk, **corp)))
    assert "no key" in refused(desk, providers.corp.token(claims(desk)))
    assert "no key" in refused(desk, providers.corp.token(claims(desk, aud=CORP_CLIENT)))
    assert "not for registry-of-corp" in refused(desk, providers.corp.token(claims(desk, iss=CORP)))
    assert "has no account here" in refused(desk, providers.corp.token(claims(desk, **corp, sub=f"{ISSUER}#1234")))
    assert "no subject" in refused(desk, providers.corp.token(claims(desk, **corp, sub=f"x\n{ISSUER}\n1234")))
    assert "no key" in refused(desk, token(desk, **corp))


def test_an_unknown_key_has_the_set_read_once_a_minute(desk: Desk, providers: TwoProviders) -> None:
    assert ask(desk, token(desk))[0] == 200
    before = providers.asked.count(f"{ISSUER}/keys")
    for number in range(5):
        assert "no key" in refused(desk, THIEF.token(claims(desk), kid=f"unknown-{number}"))
    assert providers.asked.count(f"{ISSUER}/keys") == before + 1
    desk.now += 61
    desk.provider.signer = Signer("RS256", "two", THIEF.key)  # the provider rotated its keys
    assert ask(desk, token(desk))[0] == 200
    assert providers.asked.count(f"{ISSUER}/keys") == before + 2


def test_an_unknown_key_while_the_provider_is_down_takes_nothing_from_others(desk: Desk) -> None:
    assert ask(desk, token(desk))[0] == 200
    desk.provider.down = True
    status, body = ask(desk, THIEF.token(claims(desk), kid="unknown"))
    assert (status, "provider" in body["errors"][0]["message"]) == (503, True)
    assert ask(desk, token(desk))[0] == 200


def test_a_provider_that_cannot_be_asked_is_503_and_no_failed_login(desk: Desk, trail: list[AuditEntry]) -> None:
    desk.now += 3_601
    desk.provider.down = True
    status, body = ask(desk, token(desk))
    assert status == 503
    assert "login.example.com" not in json.dumps(body)
    assert trail == []


def test_a_registry_token_of_our_own_is_no_id_token(desk: Desk) -> None:
    harbour = Harbour(hasher=cast(Any, desk.services.hasher), store=desk.directory, clock=Clock(desk.now))
    issued = harbour.issue(None, "repository:open/a:pull")
    assert "no provider of this registry" in refused(desk, issued.minted.token)


@pytest.mark.parametrize("bearer", ["abc", "", ".", "..", "a.b.c", "a.b.c.d", "ä.ö.ü", "e30.e30.e30", "rst_a.b.c"])
def test_what_is_no_token_is_refused(desk: Desk, bearer: str) -> None:
    assert Browser(desk).ask("GET", CURRENT, None, {"Authorization": f"Bearer {bearer}"})[0] == 401


def test_a_long_header_is_refused_before_it_is_read(desk: Desk) -> None:
    assert f"at most {MAX_TOKEN} are accepted" in refused(desk, token(desk, more="x" * MAX_TOKEN))


def test_the_basic_scheme_takes_no_id_token(desk: Desk) -> None:
    assert Browser(desk).ask("GET", CURRENT, None, basic("grace", token(desk)))[0] == 401


def test_failures_are_in_the_trail_without_the_token(
    desk: Desk, providers: TwoProviders, trail: list[AuditEntry]
) -> None:
    """A name is there once the signature is verified, so nobody can write another one's name into the trail."""
    bad = [
        token(desk, exp=1_000),
        THIEF.token(claims(desk)),
        token(desk, iss="https://evil.example.com"),
        providers.corp.token(claims(desk, iss=CORP, aud=CORP_CLIENT)),
    ]
    for one in bad:
        refused(desk, one)
    desk.accounts.set_disabled("grace", True)
    bad.append(token(desk))
    refused(desk, bad[-1])
    corp = "method=id-token provider=corp"
    assert [entry.detail for entry in trail] == ["method=id-token"] * 3 + [corp, "method=id-token"]
    assert [entry.actor.name for entry in trail] == ["", "", "", "", "grace"]
    assert {(entry.actor.source_ip, str(entry.outcome)) for entry in trail} == {("192.0.2.7", "failure")}
    assert not any(part in str(trail) for one in bad for part in (one, one.rpartition(".")[2]))


def test_failures_lock_nobody_out(desk: Desk) -> None:
    """As with access tokens: nobody guesses a signature, and a stranger must not lock an address by junk."""
    for _ in range(120):
        refused(desk, token(desk, exp=1_000))
    assert ask(desk, token(desk))[0] == 200
    assert Browser(desk).ask("GET", CURRENT, None, basic("bob"))[0] == 200


def test_a_token_is_in_no_representation_of_the_credentials(desk: Desk) -> None:
    bearer = token(desk)
    request = Request("GET", CURRENT, (), (("authorization", f"bearer  {bearer} "),), b"")
    found = credentials_of(request)
    assert found.id_token == bearer
    assert bearer not in repr(found)
