"""The emulator of a function URL: who may pass, the event, and what becomes of the response."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.cloud.signatures import Credentials
from local.edge.storage import Signing
from local.functions.environments import FunctionError, Throttled, TimedOut
from local.gateway.events import Incoming, MalformedResult, Outgoing
from local.gateway.function_url import FunctionUrl, event_for, response_from

KEY = Credentials("key", "secret", "eu-central-1")
HOST = "127.0.0.1:4000"
Pairs = tuple[tuple[str, str], ...]


class Played:
    """A function with a scripted result that keeps its events."""

    def __init__(self, answer: Callable[[dict[str, Any]], object]) -> None:
        self.answer = answer
        self.events: list[dict[str, Any]] = []

    async def invoke(self, event: bytes, *, request_id: str, timeout: float) -> object:
        self.events.append(json.loads(event))
        return self.answer(self.events[-1])


def ask(
    function: Played, headers: Pairs, method: str = "GET", target: str = "/v2/a%2Fb?x=1&x=2", body: bytes = b""
) -> Outgoing:
    """Send one request to the URL of `function`."""
    app = FunctionUrl("registry", {"registry": function}, KEY, timeout=29, scheme="https")
    path, _, query = target.partition("?")
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in (("host", HOST), *headers)],
        "client": ("192.0.2.7", 1),
        "server": ("127.0.0.1", 4000),
    }
    asyncio.run(app(scope, receive, send))
    start, content = sent
    named = tuple((name.decode(), value.decode()) for name, value in start["headers"])
    return Outgoing(start["status"], named, content["body"])


def signed(
    headers: Pairs = (), *, method: str = "GET", target: str = "/v2/a%2Fb?x=1&x=2", key: Credentials = KEY
) -> Pairs:
    """Return the headers as origin access control signs them."""
    signing = Signing(key.access_key, key.secret_key, key.region, time.time, "lambda")
    return signing.sign_all(method, f"http://{HOST}{target}", headers)


def ok(event: dict[str, Any]) -> object:
    return {"statusCode": 200, "body": "fine"}


def test_a_signed_request_reaches_the_function_as_payload_2() -> None:
    function = Played(ok)
    headers = signed((("x-roadstead-authorization", "Bearer a"), ("accept", "a"), ("accept", "b")))
    assert ask(function, headers).status == 200
    (event,) = function.events
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", "/v2/a%2Fb")
    assert event["rawQueryString"] == "x=1&x=2"
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["headers"]["accept"] == "a,b"
    assert event["headers"]["x-roadstead-authorization"] == "Bearer a"
    assert event["headers"]["authorization"].startswith("AWS4-HMAC-SHA256 ")
    context = event["requestContext"]
    assert (context["domainName"], context["stage"], context["routeKey"]) == (HOST, "$default", "$default")
    assert (context["http"]["method"], context["http"]["sourceIp"]) == ("GET", "192.0.2.7")
    assert event["isBase64Encoded"] is False and "body" not in event


def test_the_clients_authorization_is_lost_when_cloudfront_signs() -> None:
    headers = signed((("authorization", "Bearer client"),))
    assert [value[:17] for name, value in headers if name == "authorization"] == ["AWS4-HMAC-SHA256 "]
    assert "client" not in str(headers)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("authorization", "Bearer a"),),
        signed(key=Credentials("key", "other", "eu-central-1")),
        signed(key=Credentials("other", "secret", "eu-central-1")),
        signed(target="/v2/other"),
        signed(method="PUT"),
        signed((("x-amz-content-sha256", "0" * 64),)),
        signed((("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),)),
        (*signed(), ("authorization", "Bearer a")),
        (*signed(), ("x-amz-meta-a", "added")),
    ],
    ids=["none", "bearer", "secret", "key", "target", "method", "hash", "unsigned body", "two", "unsigned header"],
)
def test_a_request_that_is_not_rightly_signed_never_reaches_the_function(headers: Pairs) -> None:
    function = Played(ok)
    answer = ask(function, headers)
    assert (answer.status, json.loads(answer.body)) == (403, {"Message": "Forbidden"})
    assert function.events == []


def test_a_body_needs_its_hash() -> None:
    function = Played(ok)
    assert ask(function, signed(method="POST"), "POST", body=b"data").status == 403
    hashed = signed((("x-amz-content-sha256", hashlib.sha256(b"data").hexdigest()),), method="POST")
    assert ask(function, hashed, "POST", body=b"data").status == 200
    assert function.events[0]["body"] == "ZGF0YQ=="


def test_challenge_and_length_of_a_function_are_renamed() -> None:
    headers = {"WWW-Authenticate": "Bearer x", "Content-Length": "7", "Link": "<a>"}
    answer = response_from({"statusCode": 401, "headers": headers, "body": "a body"}, "GET")
    assert dict(answer.headers) == {
        "x-amzn-remapped-www-authenticate": "Bearer x",
        "x-amzn-remapped-content-length": "7",
        "link": "<a>",
        "content-type": "application/json",
        "content-length": "6",
    }


def test_a_head_has_no_length_but_that_of_nothing() -> None:
    answer = response_from({"statusCode": 200, "headers": {"content-length": "7"}}, "HEAD")
    assert dict(answer.headers)["content-length"] == "0"


def test_lists_of_headers_are_not_sent() -> None:
    answer = response_from({"statusCode": 200, "multiValueHeaders": {"Link": ["<a>"]}}, "GET")
    assert "link" not in dict(answer.headers)


@pytest.mark.parametrize(
    "result",
    [
        None,
        "text",
        {},
        {"statusCode": "200"},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": {"x-amzn-remapped-date": "b"}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    ],
)
def test_a_malformed_result_is_a_502(result: object) -> None:
    with pytest.raises(MalformedResult):
        response_from(result, "GET")
    assert ask(Played(lambda event: result), signed()).status == 502


@pytest.mark.parametrize(("error", "status"), [(Throttled("x"), 429), (TimedOut("x"), 502), (FunctionError("x"), 502)])
def test_a_function_that_does_not_answer(error: Exception, status: int) -> None:
    def fail(event: dict[str, Any]) -> object:
        raise error

    assert ask(Played(fail), signed()).status == status


def test_forwarded_headers_are_the_urls_own() -> None:
    incoming = Incoming("GET", "/", "", (("host", HOST), ("x-forwarded-proto", "http")), b"", "192.0.2.7", "https", 443)
    event = event_for(incoming, request_id="r", now=0.0)
    assert (event["headers"]["x-forwarded-proto"], event["headers"]["x-forwarded-for"]) == ("https", "192.0.2.7")
