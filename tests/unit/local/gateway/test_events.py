"""Payload 1.0 of the HTTP API, both ways."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from local.gateway.events import Incoming, MalformedResult, answer_from, decoded_path, event_for, message
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
def test_text_arrives_as_text(content_type: str) -> None:
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
def test_all_else_arrives_in_base64(headers: tuple[tuple[str, str], ...]) -> None:
    made = event(headers=headers, body=b"\xff\0")
    assert (base64.b64decode(made["body"]), made["isBase64Encoded"]) == (b"\xff\0", True)


def test_an_empty_body_is_null() -> None:
    made = event()
    assert (made["body"], made["isBase64Encoded"]) == (None, False)


def test_repeated_headers_and_parameters_stay_apart() -> None:
    made = event(headers=(("accept", "a"), ("accept", "b")), query="scope=x%3Ay&scope=z&n=&a+b=c%2Bd")
    assert made["multiValueHeaders"]["accept"] == ["a", "b"]
    assert made["headers"]["accept"] == "b"
    assert made["multiValueQueryStringParameters"] == {"scope": ["x:y", "z"], "n": [""], "a b": ["c+d"]}
    assert made["queryStringParameters"]["scope"] == "z"


def test_no_parameters_are_null() -> None:
    assert event()["multiValueQueryStringParameters"] is None


def test_the_client_cannot_forge_what_the_gateway_says() -> None:
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


def test_our_own_adapter_reads_what_was_sent() -> None:
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


def test_a_response_of_ours_comes_out_as_it_was_made() -> None:
    response = Response(202, (("Location", "/v2/x"), ("Set-Cookie", "a"), ("Set-Cookie", "b")), b"\xff\0")
    answer = answer_from(response_to_gateway(response), "POST")
    assert (answer.status, answer.body) == (202, b"\xff\0")
    assert answer.headers == (("location", "/v2/x"), ("set-cookie", "a"), ("set-cookie", "b"), ("content-length", "2"))


def test_a_head_keeps_the_length_that_the_function_names_and_has_no_body() -> None:
    result = {"statusCode": 200, "headers": {"Content-Length": "1234"}, "body": ""}
    answer = answer_from(result, "HEAD")
    assert answer.headers == (("content-length", "1234"),)
    assert answer.body == b""


def test_a_head_whose_function_answers_with_a_body_has_its_length() -> None:
    answer = answer_from({"statusCode": 200, "body": "abc"}, "HEAD")
    assert (answer.headers, answer.body) == ((("content-length", "3"),), b"")


def test_a_length_that_does_not_fit_the_body_is_corrected() -> None:
    answer = answer_from({"statusCode": 200, "headers": {"content-length": "9"}, "body": "abc"}, "GET")
    assert answer.headers == (("content-length", "3"),)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_may_have_no_body_has_none(status: int) -> None:
    answer = answer_from({"statusCode": status, "headers": {"content-length": "3"}, "body": "abc"}, "GET")
    assert (answer.headers, answer.body) == ((), b"")


def test_headers_of_one_connection_do_not_leave_the_gateway() -> None:
    answer = answer_from({"statusCode": 200, "headers": {"Connection": "close", "X": "1"}}, "GET")
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
def test_what_is_not_of_the_format_is_refused(result: object) -> None:
    with pytest.raises(MalformedResult):
        answer_from(result, "GET")


def test_the_gateway_speaks_json_of_its_own() -> None:
    answer = message(404, "Not Found")
    assert answer.body == b'{"message":"Not Found"}'
    assert dict(answer.headers) == {"content-type": "application/json", "content-length": "23"}
