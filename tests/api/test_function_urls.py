"""What a function responds by its URL is what it responds by the API, but for challenges; and nobody but the
distribution is believed there."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from local.gateway import function_url
from local.gateway.events import Incoming
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.digest import Digest
from tests.api.client import Answer, Api
from tests.api.conftest import EDGE_SECRET, Builder
from tests.api.documents import CONFIG, dump, image, of

SHIPS = "acme/ships"
SIGNATURE = ("authorization", "AWS4-HMAC-SHA256 Credential=CLOUDFRONT/x, SignedHeaders=host, Signature=0")
VIEWER = "203.0.113.9"
BY_EDGE = (
    ("x-roadstead-secret", EDGE_SECRET),
    ("x-roadstead-host", "r.example"),
    ("x-roadstead-address", VIEWER),
)
Headers = tuple[tuple[str, str], ...]


@pytest.fixture
def api(build: Builder) -> Api:
    return build(EDGE_SECRET_PARAMETER="/edge", DISTRIBUTION_URL="stage")


@pytest.fixture
def image_digest(api: Api) -> Digest:
    client = api.user("maintainer")
    layer = b"layer" * 5000  # not inline
    config, big = client.push_blob(SHIPS, b"{}"), client.push_blob(SHIPS, layer)
    assert config and big
    body = dump(image(of(b"{}", CONFIG), [of(layer)]))
    client.put_manifest(SHIPS, "v1", body, OCI_MANIFEST).expect(201)
    return Digest.of(body)


def by_url(api: Api, function: str, target: str, headers: Headers, *, sign: bool = True) -> Answer:
    """A GET by the function's URL, with CloudFront's signature, as the emulator makes the event and the response."""
    path, _, query = target.partition("?")
    signature = (SIGNATURE,) if sign else ()
    incoming = Incoming(
        method="GET",
        target=path,
        query=query,
        headers=(("host", "abc.lambda-url.us-east-1.on.aws"), *signature, *headers),
        body=b"",
        client="192.0.2.7",
        scheme="https",
        port=443,
    )
    event = function_url.event_for(incoming, request_id="request-1", now=time.time())
    result = api.functions[function](json.loads(json.dumps(event)))
    answer = function_url.response_from(json.loads(json.dumps(result)), "GET")
    return Answer(answer.status, answer.headers, answer.body, result)


def moved(authorization: str) -> tuple[str, str]:
    return ("x-roadstead-authorization", authorization)


def token(api: Api, *actions: str, user: str = "maintainer") -> str:
    return api.user(user).token(f"repository:{SHIPS}:{','.join(actions or ('pull',))}")


def seen(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """All that a client sees; a presigned URL differs by the time, and a URL gives a type even to no body."""
    named = dict(answer.pairs)
    assert not [name for name in named if name.startswith("x-amzn-remapped-")]
    if "location" in named:
        named["location"] = named["location"].partition("?")[0]
    if not answer.body:
        named.pop("content-type", None)
    return answer.status, named, answer.body


@pytest.mark.parametrize(
    "target",
    [
        "/v2/",
        f"/v2/{SHIPS}/tags/list?n=1",
        f"/v2/{SHIPS}/manifests/v1",
        f"/v2/{SHIPS}/manifests/v%31",
        f"/v2/{SHIPS}/manifests/none",
        f"/v2/{SHIPS}/blobs/{Digest.of(b'{}')}",
        f"/v2/{SHIPS}/blobs/{Digest.of(b'layer' * 5000)}",
        f"/v2/{SHIPS}/blobs/{Digest.of(b'unknown')}",
        f"/v2/{SHIPS}/referrers/{Digest.of(b'{}')}?artifactType=a%2Fb&artifactType=c",
        f"/v2/{SHIPS}/tags/list?n=-1",
        f"/v2/{SHIPS}/tags/list?n=1&last=%FF",
        "/v2/%ff/tags/list",
        "/v2/not/an/endpoint",
        "/v2/A/manifests/v1",
    ],
)
def test_a_read_has_the_same_response_by_both(api: Api, image_digest: Digest, target: str) -> None:
    bearer = f"Bearer {token(api)}"
    by_api = api.request("GET", target, (*BY_EDGE, ("authorization", bearer)))
    assert seen(by_url(api, "registry", target, (*BY_EDGE, moved(bearer)))) == seen(by_api)
    assert by_api.status != 401


def test_ranges_and_conditions_reach_the_function(api: Api, image_digest: Digest) -> None:
    target = f"/v2/{SHIPS}/blobs/{Digest.of(b'{}')}"
    headers = (*BY_EDGE, moved(f"Bearer {token(api)}"), ("range", "bytes=1-1"))
    answer = by_url(api, "registry", target, headers).expect(206)
    assert (answer.body, answer.header("content-range")) == (b"}", "bytes 1-1/2")


@pytest.mark.parametrize(
    "authorization",
    ["Bearer a.b.c", "Bearer", "", "Basic YTpi", "Bearer a,Bearer b", "AWS4-HMAC-SHA256 Credential=x"],
)
def test_a_challenge_becomes_a_403_and_the_api_then_sends_it(api: Api, authorization: str) -> None:
    target = f"/v2/{SHIPS}/tags/list"
    first = by_url(api, "registry", target, (*BY_EDGE, moved(authorization))).expect(403)
    assert first.codes == ["UNAUTHORIZED"]
    # CloudFront sends the same request to the second origin, so the token is still in our header.
    second = api.request("GET", target, (*BY_EDGE, moved(authorization))).expect(401)
    assert second.challenge["realm"] == "https://r.example/token"
    assert second.challenge["scope"] == f"repository:{SHIPS}:pull"
    plain = api.request("GET", target, (*BY_EDGE, ("authorization", authorization))).expect(401)
    assert seen(second) == seen(plain)


def test_a_token_that_grants_too_little_is_challenged_by_the_api(api: Api, image_digest: Digest) -> None:
    bearer = f"Bearer {token(api, user='stranger')}"
    target = f"/v2/{SHIPS}/manifests/v1"
    assert by_url(api, "registry", target, (*BY_EDGE, moved(bearer))).expect(403).codes == ["DENIED"]
    assert api.request("GET", target, (*BY_EDGE, moved(bearer))).expect(401).challenge["error"] == "insufficient_scope"


def test_a_forged_token_that_is_asked_for_twice_has_one_entry_in_the_trail(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    target, headers = f"/v2/{SHIPS}/tags/list", (*BY_EDGE, moved("Bearer a.b.c"))
    by_url(api, "registry", target, headers).expect(403)
    assert '{"audit":' not in capsys.readouterr().out
    api.request("GET", target, headers).expect(401)
    assert capsys.readouterr().out.count('{"audit":') == 1


def test_a_password_is_checked_once_whatever_it_is(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong one stays a 401, so the distribution does not ask again and no failure counts twice."""
    basic = api.user("maintainer").basic()["Authorization"]
    query = urlencode({"service": "roadstead", "scope": f"repository:{SHIPS}:pull"})
    right = by_url(api, "token", f"/token?{query}", (*BY_EDGE, moved(basic))).expect(200)
    assert right.json()["token"]
    capsys.readouterr()
    wrong = by_url(api, "token", f"/token?{query}", (*BY_EDGE, moved("Basic bWFpbnRhaW5lcjp4"))).expect(401)
    assert wrong.codes == ["UNAUTHORIZED"]
    (entry,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith('{"audit":')]
    assert json.loads(entry)["audit"]["source_address"] == VIEWER


def test_an_anonymous_token_needs_no_authorization(api: Api) -> None:
    assert by_url(api, "token", "/token?service=roadstead", BY_EDGE).expect(200).json()["token"]


def test_repeated_scopes_stay_apart(api: Api) -> None:
    basic = api.user("maintainer").basic()["Authorization"]
    scopes = [("scope", "repository:acme/ships:pull"), ("scope", "repository:acme/boats:pull")]
    target = f"/token?{urlencode([('service', 'roadstead'), *scopes])}"
    first, second = (
        call.expect(200).json()["token"]
        for call in (
            by_url(api, "token", target, (*BY_EDGE, moved(basic))),
            api.request("GET", target, (*BY_EDGE, ("authorization", basic))),
        )
    )
    assert _access(first) == _access(second)
    assert len(_access(first)) == 2


def _access(text: str) -> Any:
    payload = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["access"]


def _nothing(api: Api) -> Headers:
    return ()


def _wrong_secret(api: Api) -> Headers:
    return (("x-roadstead-secret", "guessed"),)


def _empty_secret(api: Api) -> Headers:
    return (("x-roadstead-secret", ""),)


def _two_secrets(api: Api) -> Headers:
    return (("x-roadstead-secret", "guessed"), ("x-roadstead-secret", EDGE_SECRET))


@pytest.mark.parametrize("secret", [_nothing, _wrong_secret, _empty_secret, _two_secrets])
def test_a_moved_authorization_without_the_secret_opens_nothing(
    api: Api, image_digest: Digest, secret: Callable[[Api], Headers]
) -> None:
    """Whoever reaches the bare API, or a URL with rights of their own, is nobody."""
    target = f"/v2/{SHIPS}/manifests/v1"
    forged = (*secret(api), moved(f"Bearer {token(api)}"), ("x-roadstead-host", "evil.example"))
    answer = api.request("GET", target, forged).expect(401)
    assert "evil" not in str(answer.pairs)
    assert by_url(api, "registry", target, forged).expect(403).codes == ["UNAUTHORIZED"]
    # Their own Authorization counts at the API, as ever; at a URL there is none but a signature.
    bearer = ("authorization", f"Bearer {token(api)}")
    api.request("GET", target, (*secret(api), moved("Bearer a.b.c"), bearer)).expect(200)
    by_url(api, "registry", target, (*secret(api), bearer), sign=False).expect(403)


def test_a_forged_login_without_the_secret_is_anonymous(api: Api) -> None:
    basic = api.user("maintainer").basic()["Authorization"]
    target = f"/token?service=roadstead&scope=repository:{SHIPS}:pull"
    for answer in (api.request("GET", target, (moved(basic),)), by_url(api, "token", target, (moved(basic),))):
        assert [one["actions"] for one in _access(answer.expect(200).json()["token"])] == [[]]


def test_beside_the_secret_what_was_moved_replaces_what_stands_in_authorization(api: Api, image_digest: Digest) -> None:
    target = f"/v2/{SHIPS}/manifests/v1"
    good, bad = f"Bearer {token(api)}", "Bearer a.b.c"
    api.request("GET", target, (*BY_EDGE, moved(good), ("authorization", bad))).expect(200)
    api.request("GET", target, (*BY_EDGE, moved(bad), ("authorization", good))).expect(401)
    by_url(api, "registry", target, (*BY_EDGE, moved(good), moved(good))).expect(403)


def test_a_closed_registry_refuses_a_url_without_the_secret(build: Builder) -> None:
    closed = build(EDGE_SECRET_PARAMETER="/edge", VIA_DISTRIBUTION_ONLY="on")
    answer = by_url(closed, "registry", "/v2/", (moved("Bearer x"),)).expect(403)
    assert answer.codes == ["DENIED"]
    assert by_url(closed, "token", "/token", ()).expect(403).codes == ["DENIED"]


def test_a_moved_authorization_is_in_no_line(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    basic = api.user("maintainer").basic()["Authorization"]
    forged = "Bearer sECRETa.sECRETb.sECRETc"
    for headers in ((*BY_EDGE, moved(basic)), (moved(basic),)):
        by_url(api, "token", "/token?service=roadstead", headers)
        api.request("GET", "/token?service=roadstead", headers)
    for headers in ((*BY_EDGE, moved(forged)), (moved(forged),)):
        by_url(api, "registry", f"/v2/{SHIPS}/tags/list", headers)
        api.request("GET", f"/v2/{SHIPS}/tags/list", headers)
    printed = capsys.readouterr()
    for secret in (basic.partition(" ")[2], "sECRET", EDGE_SECRET):
        assert secret not in printed.out + printed.err


def test_an_upload_at_the_apis_own_name_goes_to_the_distribution_that_the_stage_names(api: Api) -> None:
    bearer = (("authorization", f"Bearer {token(api, 'pull', 'push')}"),)
    target = f"/v2/{SHIPS}/blobs/uploads/"
    registry = api.functions["registry"]

    def on_stage(event: Any) -> dict[str, Any]:
        return registry({**event, "stageVariables": {"distribution": "https://d1.example"}})

    named = Api({**api.functions, "registry": on_stage}, api.passwords, api.accounts, api.objects, api.keys)
    assert named.request("POST", target, bearer).location.startswith(f"https://d1.example{target}")
    assert named.request("POST", target, (*BY_EDGE, *bearer)).location.startswith(target)
    assert api.request("POST", target, bearer).location.startswith(target)  # no stage says where
