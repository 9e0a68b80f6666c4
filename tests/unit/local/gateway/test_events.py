"""The HTTP API's payload format 1.0, both ways."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from local.gateway.events import Incoming, MalformedResult, decoded_path, event_for, message, response_from
from roadstead.http import Response, request_from_gateway, response_to_gateway


def incoming(**changes: Any) -> Incoming:
    fields: dict[str, Any] = {
        "method": "PUT",
        "target": "/v2/a/manifests/latest",
        "query": "",
        "headers": (("host", "127.0.0.1:5000"),),
        "body": b"",
        "client": "127.0.0.1",
        "scheme": "http",
        "port": 5000,
    }
    return Incoming(**{**fields, **changes})


def event(**changes: Any) -> dict[str, Any]:
    return event_for(incoming(**changes), resource="/v2/{proxy+}", proxy="a/manifests/latest", request_id="r", now=0.0)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "text/html; charset=utf-8", "application/json", "Application/JSON; x=y", "application/xml"],
)
def test_a_text_body_is_text(content_type: str) -> None:
    made = event(headers=(("content-type", content_type),), body="ü".encode())
    assert (made["body"], made["isBase64Encoded"]) == ("ü", False)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("content-type", "application/octet-stream"),),
        (("content-type", "application/x-www-form-urlencoded"),),
        (("content-type", "application/vnd.oci.image.manifest.v1+json"),),
    ],
)
def test_any_other_body_is_base64(headers: tuple[tuple[str, str], ...]) -> None:
    made = event(headers=headers, body=b"\xff\0")
    assert (base64.b64decode(made["body"]), made["isBase64Encoded"]) == (b"\xff\0", True)


def test_an_empty_body_is_null() -> None:
    made = event()
    assert (made["body"], made["isBase64Encoded"]) == (None, False)


def test_repeated_headers_and_parameters_stay_separate() -> None:
    made = event(headers=(("accept", "a"), ("accept", "b")), query="scope=x%3Ay&scope=z&n=&a+b=c%2Bd")
    assert made["multiValueHeaders"]["accept"] == ["a", "b"]
    assert made["headers"]["accept"] == "b"
    assert made["multiValueQueryStringParameters"] == {"scope": ["x:y", "z"], "n": [""], "a b": ["c+d"]}
    assert made["queryStringParameters"]["scope"] == "z"


def test_no_parameters_are_null() -> None:
    assert event()["multiValueQueryStringParameters"] is None


def test_a_client_cannot_forge_the_gateways_headers() -> None:
    forged = tuple((name, "forged") for name in ("x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id"))
    made = event(headers=(*forged, ("x-forwarded-for", "10.0.0.1")))
    values = {name.lower(): values for name, values in made["multiValueHeaders"].items()}
    assert values["x-forwarded-proto"] == ["http"]
    assert values["x-forwarded-port"] == ["5000"]
    assert "forged" not in values["x-amzn-trace-id"]
    assert values["x-forwarded-for"] == ["10.0.0.1, 127.0.0.1"]
    assert made["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_headers_of_one_connection_are_dropped_and_the_length_is_that_of_the_body() -> None:
    made = event(headers=(("transfer-encoding", "chunked"), ("connection", "close"), ("expect", "x")), body=b"abc")
    names = {name.lower() for name in made["multiValueHeaders"]}
    assert not names & {"transfer-encoding", "connection", "expect"}
    assert made["multiValueHeaders"]["Content-Length"] == ["3"]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/v2/a/blobs/sha256%3Aab", "/v2/a/blobs/sha256:ab"),
        ("/v2/a%2Fb", "/v2/a/b"),
        ("/v2/a%3Fb/c", "/v2/a"),
        ("/v2/%25", "/v2/%"),
        ("/v2//a/../b", "/v2//a/../b"),
    ],
)
def test_the_path_is_decoded_once_and_ends_at_a_question_mark(target: str, path: str) -> None:
    assert decoded_path(target) == path
    assert event(target=target)["path"] == path


def test_the_functions_adapter_reads_the_request() -> None:
    made = event(
        headers=(("host", "127.0.0.1:5000"), ("authorization", "Bearer x"), ("content-type", "application/json")),
        body=b'{"a": "\xc3\xbc"}',
        query="a=1&a=2",
    )
    request = request_from_gateway(made)
    assert request.method == "PUT"
    assert request.path == "/v2/a/manifests/latest"
    assert request.parameters("a") == ("1", "2")
    assert request.header("authorization") == "Bearer x"
    assert request.body == b'{"a": "\xc3\xbc"}'
    assert request.base_url == "http://127.0.0.1:5000"
    assert (request.source_ip, request.request_id) == ("127.0.0.1", "r")


def test_a_function_response_is_returned_unchanged() -> None:
    response = Response(202, (("Location", "/v2/x"), ("Set-Cookie", "a"), ("Set-Cookie", "b")), b"\xff\0")
    answer = response_from(response_to_gateway(response), "POST")
    assert (answer.status, answer.body) == (202, b"\xff\0")
    assert answer.headers == (("location", "/v2/x"), ("set-cookie", "a"), ("set-cookie", "b"), ("content-length", "2"))


def test_a_head_has_the_functions_content_length_and_no_body() -> None:
    result = {"statusCode": 200, "headers": {"Content-Length": "1234"}, "body": ""}
    answer = response_from(result, "HEAD")
    assert answer.headers == (("content-length", "1234"),)
    assert answer.body == b""


def test_a_head_has_the_length_of_the_functions_body() -> None:
    answer = response_from({"statusCode": 200, "body": "abc"}, "HEAD")
    assert (answer.headers, answer.body) == ((("content-length", "3"),), b"")


def test_a_wrong_content_length_is_corrected() -> None:
    answer = response_from({"statusCode": 200, "headers": {"content-length": "9"}, "body": "abc"}, "GET")
    assert answer.headers == (("content-length", "3"),)


@pytest.mark.parametrize("status", [204, 304])
def test_a_204_or_304_has_no_body(status: int) -> None:
    answer = response_from({"statusCode": status, "headers": {"content-length": "3"}, "body": "abc"}, "GET")
    assert (answer.headers, answer.body) == ((), b"")


def test_hop_by_hop_headers_are_not_returned() -> None:
    answer = response_from({"statusCode": 200, "headers": {"Connection": "close", "X": "1"}}, "GET")
    assert answer.headers == (("x", "1"), ("content-length", "0"))


@pytest.mark.parametrize(
    "result",
    [
        None,
        "text",
        {},
        {"statusCode": "abc"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "multiValueHeaders": {"a": "b"}},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
    ],
)
def test_a_malformed_result_is_refused(result: object) -> None:
    with pytest.raises(MalformedResult):
        response_from(result, "GET")


def test_the_gateways_own_responses_are_json() -> None:
    answer = message(404, "Not Found")
    assert answer.body == b'{"message":"Not Found"}'
    assert dict(answer.headers) == {"content-type": "application/json", "content-length": "23"}
