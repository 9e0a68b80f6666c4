from __future__ import annotations

from typing import Any

import pytest

from local.edge.rules import check_response, values, viewer_event
from tests.unit.edge.cases import ADDRESS, CONTENT, HOST, REPOSITORY, SHA256, SHA512, UPLOAD, token, whole_put
from tests.unit.edge.engines import Engine

S3_HEADERS = (
    ("content-length", "0"),
    ("date", "Tue, 24 Nov 2026 10:00:00 GMT"),
    ("etag", '"abc"'),
    ("server", "AmazonS3"),
    ("via", "1.1 edge"),
    ("x-amz-checksum-sha256", "x"),
    ("x-amz-id-2", "x"),
    ("x-amz-meta-actor", "x"),
    ("x-amz-request-id", "x"),
    ("x-amz-server-side-encryption", "AES256"),
)


def respond(
    engine: Engine, request: dict[str, Any], status: int, headers: tuple[tuple[str, str], ...] = S3_HEADERS
) -> tuple[int, dict[str, str]]:
    """Status and headers that the viewer-response function makes of an origin's answer to `request`."""
    event = viewer_event("viewer-response", "GET", "/", "", [], ADDRESS, "r-1")
    event["request"] = request
    event["response"] = {"statusCode": status, "statusDescription": "OK", "headers": values(headers), "cookies": {}}
    result = engine.run("response", event, None, {}).result
    check_response(event["response"], result)
    return result["statusCode"], {name: entry["value"] for name, entry in result["headers"].items()}


def as_it_came(method: str, target: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    event = viewer_event("viewer-response", method, path, query, [("Host", HOST)], ADDRESS, "r-1")
    request: dict[str, Any] = event["request"]
    return request


class TestWholePut:
    @pytest.mark.parametrize("digest", [SHA256, SHA512])
    @pytest.mark.parametrize("rewritten", [True, False], ids=["rewritten request", "request as it came"])
    def test_answered_200_is_201_with_location_and_digest(self, engine: Engine, digest: str, rewritten: bool) -> None:
        target = f"{UPLOAD}?_state={token()}&digest={digest.replace(':', '%3A')}"
        request = whole_put(engine, target=target).result if rewritten else as_it_came("PUT", target)
        status, headers = respond(engine, request, 200)
        assert status == 201
        assert headers == {
            "content-length": "0",
            "date": "Tue, 24 Nov 2026 10:00:00 GMT",
            "docker-content-digest": digest,
            "location": f"/v2/{REPOSITORY}/blobs/{digest}",
            "via": "1.1 edge",
        }

    @pytest.mark.parametrize("status", [201, 202, 204, 307])
    def test_answered_otherwise_is_left_alone(self, engine: Engine, status: int) -> None:
        request = as_it_came("PUT", f"{UPLOAD}?_state={token()}&digest={SHA256}")
        own = (("location", "/there"), ("x-amz-id-2", "x"))
        assert respond(engine, request, status, own) == (status, dict(own))


class TestAllElse:
    @pytest.mark.parametrize(
        ("method", "target"),
        [
            ("PUT", "/api/projects/team"),
            ("PUT", f"/v2/{REPOSITORY}/manifests/latest?digest={SHA256}"),
            ("PATCH", f"{UPLOAD}?digest={SHA256}"),
            ("GET", f"/v2/{REPOSITORY}/blobs/{SHA256}"),
            ("GET", f"/v2/?digest={SHA256}"),
        ],
    )
    def test_is_left_alone(self, engine: Engine, method: str, target: str) -> None:
        own = (("content-length", str(len(CONTENT))), ("x-amz-id-2", "x"))
        assert respond(engine, as_it_came(method, target), 200, own) == (200, dict(own))


class TestPull:
    @pytest.mark.parametrize("digest", [SHA256, SHA512])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("status", [200, 206])
    def test_tells_the_digest_of_a_whole_upload(self, engine: Engine, digest: str, method: str, status: int) -> None:
        request = as_it_came(method, f"/blobs/{digest.replace(':', '/')}/{'0' * 32}/{'1' * 32}?Signature=x")
        got, headers = respond(engine, request, status)
        assert (got, headers["docker-content-digest"]) == (status, digest)
        assert headers["etag"] == '"abc"'
        assert not [name for name in headers if name.startswith("x-amz-")]

    @pytest.mark.parametrize("digest", [SHA256, SHA512.replace(":", "%3A")])
    def test_tells_the_digest_of_a_streamed_upload_as_its_url_does(self, engine: Engine, digest: str) -> None:
        _, headers = respond(engine, as_it_came("GET", f"/blobs/uploads/{'1' * 32}?digest={digest}&Signature=x"), 200)
        assert headers["docker-content-digest"] == digest.replace("%3A", ":")

    @pytest.mark.parametrize("query", ["", "?digest=sha256:x", f"?digest={SHA256}%0d%0aSet-Cookie:x"])
    def test_without_a_digest_to_tell_says_none(self, engine: Engine, query: str) -> None:
        _, headers = respond(engine, as_it_came("GET", f"/blobs/uploads/{'1' * 32}{query}"), 200)
        assert "docker-content-digest" not in headers
