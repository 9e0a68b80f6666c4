"""Requests and responses at the gateway."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from roadstead.http import (
    Request,
    Response,
    request_from_gateway,
    request_from_url,
    response_to_gateway,
    response_to_url,
)


def event(**fields: Any) -> dict[str, Any]:
    return {"httpMethod": "GET", "path": "/v2/", **fields}


def test_an_event_becomes_a_request() -> None:
    request = request_from_gateway(
        event(
            httpMethod="PUT",
            path="/v2/a/b",
            multiValueHeaders={"Accept": ["a", "b"], "X-Forwarded-Proto": ["http"]},
            multiValueQueryStringParameters={"tag": ["one", "two"], "last": [""]},
            requestContext={
                "domainName": "registry.test",
                "requestId": "r1",
                "identity": {"sourceIp": "192.0.2.7"},
            },
            body=base64.b64encode(b"\0\xff").decode(),
            isBase64Encoded=True,
        )
    )
    assert request == Request(
        method="PUT",
        path="/v2/a/b",
        query=(("tag", "one"), ("tag", "two"), ("last", "")),
        headers=(("accept", "a"), ("accept", "b"), ("x-forwarded-proto", "http")),
        body=b"\0\xff",
        host="registry.test",
        scheme="http",
        source_ip="192.0.2.7",
        request_id="r1",
    )


def test_the_repr_of_a_request_hides_secrets() -> None:
    headers, query = (("authorization", "Bearer s3cret"),), (("_state", "s3cret"),)
    assert "s3cret" not in repr(Request("POST", "/token", query=query, headers=headers, body=b"s3cret"))


def test_fields_that_the_gateway_leaves_out_are_empty() -> None:
    for nothing in (
        {},
        {
            "multiValueHeaders": None,
            "multiValueQueryStringParameters": None,
            "requestContext": None,
            "body": None,
            "isBase64Encoded": False,
        },
        {"requestContext": {"domainName": None, "identity": None, "requestId": None}},
    ):
        assert request_from_gateway(event(**nothing)) == Request("GET", "/v2/")


def test_headers_and_parameters_are_found_by_name() -> None:
    request = Request(
        "GET", "/", (("n", "1"), ("n", "2"), ("x", "")), (("accept", "a"), ("accept", "b"), ("empty", ""))
    )
    assert (request.header("accept"), request.header("empty"), request.header("absent")) == ("a, b", "", None)
    assert (request.parameter("n"), request.parameter("x"), request.parameter("absent")) == ("1", "", None)
    assert (request.parameters("n"), request.parameters("absent")) == (("1", "2"), ())
    assert request.base_url == "https://localhost"


@pytest.mark.parametrize(
    ("path", "decoded"),
    [
        ("/v2/a/blobs/sha256%3Aab", "/v2/a/blobs/sha256:ab"),
        ("/v2/a%2Fb/tags/list", "/v2/a/b/tags/list"),
        ("/%ff", "/\ufffd"),
        ("/%", "/%"),
        ("/a+b", "/a+b"),
    ],
)
def test_the_path_is_percent_decoded(path: str, decoded: str) -> None:
    assert request_from_gateway(event(path=path)).path == decoded


def test_text_that_is_not_base64_is_utf_8() -> None:
    assert request_from_gateway(event(body='{"a":"é"}')).body == '{"a":"é"}'.encode()


@pytest.mark.parametrize("body", ["!", "YQ", "YQ==\n", "é", "YQ==YQ=="])
def test_a_body_that_is_not_the_base64_that_it_claims_to_be_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="not base64"):
        request_from_gateway(event(body=body, isBase64Encoded=True))


def test_an_unpaired_surrogate_in_a_path_is_refused() -> None:
    with pytest.raises(ValueError):
        request_from_gateway(event(body="\ud800"))


def test_a_response_is_base64_with_every_header_and_its_length() -> None:
    response = Response(201, (("OCI-Tag", "a"), ("OCI-Tag", "b"), ("Location", "/x")), b"\0\xff")
    assert response_to_gateway(response) == {
        "statusCode": 201,
        "multiValueHeaders": {"OCI-Tag": ["a", "b"], "Location": ["/x"], "Content-Length": ["2"]},
        "body": "AP8=",
        "isBase64Encoded": True,
    }


@pytest.mark.parametrize("name", ["Content-Length", "content-length"])
def test_a_given_content_length_is_kept(name: str) -> None:
    headers = response_to_gateway(Response(200, ((name, "1234"),)))["multiValueHeaders"]
    assert headers == {name: ["1234"]}


def test_an_empty_response_has_length_0_and_a_204_none() -> None:
    assert response_to_gateway(Response(202))["multiValueHeaders"] == {"Content-Length": ["0"]}
    assert response_to_gateway(Response(204))["multiValueHeaders"] == {}


def test_a_json_response_has_its_type_unless_given_another() -> None:
    assert Response.json(200, {"a": [1]}) == Response(200, (("Content-Type", "application/json"),), b'{"a":[1]}')
    assert Response.json(200, {}, [("content-type", "x/y")]).headers == (("content-type", "x/y"),)


@pytest.mark.parametrize("text", ["plain", "é", "船", "\U0001f6a2", "\ud800", "\udc00\ud800", '"\\\n\0', "\u2028"])
def test_json_keeps_any_text_in_at_most_its_utf_8_size(text: str) -> None:
    body = Response.json(200, [text]).body
    assert json.loads(body) == [text]
    if text.isprintable():
        assert len(body) == len(text.encode()) + 4


def test_with_headers_appends_to_a_copy() -> None:
    assert Response(200, (("A", "1"),), b"x").with_headers(("B", "2")) == Response(200, (("A", "1"), ("B", "2")), b"x")


def test_the_repr_of_a_response_hides_its_body() -> None:
    assert "secret" not in repr(Response(200, (), b"secret"))


def test_the_stage_of_an_api_may_name_the_distribution() -> None:
    assert request_from_gateway(event(stageVariables={"distribution": "https://d"})).distribution == "https://d"
    for nothing in (None, {}, {"other": "x"}):
        assert request_from_gateway(event(stageVariables=nothing)).distribution == ""


def url_event(**fields: Any) -> dict[str, Any]:
    return {"version": "2.0", "rawPath": "/v2/", "requestContext": {"http": {"method": "GET"}}, **fields}


def test_the_event_of_a_url_becomes_a_request_without_cloudfronts_signature() -> None:
    request = request_from_url(
        url_event(
            rawPath="/v2/a%2Fb",
            rawQueryString="tag=one&tag=t%26wo&last=",
            headers={"Authorization": "AWS4-HMAC-SHA256 x", "accept": "a,b", "x-forwarded-proto": "https"},
            requestContext={
                "domainName": "id.lambda-url.test",
                "requestId": "r1",
                "http": {"method": "GET", "sourceIp": "192.0.2.7"},
            },
        )
    )
    assert request == Request(
        method="GET",
        path="/v2/a/b",
        query=(("tag", "one"), ("tag", "t&wo"), ("last", "")),
        headers=(("accept", "a,b"), ("x-forwarded-proto", "https")),
        host="id.lambda-url.test",
        source_ip="192.0.2.7",
        request_id="r1",
        by_url=True,
    )


def test_fields_that_a_url_leaves_out_are_empty() -> None:
    assert request_from_url(url_event()) == Request("GET", "/v2/", by_url=True)


def test_a_body_of_a_url_that_is_not_base64_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="base64"):
        request_from_url(url_event(body="!", isBase64Encoded=True))


def test_a_response_by_url_joins_headers_and_leaves_the_renamed_ones_out() -> None:
    headers = (("Link", "<a>"), ("Link", "<b>"), ("Content-Length", "7"), ("WWW-Authenticate", "Basic x"))
    assert response_to_url(Response(401, headers, b"\0")) == {
        "statusCode": 401,
        "headers": {"Link": "<a>, <b>"},
        "body": "AA==",
        "isBase64Encoded": True,
    }


@pytest.mark.parametrize(("status", "sent"), [(401, 403), (403, 403), (404, 404), (200, 200)])
def test_by_url_only_a_401_with_a_bearer_challenge_becomes_a_403(status: int, sent: int) -> None:
    assert response_to_url(Response(status, (("www-authenticate", "bearer realm=x"),)))["statusCode"] == sent
    assert response_to_url(Response(status))["statusCode"] == status
