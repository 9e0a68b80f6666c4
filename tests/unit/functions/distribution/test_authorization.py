"""Who may go on to the handler, and what everybody else is told."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from functions.distribution.authorization import Authorization, Authorized
from functions.distribution.challenge import challenge
from functions.distribution.routes import match
from functions.distribution.services import Services
from roadstead.content.uploads.token import UploadKeys, UploadToken
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request
from roadstead.identity.access import CATALOG_ACCESS, Access
from roadstead.identity.tokens.granted import Granted
from roadstead.names import RepositoryName
from roadstead.trail.entries import ActorKind
from tests.memory.objects import FixedUploadKeys
from tests.unit.identity.parts import NOON, Harbour

NAME, UPLOAD_ID = RepositoryName("ships/galleon"), "ab" * 16
KEYS = UploadKeys("k", {"k": b"k" * 32, "old": b"o" * 32})
UPLOAD = UploadToken(NAME, UPLOAD_ID, "ada", "user", "t1", NOON + 60)
UPLOAD_PATH = f"/v2/{NAME}/blobs/uploads/{UPLOAD_ID}"
DIGEST = Digest.of(b"")


class Gate:
    """An authorisation whose tokens are minted beside it."""

    def __init__(self) -> None:
        self.harbour = Harbour()
        services = SimpleNamespace(
            verifier=self.harbour.verifier, upload_keys=FixedUploadKeys(KEYS), token_service="roadstead"
        )
        self.authorization = Authorization(cast(Services, services), clock=self.harbour.clock)

    def token(self, *access: Access, subject: str = "ada", kind: ActorKind = ActorKind.USER) -> str:
        return self.harbour.minter.mint(subject, kind, access).token

    def ask(self, method: str, path: str, bearer: str | None = None, **fields: object) -> Authorized:
        headers = (("user-agent", "docker/28"), *((("authorization", f"Bearer {bearer}"),) if bearer else ()))
        request = Request(method, path, headers=headers, source_ip="192.0.2.7", request_id="r1", host="registry.test")
        return self.authorization.authorize(replace(request, **fields), match(method, path))  # type: ignore[arg-type]


@pytest.fixture
def gate() -> Gate:
    return Gate()


def refusal(error: pytest.ExceptionInfo[RegistryError]) -> tuple[int, ErrorCode, dict[str, str]]:
    header = dict(error.value.headers).get("WWW-Authenticate", "")
    return error.value.status, error.value.entries[0].code, dict(re.findall(r'(\w+)="([^"]*)"', header))


def test_a_token_with_the_access_is_authorised(gate: Gate) -> None:
    token = gate.token(Access.to(NAME, "pull", "push"))
    allowed = gate.ask("PUT", f"/v2/{NAME}/manifests/latest", token)
    actor, granted, upload = allowed.actor, allowed.granted, allowed.upload
    assert (actor.name, actor.kind, actor.source_ip, actor.user_agent, actor.request_id) == (
        "ada",
        ActorKind.USER,
        "192.0.2.7",
        "docker/28",
        "r1",
    )
    assert actor.token_id
    assert granted == Granted((Access.to(NAME, "pull", "push"),))
    assert upload is None


def test_v2_is_open_to_any_valid_token(gate: Gate) -> None:
    allowed = gate.ask("GET", "/v2/", gate.token(subject="", kind=ActorKind.ANONYMOUS))
    actor, granted = allowed.actor, allowed.granted
    assert (actor.name, actor.kind, granted) == ("", ActorKind.ANONYMOUS, Granted())


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/", None),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("GET", f"/v2/{NAME}/tags/list", f"repository:{NAME}:pull"),
        ("POST", f"/v2/{NAME}/blobs/uploads/", f"repository:{NAME}:pull,push"),
        ("DELETE", f"/v2/{NAME}/manifests/latest", f"repository:{NAME}:delete"),
        ("PATCH", UPLOAD_PATH, f"repository:{NAME}:pull,push"),
    ],
)
def test_a_request_without_a_token_is_challenged_with_realm_and_scope(
    gate: Gate, method: str, path: str, scope: str | None
) -> None:
    expected = {"realm": "https://registry.test/token", "service": "roadstead"}
    with pytest.raises(RegistryError) as error:
        gate.ask(method, path)
    scopes = {"scope": scope} if scope else {}
    assert refusal(error) == (401, ErrorCode.UNAUTHORIZED, {**expected, **scopes})


@pytest.mark.parametrize(
    "access",
    [
        [],
        [Access.to(NAME, "pull")],
        [Access.to("ships/sloop", "pull", "push")],
        [Access("registry", NAME, frozenset({"pull", "push"}))],
        [Access.to(NAME)],
        [CATALOG_ACCESS],
        [Access.to(NAME, "*")],  # only a request may say so; what is granted is spelt out
    ],
)
def test_a_token_without_the_access_is_insufficient_scope(gate: Gate, access: list[Access]) -> None:
    with pytest.raises(RegistryError) as error:
        gate.ask("POST", f"/v2/{NAME}/blobs/uploads/", gate.token(*access))
    status, code, parameters = refusal(error)
    assert (status, code, parameters["error"]) == (401, ErrorCode.DENIED, "insufficient_scope")
    assert parameters["scope"] == f"repository:{NAME}:pull,push"
    assert "does not exist, or ada may not push to it" in str(error.value)


def test_actions_of_several_entries_are_combined(gate: Gate) -> None:
    token = gate.token(Access.to(NAME, "pull"), Access.to(NAME, "push"))
    assert gate.ask("POST", f"/v2/{NAME}/blobs/uploads/", token)


@pytest.mark.parametrize("bearer", ["x", "a.b.c", "é"])
def test_a_malformed_token_is_invalid_token(gate: Gate, bearer: str) -> None:
    with pytest.raises(RegistryError) as error:
        gate.ask("GET", "/v2/", bearer)
    status, code, parameters = refusal(error)
    assert (status, code, parameters["error"]) == (401, ErrorCode.UNAUTHORIZED, "invalid_token")


def test_an_expired_token_is_invalid_token(gate: Gate) -> None:
    token = gate.token()
    gate.harbour.clock.now += 900 + 60
    with pytest.raises(RegistryError) as error:
        gate.ask("GET", "/v2/", token)
    assert refusal(error)[2]["error"] == "invalid_token"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic YTpi", "x"])
def test_another_authorization_scheme_is_challenged(gate: Gate, authorization: str) -> None:
    with pytest.raises(RegistryError) as error:
        gate.ask("GET", "/v2/", headers=(("authorization", authorization),))
    assert refusal(error)[0] == 401
    assert "error" not in refusal(error)[2]


def test_an_upload_token_alone_authorises_its_upload(gate: Gate) -> None:
    query = (("_state", UPLOAD.encode(KEYS)), ("digest", DIGEST))
    for headers in ((), (("authorization", "Basic eDp5"),)):
        allowed = gate.ask("PUT", UPLOAD_PATH, query=query, headers=headers)
        actor, granted, upload = allowed.actor, allowed.granted, allowed.upload
        assert (actor.name, actor.kind, actor.token_id, actor.source_ip) == ("ada", ActorKind.USER, "t1", "192.0.2.7")
        assert granted == Granted()
        assert upload == UPLOAD


@pytest.mark.parametrize(
    "token",
    [
        replace(UPLOAD, expires=NOON),
        replace(UPLOAD, repository=RepositoryName("ships/sloop")),
        replace(UPLOAD, upload_id="cd" * 16),
    ],
)
def test_an_upload_token_for_another_upload_is_unknown(gate: Gate, token: UploadToken) -> None:
    with pytest.raises(RegistryError) as error:
        gate.ask("PATCH", UPLOAD_PATH, query=(("_state", token.encode(KEYS)),))
    assert refusal(error)[:2] == (404, ErrorCode.BLOB_UPLOAD_UNKNOWN)


def test_an_upload_without_its_token_is_404_to_members_and_401_to_others(gate: Gate) -> None:
    with pytest.raises(RegistryError) as error:
        gate.ask("PATCH", UPLOAD_PATH, gate.token(Access.to(NAME, "pull", "push")))
    assert refusal(error)[:2] == (404, ErrorCode.BLOB_UPLOAD_UNKNOWN)
    with pytest.raises(RegistryError) as error:
        gate.ask("PATCH", UPLOAD_PATH, gate.token(Access.to(NAME, "pull")))
    assert refusal(error)[0] == 401


def test_an_upload_token_does_not_authorise_other_routes(gate: Gate) -> None:
    with pytest.raises(RegistryError) as error:
        gate.ask("GET", f"/v2/{NAME}/tags/list", query=(("_state", UPLOAD.encode(KEYS)),))
    assert refusal(error)[0] == 401


def test_a_long_user_agent_is_cut(gate: Gate) -> None:
    headers = (("authorization", f"Bearer {gate.token()}"), ("user-agent", "x" * 5000))
    actor = gate.ask("GET", "/v2/", headers=headers).actor
    assert len(actor.user_agent) == 256


def test_hostile_text_in_a_challenge_is_escaped() -> None:
    request = Request("GET", "/", host='evil", x="y', scheme="http")
    name, value = challenge(request, "service", ("a:b:c",), "error", 'a "quoted\\ line\r\nX: é')
    assert name == "WWW-Authenticate"
    assert "\r" not in value and "\n" not in value and value.isascii()
    assert r'realm="http://evil\", x=\"y/token"' in value
    assert r'error_description="a \"quoted\\ line??X: ?"' in value


def test_several_scopes_are_one_parameter_of_the_challenge() -> None:
    request = Request("GET", "/", host="registry.test")
    _, value = challenge(request, "roadstead", ("repository:a:pull", "repository:b:push"))
    assert value == (
        'Bearer realm="https://registry.test/token",service="roadstead",scope="repository:a:pull repository:b:push"'
    )
