"""What is answered where nothing can be done: paths, methods, names, and failures of what stands behind."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from functions.hosting.boundary import lambda_response
from roadstead.conflicts import Throttled
from roadstead.digest import Digest
from roadstead.errors import ErrorCode
from tests.api.client import Answer, Api, Client
from tests.api.documents import OCI_INDEX, dump, index, push_image
from tests.memory.identity import MemoryIdentities
from tests.memory.index import MemoryIndex
from tests.memory.objects import MemoryObjects

REPOSITORY = "acme/app"
DIGEST = Digest.of(b"layer")
OF_THE_SPECIFICATION = {code.code for code in ErrorCode} - {"UNKNOWN"}


@pytest.fixture
def admin(api: Api) -> Client:
    return api.user("admin")


def is_an_error(answer: Answer) -> None:
    """A 4xx body carries a code of the specification and a sentence for a person."""
    for error in answer.json()["errors"]:
        assert error["code"] in OF_THE_SPECIFICATION
        assert len(error["message"].split()) >= 4, error["message"]
        assert re.search(r"[a-z]", error["message"])
    assert answer.header("content-type") == "application/json"
    assert answer.header("content-length") == str(len(answer.body))


# Paths and methods


@pytest.mark.parametrize(
    "path",
    [
        "/v2/acme",
        "/v2/acme/app",
        "/v2/acme/app/",
        "/v2/acme/app/manifests",
        "/v2/acme/app/manifests/",
        "/v2/acme/app/blobs",
        "/v2/acme/app/blobs/",
        "/v2/acme/app/tags",
        "/v2/acme/app/tags/list/",
        "/v2/acme/app/tags/other",
        "/v2/acme/app/referrers/",
        "/v2/acme/app/blobs/uploads/a/b",
        "/v2/acme/app/unknown/thing",
        "/v2/_catalog/",
        "/v2/_other",
        "/v2/manifests/latest",
        "/v2//manifests/latest",
        "/v2/tags/list",
        "/v2/%",
        "/v2//",
    ],
)
def test_an_unknown_path_is_404(admin: Client, path: str) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = admin.request(method, path).refused(404, "UNSUPPORTED")
        is_an_error(answer)
    assert admin.request("HEAD", path).expect(404).body == b""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v2/", "GET, HEAD"),
        ("/v2/_catalog", "GET, HEAD"),
        (f"/v2/{REPOSITORY}/tags/list", "GET, HEAD"),
        (f"/v2/{REPOSITORY}/referrers/{DIGEST}", "GET, HEAD"),
        (f"/v2/{REPOSITORY}/manifests/latest", "DELETE, GET, HEAD, PUT"),
        (f"/v2/{REPOSITORY}/blobs/{DIGEST}", "DELETE, GET, HEAD"),
        (f"/v2/{REPOSITORY}/blobs/uploads/", "POST"),
        (f"/v2/{REPOSITORY}/blobs/uploads", "POST"),
        (f"/v2/{REPOSITORY}/blobs/uploads/0123", "DELETE, GET, HEAD, PATCH, PUT"),
    ],
)
def test_a_wrong_method_is_405_with_allow(admin: Client, path: str, allowed: str) -> None:
    for method in {"GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "BREW"} - set(allowed.split(", ")):
        answer = admin.request(method, path).refused(405, "UNSUPPORTED")
        assert answer.header("allow") == allowed
        is_an_error(answer)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", "/token", "GET, HEAD, POST"), ("POST", "/.well-known/jwks.json", "GET, HEAD")],
)
def test_a_wrong_method_of_the_token_function_is_405_with_allow(api: Api, method: str, path: str, allowed: str) -> None:
    assert api.request(method, path).expect(405).header("allow") == allowed


@pytest.mark.parametrize(
    "name",
    [
        "acme//app",
        "acme/%2e%2e/app",
        "acme/a%00b",
        "acme/%C3%A4",
        "a/" * 127 + "ab",
    ],
)
def test_a_malformed_name_is_400(admin: Client, name: str) -> None:
    for method, rest in (
        ("GET", "manifests/latest"),
        ("PUT", "manifests/latest"),
        ("GET", f"blobs/{DIGEST}"),
        ("POST", "blobs/uploads/"),
        ("GET", "tags/list"),
        ("GET", f"referrers/{DIGEST}"),
    ):
        is_an_error(admin.request(method, f"/v2/{name}/{rest}").refused(400, "NAME_INVALID"))


@pytest.mark.parametrize(
    "name",
    [
        "a" * 247,
        "a/" * 127 + "a",
        "acme/blobs/uploads",
        "tags/list",
    ],
)
def test_a_name_of_the_grammar_up_to_255_characters_works(admin: Client, name: str) -> None:
    body = push_image(admin, name)
    assert admin.manifest(name, "latest").expect(200).body == body
    full = name if "/" in name else f"library/{name}"
    assert admin.tags(name).expect(200).json() == {"name": full, "tags": ["latest"]}
    admin.manifest(name, Digest.of(body), method="DELETE").expect(202)


def test_a_slash_may_be_percent_encoded(admin: Client) -> None:
    admin.put_manifest(REPOSITORY, "latest", dump(index()), OCI_INDEX).expect(201)
    admin.manifest("acme%2Fapp", "latest").expect(200)


# Every refusal


REFUSED: list[tuple[str, str, dict[str, str], bytes]] = [
    ("GET", f"/v2/{REPOSITORY}/manifests/absent", {}, b""),
    ("GET", f"/v2/{REPOSITORY}/manifests/sha256:x", {}, b""),
    ("GET", f"/v2/{REPOSITORY}/blobs/{DIGEST}", {}, b""),
    ("DELETE", f"/v2/{REPOSITORY}/blobs/{DIGEST}", {}, b""),
    ("GET", f"/v2/{REPOSITORY}/blobs/latest", {}, b""),
    ("GET", f"/v2/{REPOSITORY}/tags/list", {}, b""),
    ("GET", f"/v2/{REPOSITORY}/tags/list?n=x", {}, b""),
    ("PUT", f"/v2/{REPOSITORY}/manifests/v1", {}, b"{}"),
    ("PUT", f"/v2/{REPOSITORY}/manifests/{DIGEST}", {"Content-Type": OCI_INDEX}, dump(index())),
    ("PUT", f"/v2/{REPOSITORY}/manifests/.", {}, b"{}"),
    ("PUT", f"/v2/{REPOSITORY}/manifests/v1?tag=v2", {"Content-Type": OCI_INDEX}, dump(index())),
    ("POST", f"/v2/{REPOSITORY}/blobs/uploads/?digest=x", {}, b"x"),
    ("POST", f"/v2/{REPOSITORY}/blobs/uploads/?digest={Digest.of(b'y')}", {}, b"x"),
    ("POST", f"/v2/{REPOSITORY}/blobs/uploads/?digest-algorithm=x", {}, b"x"),
    ("PATCH", f"/v2/{REPOSITORY}/blobs/uploads/0123", {}, b"x"),
    ("GET", "/v2/x", {}, b""),
    ("POST", "/v2/", {}, b""),
]


@pytest.mark.parametrize(("method", "target", "headers", "body"), REFUSED)
def test_every_4xx_has_a_code_of_the_specification_and_a_message(
    admin: Client, method: str, target: str, headers: dict[str, str], body: bytes
) -> None:
    answer = admin.request(method, target, headers, body)
    assert 400 <= answer.status < 500
    is_an_error(answer)


@pytest.mark.parametrize("target", ["/v2/", "/v2/_catalog", f"/v2/{REPOSITORY}/manifests/latest", "/v2/x"])
def test_head_never_has_a_body(api: Api, target: str) -> None:
    for client in (api.user("admin"), api.user("")):
        answer = client.request("HEAD", target)
        assert (answer.body, answer.result["body"]) == (b"", "")
        assert int(answer.header("content-length") or "-1") > 0


def test_a_long_value_is_cut_in_the_error(admin: Client) -> None:
    answer = admin.request("GET", f"/v2/{REPOSITORY}/manifests/{'x' * 5000}").refused(404, "MANIFEST_UNKNOWN")
    assert len(answer.body) < 1000
    answer = admin.request("GET", f"/v2/{REPOSITORY}/blobs/{'x' * 5000}").refused(400, "DIGEST_INVALID")
    assert len(answer.body) < 1000


# What stands behind fails


def fails(monkeypatch: pytest.MonkeyPatch, error: Exception, *methods: str) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    for store in (MemoryIndex, MemoryObjects):
        for method in methods:
            if hasattr(store, method):
                monkeypatch.setattr(store, method, fail)


def aws_error(code: str, operation: str = "GetItem") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret-table-name is throttled"}}, operation)


REQUESTS: list[Callable[[Client], Answer]] = [
    lambda client: client.manifest(REPOSITORY, "latest"),
    lambda client: client.manifest(REPOSITORY, "latest", method="DELETE"),
    lambda client: client.put_manifest(REPOSITORY, "latest", dump(index()), OCI_INDEX),
    lambda client: client.blob(REPOSITORY, DIGEST),
    lambda client: client.tags(REPOSITORY),
    lambda client: client.referrers(REPOSITORY, DIGEST),
    lambda client: client.put(client.start(REPOSITORY), DIGEST, b"layer"),
    lambda client: client.patch(client.start(REPOSITORY), b"layer"),
]
READS_AND_WRITES = (
    "find_tag", "find_governed", "find_link", "find_manifest", "read_snapshot", "list_tags", "list_referrers", "find",
    "save", "put",
)  # fmt: skip


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize(
    "error",
    [
        aws_error("ProvisionedThroughputExceededException"),
        aws_error("ThrottlingException"),
        aws_error("SlowDown", "PutObject"),
        aws_error("RequestLimitExceeded"),
        Throttled("too many writers"),
    ],
    ids=str,
)
def test_throttling_by_aws_is_429_or_for_a_chunk_503_with_retry_after(
    admin: Client, monkeypatch: pytest.MonkeyPatch, request_: Callable[[Client], Answer], error: Exception
) -> None:
    fails(monkeypatch, error, *READS_AND_WRITES)
    is_chunk = request_ is REQUESTS[-1]  # Docker retries a chunk after 503 alone
    answer = request_(admin).refused(503 if is_chunk else 429, "TOOMANYREQUESTS")
    assert int(answer.header("retry-after") or "0") > 0
    assert "secret" not in answer.body.decode()
    is_an_error(answer)


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize(
    "error",
    [
        aws_error("AccessDeniedException"),
        ConnectTimeoutError(endpoint_url="https://secret.internal"),
        RuntimeError("secret text"),
        KeyError("secret"),
        AssertionError("secret"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unexpected_exception_is_a_500_without_its_text_and_is_logged(
    admin: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    request_: Callable[[Client], Answer],
    error: Exception,
) -> None:
    fails(monkeypatch, error, *READS_AND_WRITES)
    with caplog.at_level(logging.ERROR):
        answer = request_(admin).refused(500, "UNKNOWN")
    assert "secret" not in answer.body.decode() + str(answer.pairs)
    assert "request-1" in answer.message
    assert any("request-1" in record.message and record.exc_info is not None for record in caplog.records)


def test_the_token_function_reports_failures_alike(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(MemoryIdentities, "read", fail)
    error: Exception = aws_error("ThrottlingException")
    answer = api.request("GET", "/token").refused(429, "TOOMANYREQUESTS")
    assert int(answer.header("retry-after") or "0") > 0
    error = RuntimeError("secret text")
    answer = api.request("GET", "/token").refused(500, "UNKNOWN")
    assert "secret" not in answer.body.decode()
    assert "secret text" in caplog.text


def test_a_500_to_head_has_no_body(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(monkeypatch, RuntimeError("secret text"), "find_link")
    answer = admin.blob(REPOSITORY, DIGEST, method="HEAD").expect(500)
    assert answer.result["body"] == ""


def test_a_body_that_is_not_the_base64_that_it_claims_to_be_is_400(api: Api) -> None:
    for body in ("%%%", "YQ", "ä", "YQ=\n="):
        event = {
            "httpMethod": "PUT",
            "path": "/v2/a/manifests/b",
            "multiValueHeaders": {},
            "multiValueQueryStringParameters": None,
            "requestContext": {"domainName": "registry.test", "requestId": "request-1"},
            "body": body,
            "isBase64Encoded": True,
        }
        assert api.functions["registry"](event)["statusCode"] == 400
        assert lambda_response(event, lambda request: pytest.fail("not to be run"))["statusCode"] == 400
