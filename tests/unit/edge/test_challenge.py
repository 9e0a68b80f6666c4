"""The challenge that the edge answers is the registry's own, byte for byte, and no other request is answered there."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from edge.build import built
from functions.distribution.application import Application
from functions.distribution.routes import ROUTES, Needs, Route, match
from functions.distribution.services import Services
from functions.hosting.boundary import response_of
from infra.configuration import environments
from infra.configuration.settings import Settings
from local.functions.declarations import SERVICE
from roadstead.http import Request, Response
from roadstead.trail.entries import ActorKind
from tests.unit.edge.cases import HOST, REPOSITORY, SHA256, SHA512, UPLOAD, UPLOAD_ID, headers_of, run, where
from tests.unit.edge.engines import Engine, NodeEngine, QuickJsEngine
from tests.unit.identity.parts import Clock, Harbour

METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS")
Said = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def harbour() -> Harbour:
    """Signs the tokens of these tests, and verifies them for the registry."""
    return Harbour(clock=Clock(time.time()), direct=True)


@pytest.fixture(scope="module")
def registry(harbour: Harbour) -> Application:
    """As far as a request without a valid token gets, which is to no store."""
    unused = dict.fromkeys((field.name for field in dataclasses.fields(Services)), cast(Any, None))
    return Application(Services(**{**unused, "verifier": harbour.verifier, "token_service": SERVICE}))


def of_the_registry(registry: Application, method: str, path: str, authorization: str | None) -> Said:
    headers = () if authorization is None else (("authorization", authorization),)
    request = Request(method, path, headers=headers, host=HOST)
    return _said(response_of(request, registry.respond))


def of_the_edge(engine: Engine, method: str, path: str, authorization: str | None) -> Said | None:
    """None where the edge leaves the request to the registry."""
    headers = () if authorization is None else (("Authorization", authorization),)
    outcome = run(engine, method, path, headers, settings={})
    if "statusCode" not in outcome.result:
        assert where(outcome) in ("api", "registry", "token")
        return None
    body = outcome.result["body"]["data"].encode() if "body" in outcome.result else b""
    return outcome.result["statusCode"], headers_of(outcome), body


def _said(response: Response) -> Said:
    headers = {name.lower(): value for name, value in response.headers if name.lower() != "content-length"}
    return response.status, headers, response.body


def expired(harbour: Harbour, ago: float = 3600) -> str:
    """A token whose time was over `ago` seconds ago, properly signed."""
    harbour.clock.now = time.time() - ago - harbour.lifetime
    token = harbour.minter.mint("ada", ActorKind.USER, []).token
    harbour.clock.now = time.time()
    return f"Bearer {token}"


def path_of(route: Route) -> str:
    """A path of a row, with every part filled."""
    filled = {"repository": REPOSITORY, "digest": SHA256, "reference": "v1.0", "upload": UPLOAD_ID}
    path = route.path.rstrip("?").format(**filled)
    assert match(route.method, path).route is route
    return path


CHALLENGED = [route for route in ROUTES if route.needs is not Needs.UPLOAD]
OTHER_SPELLINGS = [
    ("GET", "/v2"),
    ("HEAD", "/v2"),
    ("HEAD", "/v2/_catalog"),
    ("HEAD", f"/v2/{REPOSITORY}/tags/list"),
    ("HEAD", f"/v2/{REPOSITORY}/referrers/{SHA256}"),
    ("POST", f"/v2/{REPOSITORY}/blobs/uploads"),
    ("GET", f"/v2/{REPOSITORY}/manifests/{SHA512}"),
    ("GET", f"/v2/{REPOSITORY}/manifests/{'t' * 128}"),
    ("GET", "/v2/a/manifests/b/manifests/c"),
    ("GET", "/v2/a/blobs/uploads/tags/list"),
    ("GET", "/v2/a/b.c/d_e/f__g/h--i/tags/list"),
]


@pytest.mark.parametrize(
    ("method", "path"),
    [*((route.method, path_of(route)) for route in CHALLENGED), *OTHER_SPELLINGS],
)
def test_a_request_without_a_token_is_challenged_at_the_edge(
    engine: Engine, registry: Application, method: str, path: str
) -> None:
    said = of_the_edge(engine, method, path, None)
    assert said is not None
    assert said == of_the_registry(registry, method, path, None)
    assert said[0] == 401


@pytest.mark.parametrize("route", CHALLENGED, ids=lambda route: f"{route.method} {route.name}")
def test_a_token_that_has_expired_is_challenged_at_the_edge(
    engine: Engine, registry: Application, harbour: Harbour, route: Route
) -> None:
    token = expired(harbour)
    said = of_the_edge(engine, route.method, path_of(route), token)
    assert said is not None
    assert said == of_the_registry(registry, route.method, path_of(route), token)
    assert 'error="invalid_token"' in said[1]["www-authenticate"]


def test_a_token_that_the_registry_takes_is_never_refused_at_the_edge(engine: Engine, harbour: Harbour) -> None:
    for ago in (-900, -1, 0, 50):
        assert of_the_edge(engine, "GET", "/v2/", expired(harbour, ago)) is None
    assert of_the_edge(engine, "GET", "/v2/", expired(harbour, 61)) is not None


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer a.b.c",
        "Bearer a.bnVsbA.c",  # null
        "Bearer a.e30.c",  # {}
        "Bearer a.eyJleHAiOiIxIn0.c",  # {"exp":"1"}
        "Bearer a.eyJleHAiOjF9",
        "Bearer a.eyJleHAiOjF9.c.d",
        "Basic YTpi",
        "Basic a.eyJleHAiOjF9.c",
    ],
)
def test_any_other_authorization_is_the_registrys_to_judge(engine: Engine, authorization: str) -> None:
    assert of_the_edge(engine, "GET", "/v2/", authorization) is None


def test_two_authorizations_are_the_registrys_to_judge(engine: Engine, harbour: Harbour) -> None:
    token = expired(harbour)
    outcome = run(engine, "GET", "/v2/", [("Authorization", token), ("Authorization", token)], settings={})
    assert where(outcome) == "registry"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/token"),
        ("GET", "/"),
        ("GET", "/v2/app/tags/list"),  # of one component: the registry decides on its project
        ("GET", "/v2/%61/b/tags/list"),
        ("GET", f"/v2/{'a' * 254}/b/tags/list"),
        ("GET", f"/v2/{REPOSITORY}/manifests/{'t' * 129}"),
        ("GET", f"/v2/{REPOSITORY}/blobs/latest"),
        ("DELETE", "/v2/"),
        ("GET", f"/v2/{REPOSITORY}/unknown"),
        ("GET", f"/v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID.upper()}"),
    ],
)
def test_what_is_not_exactly_an_endpoint_is_the_registrys_to_judge(engine: Engine, method: str, path: str) -> None:
    assert of_the_edge(engine, method, path, None) is None


def test_an_uploads_url_goes_by_its_own_token(engine: Engine) -> None:
    outcome = run(engine, "PATCH", f"{UPLOAD}?_state=x")
    assert where(outcome) == "404 BLOB_UPLOAD_UNKNOWN"


@pytest.mark.parametrize("host", ['a"b', "a b", "a/b", "a\\b"])
def test_a_host_that_would_break_the_realm_is_left_to_the_registry(engine: Engine, host: str) -> None:
    assert where(run(engine, "GET", "/v2/", settings={}, host=host)) == "api"


def test_the_service_is_that_of_the_functions() -> None:
    deployed = environments.registry(
        Settings.parse({}), environments.Addresses(*[""] * len(fields(environments.Addresses)))
    )
    assert deployed["TOKEN_SERVICE"] == SERVICE
    assert f"const SERVICE = '{SERVICE}';" in built("request")


# Pieces of paths, whole or bent.
_SEGMENTS = st.sampled_from(
    ["v2", "team", "app", "blobs", "uploads", "manifests", "tags", "list", "referrers", "_catalog", "latest", SHA256,
     SHA512, "", ".", "..", "%2e", "A", UPLOAD_ID, "sha256:", "a" * 255]
)  # fmt: skip
_PATHS = st.lists(_SEGMENTS, max_size=8).map(lambda parts: "/" + "/".join(parts)) | st.lists(_SEGMENTS, max_size=6).map(
    lambda parts: "/v2/team/app/" + "/".join(parts)
)


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Engine, Engine]]:
    both = (NodeEngine(), QuickJsEngine())
    yield both
    for one in both:
        one.close()


@examples(max_examples=500, deadline=None)
@given(method=st.sampled_from(METHODS), path=_PATHS, late=st.booleans())
def test_whatever_the_edge_answers_the_registry_would_answer(
    engines: tuple[Engine, Engine],
    registry: Application,
    harbour: Harbour,
    method: str,
    path: str,
    late: bool,
) -> None:
    authorization = expired(harbour) if late else None
    said, other = (of_the_edge(one, method, path, authorization) for one in engines)
    assert said == other
    if said is not None and said[0] == 401:
        assert said == of_the_registry(registry, method, path, authorization)
