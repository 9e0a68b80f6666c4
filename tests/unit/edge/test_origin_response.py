from __future__ import annotations

import json
from typing import Any

import pytest

from edge.origin_response import handler

KEY = f"/blobs/sha256/{'0' * 64}/{'1' * 32}/{'2' * 32}"


UPLOAD = f"/v2/acme/web/blobs/uploads/{'2' * 32}"


def respond(status: int, method: str = "PUT", uri: str = KEY, *more: str) -> dict[str, Any]:
    """`more` are names of headers that the answer has."""
    headers = {
        **{name: [{"key": name, "value": "x"}] for name in more},
        "content-type": [{"key": "Content-Type", "value": "application/xml"}],
        "transfer-encoding": [{"key": "Transfer-Encoding", "value": "chunked"}],
        "x-amz-request-id": [{"key": "x-amz-request-id", "value": "x"}],
    }
    response = {"status": str(status), "statusDescription": "as S3 says", "headers": headers}
    record = {
        "config": {"eventType": "origin-response"},
        "request": {"method": method, "uri": uri},
        "response": response,
    }
    return handler({"Records": [{"cf": record}]})


@pytest.mark.parametrize("method", ["PATCH", "PUT", "GET"])
@pytest.mark.parametrize(
    ("status", "expected", "code", "retry"),
    [
        (504, "413", "DENIED", False),  # a retry would take 15 minutes as well, and fail as well
        (502, "503", "UNKNOWN", True),
        (429, "503", "UNKNOWN", True),
        (507, "503", "UNKNOWN", True),
        (500, "503", "UNKNOWN", True),
    ],
)
def test_what_lambda_says_in_the_relays_place_becomes_an_oci_error(
    method: str, status: int, expected: str, code: str, retry: bool
) -> None:
    response = respond(status, method, UPLOAD, "lambda-web-error-type")
    assert response["status"] == expected
    assert json.loads(response["body"])["errors"][0]["code"] == code
    assert ("retry-after" in response["headers"]) is retry


@pytest.mark.parametrize("status", [429, 503, 504])
def test_what_the_relay_says_itself_is_left_alone(status: int) -> None:
    assert respond(status, "PATCH", UPLOAD, "docker-distribution-api-version")["status"] == str(status)


@pytest.mark.parametrize(
    ("status", "expected", "code", "retry"),
    [
        (400, "400", "DIGEST_INVALID", False),
        (403, "403", "DENIED", False),
        (404, "403", "DENIED", False),
        (405, "400", "BLOB_UPLOAD_INVALID", False),
        (409, "503", "UNKNOWN", True),
        (411, "400", "BLOB_UPLOAD_INVALID", False),
        (429, "429", "TOOMANYREQUESTS", True),
        (500, "503", "UNKNOWN", True),
        (503, "429", "TOOMANYREQUESTS", True),
    ],
)
def test_what_s3_refuses_becomes_an_oci_error(status: int, expected: str, code: str, retry: bool) -> None:
    response = respond(status)
    assert response["status"] == expected
    assert response["statusDescription"] != "as S3 says"
    (error,) = json.loads(response["body"])["errors"]
    assert error["code"] == code
    assert " " in error["message"]
    headers = response["headers"]
    assert headers["content-type"] == [{"key": "Content-Type", "value": "application/json"}]
    assert headers["transfer-encoding"] == [{"key": "Transfer-Encoding", "value": "chunked"}]  # read-only there
    assert ("retry-after" in headers) is retry
    assert "x-amz-request-id" not in headers


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_gateways_own_413_says_what_to_do(method: str) -> None:
    response = respond(413, method, UPLOAD)
    assert response["status"] == "413"
    (error,) = json.loads(response["body"])["errors"]
    assert error["code"] == "DENIED"  # which no client takes for a hiccup
    assert "4.5 MB" in error["message"]
    assert "relay" in error["message"]


def test_the_gateways_own_429_to_a_chunk_becomes_what_docker_retries() -> None:
    response = respond(429, "PATCH", UPLOAD)
    assert (response["status"], json.loads(response["body"])["errors"][0]["code"]) == ("503", "TOOMANYREQUESTS")
    assert response["headers"]["retry-after"] == [{"key": "Retry-After", "value": "2"}]
    assert "body" not in respond(429, "PATCH", UPLOAD, "docker-distribution-api-version")
    assert "body" not in respond(429, "PUT", UPLOAD)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_registrys_own_413_is_left_alone(method: str) -> None:
    assert "body" not in respond(413, method, UPLOAD, "docker-distribution-api-version")


@pytest.mark.parametrize(
    ("status", "method", "uri"),
    [
        (200, "PUT", KEY),
        (202, "PATCH", UPLOAD),
        (416, "PATCH", UPLOAD),
        (413, "POST", UPLOAD),
        (400, "PUT", "/v2/a/blobs/uploads/x"),
        (404, "GET", KEY),
        (416, "GET", KEY),
        (404, "PATCH", KEY),
    ],
)
def test_all_other_answers_are_left_alone(status: int, method: str, uri: str) -> None:
    response = respond(status, method, uri)
    assert response["status"] == str(status)
    assert response["statusDescription"] == "as S3 says"
    assert "body" not in response
