"""Tokens: how they are asked for and given out, and which the registry believes."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from roadstead.identity.access import Access
from roadstead.identity.directory import Role
from roadstead.identity.tokens.certificates import DirectSigning, TrustedKey
from roadstead.identity.tokens.jose import LEEWAY
from roadstead.identity.tokens.minting import TokenMinter
from roadstead.trail.entries import ActorKind
from tests.api.backends import on_both_backends
from tests.api.client import Answer, Api, Client
from tests.api.conftest import PASSWORDS, Builder
from tests.api.token_requests import FORM, basic, claims, get_token, post_token
from tests.memory.signing import MemoryKeys

REPOSITORY = "acme/app"


# Asking for a token


@on_both_backends
def test_a_token_response_has_the_specified_fields(developer: Client) -> None:
    scope = f"repository:{REPOSITORY}:pull,push,delete"
    answer = get_token(developer, ("service", "roadstead"), ("scope", scope), ("account", "developer")).expect(200)
    assert answer.header("cache-control") == "no-store"
    document = answer.json()
    assert set(document) == {"token", "access_token", "expires_in", "issued_at"}
    assert (document["token"], document["expires_in"]) == (document["access_token"], 900)
    issued = time.mktime(time.strptime(document["issued_at"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert abs(issued - time.time()) < 60
    body = claims(document["token"])
    assert (body["iss"], body["aud"], body["sub"]) == ("roadstead", "roadstead", "developer")
    assert body["access"] == [{"type": "repository", "name": REPOSITORY, "actions": ["pull", "push"]}]
    assert (body["exp"] - body["iat"], body["nbf"] <= body["iat"]) == (900, True)


def test_repeated_and_space_separated_scopes_are_merged(developer: Client) -> None:
    first, second = f"repository:{REPOSITORY}:pull", "repository:open/b:pull"
    for parameters in (
        [("scope", first), ("scope", second), ("scope", f"repository:{REPOSITORY}:push")],
        [("scope", f"{first} {second} repository:{REPOSITORY}:push")],
        [("scope", f"{first} {second}"), ("scope", f"repository:{REPOSITORY}:push")],
    ):
        token = get_token(developer, *parameters).expect(200).json()["token"]
        assert [entry["actions"] for entry in claims(token)["access"]] == [["pull", "push"], ["pull"]]


@pytest.mark.parametrize("parameters", [[], [("scope", "")], [("service", "roadstead")], [("account", "someone")]])
def test_a_scope_and_a_service_may_be_left_out(developer: Client, parameters: Sequence[tuple[str, str]]) -> None:
    token = get_token(developer, *parameters).expect(200).json()["token"]
    assert claims(token)["access"] == []
    developer.api.request("GET", "/v2/", {"Authorization": f"Bearer {token}"}).expect(200)


def test_another_service_and_a_malformed_scope_are_400(developer: Client) -> None:
    assert "roadstead" in get_token(developer, ("service", "other")).refused(400, "UNSUPPORTED").message
    get_token(developer, ("scope", "nonsense")).refused(400, "UNSUPPORTED")
    everything = [("scope", f"repository:acme/a-rather-long-name-{number}:pull,push") for number in range(800)]
    get_token(developer, *everything).refused(400, "UNSUPPORTED")


@on_both_backends
def test_a_token_for_500_repositories_pulls_pushes_and_mounts_in_each(developer: Client) -> None:
    names = [f"acme/{number:035}" for number in range(500)]
    scope = " ".join(f"repository:{name}:pull,push" for name in names)
    fields = {"grant_type": "password", "username": "developer", "password": developer.api.passwords["developer"]}
    document = post_token(developer.api, **fields, service="roadstead", scope=scope).expect(200).json()
    assert document["scope"] == scope
    authorization = {"Authorization": f"Bearer {document['token']}"}
    line = f"PUT /v2/{names[0]}/blobs/uploads/{'0' * 32}?_state={'s' * 800}&digest=sha256:{'0' * 64} HTTP/1.1"
    assert len(line) + sum(len(name) + len(value) + 4 for name, value in authorization.items()) < 10_240 - 3_000
    digest = developer.push_blob(names[0], b"layer")
    for name in (names[1], names[-1]):
        target = f"/v2/{name}/blobs/uploads/?mount={digest}&from={names[0]}"
        developer.api.request("POST", target, authorization).expect(201)
        developer.api.request("GET", f"/v2/{name}/blobs/{digest}", authorization).expect(200)
        developer.api.request("POST", f"/v2/{name}/blobs/uploads/?mount={digest}", authorization).expect(202)
    developer.api.request("GET", f"/v2/acme/another/blobs/{digest}", authorization).refused(401, "DENIED")
    developer.api.request("DELETE", f"/v2/{names[1]}/blobs/{digest}", authorization).refused(401, "DENIED")
    other = f"/v2/{names[1]}/blobs/uploads/?mount={digest}&from=acme/another"
    developer.api.request("POST", other, authorization).refused(401, "UNAUTHORIZED")


@pytest.mark.parametrize("scope", ["", "repository:open/app:pull"])
def test_basic_with_an_empty_user_and_password_is_anonymous(api: Api, scope: str) -> None:
    target = f"/token?{urlencode({'scope': scope})}"
    for headers in ({}, basic("", "")):
        token = api.request("GET", target, headers).expect(200).json()["token"]
        assert (claims(token)["sub"], claims(token)["kind"]) == ("", "anonymous")
        api.request("GET", "/v2/", {"Authorization": f"Bearer {token}"}).expect(200)


def test_wrong_credentials_are_the_same_401_whether_or_not_the_user_exists(api: Api) -> None:
    wrong = [
        api.request("GET", "/token", basic(user, password))
        for user, password in (
            ("developer", "wrong"),
            ("nosuchuser", "wrong"),
            ("developer", ""),
            ("", PASSWORDS["developer"]),
            ("Developer", PASSWORDS["developer"]),
            ("developer", PASSWORDS["owner"]),
            ("developer", "\ud83d".encode("utf-8", "surrogatepass").decode("latin-1")),
        )
    ]
    for answer in wrong:
        answer.refused(401, "UNAUTHORIZED")
        assert (answer.pairs, answer.body) == (wrong[0].pairs, wrong[0].body)
        assert (answer.header("www-authenticate") or "").startswith('Basic realm="roadstead"')


@pytest.mark.parametrize("authorization", ["Basic !!!", "Basic", "Basic " + "YQ==", "Bearer x", "Basic \xff"])
def test_malformed_credentials_are_401(api: Api, authorization: str) -> None:
    api.request("GET", "/token", {"Authorization": authorization}).refused(401, "UNAUTHORIZED")


def test_a_password_is_exchanged_by_post_too(api: Api) -> None:
    scope = f"repository:{REPOSITORY}:pull,push,delete registry:catalog:*"
    fields = {"grant_type": "password", "username": "developer", "password": PASSWORDS["developer"]}
    answer = post_token(api, **fields, service="roadstead", client_id="test", scope=scope).expect(200)
    document = answer.json()
    assert document["scope"] == f"repository:{REPOSITORY}:pull,push"
    assert claims(document["access_token"])["sub"] == "developer"
    post_token(api, **{**fields, "password": "wrong"}).refused(401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "", "password": "", "scope": "x"}, "invalid_scope"),
        ({"grant_type": "password", "username": "", "password": "", "service": "x"}, "invalid_request"),
    ],
)
def test_a_malformed_post_is_a_400_that_clients_of_both_kinds_can_read(
    api: Api, fields: dict[str, str], error: str
) -> None:
    answer = post_token(api, **fields).refused(400, "UNSUPPORTED")
    assert answer.json()["error"] == error
    assert answer.json()["error_description"] == answer.message


def test_a_post_that_is_no_form_is_400(api: Api) -> None:
    for headers, body in (({}, b"a=b"), ({"Content-Type": "application/json"}, b"{}"), (FORM, b"\xff=%ff")):
        api.request("POST", "/token", headers, body).refused(400, "UNSUPPORTED")


# Refresh tokens


@pytest.fixture
def remembering(build: Builder) -> Api:
    """A registry that gives out refresh tokens."""
    return build(REFRESH_TOKENS="on")


def test_docker_login_gets_no_refresh_token_by_default(api: Api) -> None:
    developer = api.user("developer")
    answer = get_token(developer, ("client_id", "docker"), ("offline_token", "true")).expect(200)
    assert "refresh_token" not in answer.json()
    fields = {"grant_type": "password", "username": "developer", "password": PASSWORDS["developer"]}
    assert "refresh_token" not in post_token(api, **fields, access_type="offline").expect(200).json()
    refused = post_token(api, grant_type="refresh_token", refresh_token="rsrt_YWRh.AAAA").refused(401, "UNAUTHORIZED")
    assert "refresh tokens are disabled here" in refused.message


@on_both_backends
def test_twenty_logins_at_once_are_all_good_afterwards(remembering: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: login(remembering.user("developer")), range(20)))
    for refresh in tokens:
        scope = f"repository:{REPOSITORY}:pull,push"
        answer = post_token(remembering, grant_type="refresh_token", refresh_token=refresh, scope=scope).expect(200)
        assert claims(answer.json()["token"])["access"][0]["actions"] == ["pull", "push"]


def test_a_refresh_token_is_accepted_as_a_basic_password(remembering: Api) -> None:
    refresh = login(remembering.user("developer"))
    scope = urlencode({"scope": f"repository:{REPOSITORY}:push"})
    answer = remembering.request("GET", f"/token?{scope}", basic("developer", refresh)).expect(200)
    assert claims(answer.json()["token"])["access"][0]["actions"] == ["push"]
    for user, password in (("guest", refresh), ("developer", refresh + "x"), ("", refresh)):
        remembering.request("GET", "/token", basic(user, password)).refused(401, "UNAUTHORIZED")


def login(client: Client, name: str = "offline_token", value: str = "true") -> str:
    answer = get_token(client, ("client_id", "docker"), (name, value), ("service", "roadstead")).expect(200)
    return str(answer.json()["refresh_token"])


@on_both_backends
def test_a_refresh_token_is_given_only_when_asked_for_and_can_be_used_again_and_again(remembering: Api) -> None:
    developer = remembering.user("developer")
    refresh = login(developer)
    assert login(developer, "access_type", "offline") != refresh
    fields = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "docker"}
    for _ in range(3):
        answer = post_token(remembering, **fields, scope=f"repository:{REPOSITORY}:pull,push").expect(200)
        token = answer.json()["access_token"]
        assert claims(token)["access"][0]["actions"] == ["pull", "push"]
    assert "refresh_token" not in answer.json()
    assert post_token(remembering, **fields, access_type="offline").expect(200).json()["refresh_token"] == refresh
    assert "refresh_token" not in get_token(developer, ("client_id", "docker")).json()


def test_nobody_gets_no_refresh_token_and_a_wrong_one_is_401(remembering: Api) -> None:
    assert "refresh_token" not in get_token(remembering.user(""), ("offline_token", "true")).expect(200).json()
    good = login(remembering.user("developer"))
    for refresh in ("x", good + "x", good[:-1], "rsrt_x.y", good.replace("rsrt_", "")):
        answer = post_token(remembering, grant_type="refresh_token", refresh_token=refresh).refused(401, "UNAUTHORIZED")
        assert answer.json()["error"] == "invalid_grant"


@on_both_backends
def test_a_new_password_revokes_the_old_one_and_every_refresh_token(remembering: Api) -> None:
    developer = remembering.user("developer")
    developer.token()
    refresh = login(developer)
    remembering.accounts.set_password("developer", "another correct horse")
    post_token(remembering, grant_type="refresh_token", refresh_token=refresh).refused(401, "UNAUTHORIZED")
    remembering.request("GET", "/token", developer.basic()).refused(401, "UNAUTHORIZED")
    remembering.request("GET", "/token", basic("developer", "another correct horse")).expect(200)


@on_both_backends
def test_a_disabled_user_is_answered_as_if_the_password_were_wrong(remembering: Api) -> None:
    developer = remembering.user("developer")
    refresh = login(developer)
    remembering.accounts.set_disabled("developer", True)
    disabled = remembering.request("GET", "/token", developer.basic()).refused(401, "UNAUTHORIZED")
    wrong = remembering.request("GET", "/token", basic("developer", "wrong")).refused(401, "UNAUTHORIZED")
    assert (disabled.pairs, disabled.body) == (wrong.pairs, wrong.body)
    post_token(remembering, grant_type="refresh_token", refresh_token=refresh).refused(401, "UNAUTHORIZED")


@on_both_backends
def test_who_is_made_a_member_may_do_more_with_the_next_token(api: Api) -> None:
    stranger = api.user("stranger")
    stranger.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/").refused(401, "DENIED")
    api.accounts.set_member("acme", "stranger", Role.DEVELOPER)
    api.user("stranger").request("POST", f"/v2/{REPOSITORY}/blobs/uploads/").expect(202)
    api.accounts.remove_member("acme", "stranger")
    api.user("stranger").request("POST", f"/v2/{REPOSITORY}/blobs/uploads/").refused(401, "DENIED")
    api.accounts.set_public("acme", True)
    api.user("").tags(REPOSITORY).refused(404, "NAME_UNKNOWN")


# Tokens that the registry does not believe


@on_both_backends
def test_the_key_set_has_the_keys_that_sign(api: Api) -> None:
    answer = api.request("GET", "/.well-known/jwks.json").expect(200)
    (key,) = answer.json()["keys"]
    assert {key["kty"], key["crv"], key["alg"], key["use"]} == {"EC", "P-256", "ES256", "sig"}
    assert "d" not in key


@pytest.fixture
def mint(api: Api) -> Callable[..., str]:
    """Mints tokens with the trusted key itself; what is given changes the claims, or the clock (in seconds)."""

    def make(
        clock: float = 0, issuer: str = "roadstead", service: str = "roadstead", keys: MemoryKeys | None = None
    ) -> str:
        keys = keys or api.token_keys
        assert keys is not None
        signing = DirectSigning(TrustedKey("key", keys, keys))
        minter = TokenMinter(signing, issuer=issuer, service=service, lifetime=900, clock=lambda: time.time() + clock)
        return minter.mint("developer", ActorKind.USER, [Access.to(REPOSITORY, "pull")]).token

    return make


def use(api: Api, token: str) -> Answer:
    return api.request("GET", f"/v2/{REPOSITORY}/tags/list", {"Authorization": f"Bearer {token}"})


def test_a_token_that_the_key_itself_signed_is_believed(api: Api, mint: Callable[..., str]) -> None:
    use(api, mint()).refused(404, "NAME_UNKNOWN")


def test_clocks_may_differ_by_60_seconds(api: Api, mint: Callable[..., str]) -> None:
    assert LEEWAY == 60
    use(api, mint(clock=50)).refused(404, "NAME_UNKNOWN")
    use(api, mint(clock=-950)).refused(404, "NAME_UNKNOWN")
    use(api, mint(clock=70)).refused(401, "UNAUTHORIZED")
    assert "expired" in use(api, mint(clock=-970)).refused(401, "UNAUTHORIZED").message


@pytest.mark.parametrize(
    "changes",
    [
        {"clock": -1000},
        {"clock": 1000},
        {"issuer": "other"},
        {"service": "registry.test"},
        {"keys": MemoryKeys("key")},
    ],
)
def test_a_token_that_is_not_to_be_believed_is_invalid(
    api: Api, mint: Callable[..., str], changes: dict[str, Any]
) -> None:
    answer = use(api, mint(**changes)).refused(401, "UNAUTHORIZED")
    assert answer.challenge["error"] == "invalid_token"
    assert answer.challenge["error_description"] == answer.message
    assert answer.challenge["scope"] == f"repository:{REPOSITORY}:pull"


def test_a_token_that_was_tampered_with_is_invalid(api: Api, developer: Client) -> None:
    header, payload, signature = developer.token(f"repository:{REPOSITORY}:pull").split(".")
    more = claims(f".{payload}.")
    more["access"][0]["actions"] = ["pull", "push", "delete"]
    forged = base64.urlsafe_b64encode(json.dumps(more).encode()).rstrip(b"=").decode()
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for token in (
        f"{header}.{forged}.{signature}",
        f"{none}.{payload}.",
        f"{header}.{payload}.",
        f"{header}.{payload}",
        "x.y.z",
        "x" * 9000,
        "\xe4",
    ):
        assert use(api, token).refused(401, "UNAUTHORIZED").challenge["error"] == "invalid_token"


@on_both_backends
@pytest.mark.parametrize("mode", ["certified", "direct"])
def test_both_ways_of_signing_are_believed_and_short(build: Builder, mode: str) -> None:
    """Direct signatures are KMS's own; a certificate goes along with the others."""
    api = build(TOKEN_MODE=mode)
    token = api.user("developer").token(f"repository:{REPOSITORY}:pull")
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert ("crt" in header) == (mode == "certified")
    assert len(token) < 4096
    use(api, token).refused(404, "NAME_UNKNOWN")


def test_the_registry_takes_the_token_on_every_name_that_it_has(api: Api, developer: Client) -> None:
    token = developer.token(f"repository:{REPOSITORY}:pull,push")
    for host in ("registry.test", "abc123.execute-api.eu-central-1.amazonaws.com"):
        headers = {"Authorization": f"Bearer {token}"}
        answer = api.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/", headers, host=host).expect(202)
        assert urlsplit(answer.location).netloc in ("", host)
