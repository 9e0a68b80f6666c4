"""What was raised becomes an answer."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.hosting.boundary import NO_SNIFFING, TLS_ONLY, lambda_response, response_of
from roadstead.conflicts import Throttled
from roadstead.errors import ErrorCode, ErrorEntry, RegistryError
from roadstead.http import Request, Response

REQUEST = Request("GET", "/v2/a/b", headers=(("authorization", "Bearer secret"),), request_id="request-1")


def raising(error: Exception) -> Callable[[Request], Response]:
    def run(request: Request) -> Response:
        raise error

    return run


def headers(response: Response) -> dict[str, str]:
    """All but those that every response has."""
    return {name.lower(): value for name, value in response.headers if (name, value) not in (NO_SNIFFING, TLS_ONLY)}


def throttling(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "slow down"}}, "GetItem")


def test_a_response_keeps_its_status_headers_and_body() -> None:
    response = response_of(REQUEST, lambda request: Response(201, (("Location", "/x"),), b"body"))
    assert (response.status, headers(response), response.body) == (201, {"location": "/x"}, b"body")


def test_a_registry_error_is_reported_with_status_and_headers() -> None:
    error = RegistryError(ErrorCode.UNSUPPORTED, "no such method", headers=[("Allow", "GET")])
    response = response_of(REQUEST, raising(error))
    assert (response.status, headers(response)) == (405, {"content-type": "application/json", "allow": "GET"})
    assert json.loads(response.body) == {"errors": [{"code": "UNSUPPORTED", "message": "no such method"}]}


def test_every_entry_of_a_registry_error_is_reported() -> None:
    entries = [ErrorEntry(ErrorCode.MANIFEST_BLOB_UNKNOWN, f"blob {number}", {"digest": "d"}) for number in range(2)]
    response = response_of(REQUEST, raising(RegistryError.several(entries)))
    assert response.status == 404
    assert [entry["message"] for entry in json.loads(response.body)["errors"]] == ["blob 0", "blob 1"]


@pytest.mark.parametrize(
    "error",
    [
        Throttled("busy"),
        throttling("ThrottlingException"),
        throttling("ProvisionedThroughputExceededException"),
        throttling("SlowDown"),
    ],
    ids=repr,
)
def test_throttling_by_aws_is_429_with_retry_after(error: Exception) -> None:
    response = response_of(REQUEST, raising(error))
    assert response.status == 429
    assert int(headers(response)["retry-after"]) > 0
    assert json.loads(response.body)["errors"][0]["code"] == "TOOMANYREQUESTS"


def test_throttling_of_a_chunk_is_503_which_docker_retries() -> None:
    response = response_of(replace(REQUEST, method="PATCH"), raising(throttling("SlowDown")))
    assert (response.status, int(headers(response)["retry-after"]) > 0) == (503, True)


def test_throttling_has_the_status_that_the_host_sets() -> None:
    response = response_of(REQUEST, raising(throttling("SlowDown")), busy=503)
    assert (response.status, int(headers(response)["retry-after"]) > 0) == (503, True)


@pytest.mark.parametrize(
    "error", [RuntimeError("secret text"), throttling("AccessDeniedException"), ValueError("secret text")], ids=repr
)
def test_an_unexpected_exception_is_logged_and_its_text_withheld(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        response = response_of(REQUEST, raising(error))
    assert response.status == 500
    (entry,) = json.loads(response.body)["errors"]
    assert entry["code"] == "UNKNOWN" and "request-1" in entry["message"]
    assert b"secret" not in response.body and b"slow down" not in response.body
    (record,) = caplog.records
    assert "request-1" in record.getMessage() and record.exc_info is not None and record.exc_info[1] is error
    assert "Bearer" not in caplog.text


@pytest.mark.parametrize(
    "run",
    [
        lambda request: Response(200, (("Content-Type", "text/plain"),), b"four"),
        raising(RegistryError(ErrorCode.BLOB_UNKNOWN, "no such blob")),
        raising(RuntimeError("x")),
        raising(Throttled("busy")),
    ],
)
def test_a_head_response_has_the_headers_of_get(run: Callable[[Request], Response]) -> None:
    get = response_of(REQUEST, run)
    head = response_of(Request("HEAD", "/v2/a/b", request_id="request-1"), run)
    assert head.body == b""
    assert head.status == get.status
    assert headers(head) == {**headers(get), "content-length": str(len(get.body))}


def test_a_head_response_keeps_its_handlers_content_length() -> None:
    response = response_of(
        Request("HEAD", "/"), lambda request: Response(200, (("Content-Length", "5000000000"),), b"ignored")
    )
    assert headers(response) == {"content-length": "5000000000"}
    assert response.body == b""


def test_a_head_response_of_204_has_no_length() -> None:
    assert headers(response_of(Request("HEAD", "/"), lambda request: Response(204))) == {}


@pytest.mark.parametrize("run", [lambda request: Response(200), raising(RuntimeError("x")), raising(Throttled())])
def test_every_response_forbids_sniffing_and_over_tls_plain_http(run: Any) -> None:
    secure = dict(response_of(Request("GET", "/"), run).headers)
    assert secure["X-Content-Type-Options"] == "nosniff"
    assert secure["Strict-Transport-Security"] == "max-age=31536000"
    plain = dict(response_of(Request("GET", "/", scheme="http"), run).headers)
    assert plain["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in plain


def test_a_header_that_the_response_has_is_not_added_again() -> None:
    response = response_of(Request("GET", "/"), lambda request: Response(200, (("x-content-type-options", "nosniff"),)))
    assert [name.lower() for name, _ in response.headers].count("x-content-type-options") == 1


def event(**changes: Any) -> dict[str, Any]:
    return {
        "version": "1.0",
        "httpMethod": "GET",
        "path": "/v2/",
        "requestContext": {"requestId": "request-1", "domainName": "registry.example"},
        **changes,
    }


def test_an_event_becomes_a_request_and_the_response_a_payload() -> None:
    def run(request: Request) -> Response:
        assert (request.method, request.path, request.request_id) == ("GET", "/v2/", "request-1")
        return Response(200, (("Link", "<a>"), ("Link", "<b>")), b"\x00\xff")

    result = lambda_response(event(), run)
    assert result["statusCode"] == 200
    assert result["multiValueHeaders"] == {
        "Link": ["<a>", "<b>"],
        "Content-Length": ["2"],
        "X-Content-Type-Options": ["nosniff"],
        "Strict-Transport-Security": ["max-age=31536000"],
    }
    assert result["isBase64Encoded"] and base64.b64decode(result["body"]) == b"\x00\xff"


def test_an_event_with_a_body_that_is_not_base64_is_400() -> None:
    result = lambda_response(event(body="!", isBase64Encoded=True), raising(RuntimeError("never called")))
    assert result["statusCode"] == 400
    assert json.loads(base64.b64decode(result["body"]))["errors"][0]["code"] == "UNSUPPORTED"
