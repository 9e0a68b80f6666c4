from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from local.edge.rules import (
    RuleBroken,
    check_request,
    check_response,
    generated_body,
    pairs,
    values,
    viewer_event,
)


def event() -> dict[str, Any]:
    headers = [
        ("Host", "r.example.com"),
        ("Content-Length", "7"),
        ("Accept", "a"),
        ("accept", "b"),
        ("Cookie", "one=1; two=2"),
        ("Expect", "100-continue"),
        ("X-Amz-Cf-Id", "x"),
        ("X-Forwarded-Proto", "http"),
    ]
    return viewer_event("viewer-request", "PUT", "/v2/", "n=1&n=2&last=%20&bare", headers, "192.0.2.1", "id")


def test_an_event_describes_a_request_as_cloudfront_does() -> None:
    request = event()["request"]
    assert request["headers"] == {
        "host": {"value": "r.example.com"},
        "content-length": {"value": "7"},
        "accept": {"value": "b", "multiValue": [{"value": "a"}, {"value": "b"}]},
    }
    assert request["cookies"] == {"one": {"value": "1"}, "two": {"value": "2"}}
    assert request["querystring"]["n"] == {"value": "2", "multiValue": [{"value": "1"}, {"value": "2"}]}
    assert request["querystring"]["last"] == {"value": "%20"}
    assert request["querystring"]["bare"] == {"value": ""}


def test_values_and_pairs_are_inverse() -> None:
    given = (("a", "1"), ("a", "2"), ("b", "3"))
    assert pairs(values(given)) == given


def set_header(name: str, value: str) -> Callable[[dict[str, Any]], None]:
    return lambda request: request["headers"].update({name: {"value": value}})


@pytest.mark.parametrize(
    "change",
    [
        lambda request: request.update(method="GET"),
        lambda request: request.update(uri="no/slash"),
        lambda request: request.update(uri="/" + "a" * 8192),
        lambda request: request["querystring"].update({"a": {"value": "b c"}}),
        lambda request: request["headers"].pop("content-length"),
        lambda request: request["headers"].pop("host"),
        set_header("host", "other.example.com"),
        set_header("via", "1.1 me"),
        set_header("transfer-encoding", "chunked"),
        set_header("connection", "close"),
        set_header("x-amz-cf-id", "x"),
        set_header("x-forwarded-proto", "https"),
        set_header("x-edge-location", "x"),
        set_header("X-Upper", "x"),
        set_header("x-split", "a\r\nb: c"),
        lambda request: request["headers"].update({"x-bare": "value"}),
    ],
)
def test_a_request_function_that_breaks_a_rule_is_a_502(change: Callable[[dict[str, Any]], None]) -> None:
    before = event()["request"]
    after = copy.deepcopy(before)
    check_request(before, after)
    change(after)
    with pytest.raises(RuleBroken):
        check_request(before, after)


@pytest.mark.parametrize(
    "change",
    [
        lambda response: response.update(statusCode="201"),
        lambda response: response["headers"].pop("via"),
        set_header("warning", "x"),
        set_header("x-cache", "x"),
    ],
)
def test_a_response_function_that_breaks_a_rule_is_a_502(change: Callable[[dict[str, Any]], None]) -> None:
    before = {"statusCode": 200, "headers": {"via": {"value": "x"}, "etag": {"value": "y"}}}
    after = copy.deepcopy(before)
    check_response(before, after)
    change(after)
    with pytest.raises(RuleBroken):
        check_response(before, after)


def test_a_function_generates_text_or_base64_up_to_40_kb() -> None:
    assert generated_body({"statusCode": 200}) == b""
    assert generated_body({"body": "é"}) == "é".encode()
    assert generated_body({"body": {"encoding": "text", "data": "a"}}) == b"a"
    assert generated_body({"body": {"encoding": "base64", "data": "AAE="}}) == b"\0\1"
    with pytest.raises(RuleBroken):
        generated_body({"body": "a" * 40_961})
