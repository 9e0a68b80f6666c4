"""Whatever comes in, the viewer-request function answers, and S3 gets only what a token and a digest stand for."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.edge.rules import pairs
from roadstead.content.uploads.token import decode_upload_token
from tests.unit.edge.cases import (
    ADDRESS,
    FOREIGN_KEYS,
    HOST,
    KEYS,
    REPOSITORY,
    SHA256,
    SHA512,
    UPLOAD_ID,
    headers_of,
    run,
    token,
    where,
)
from tests.unit.edge.engines import Engine, NodeEngine, QuickJsEngine

_ALLOWED = {
    "cdn-loop",
    "content-length",
    "content-type",
    "host",
    "via",
    "x-amz-checksum-sha256",
    "x-amz-checksum-sha512",
    "x-amz-content-sha256",
    "x-amz-meta-actor",
    "x-amz-meta-repository",
}


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Engine, Engine]]:
    both = (NodeEngine(), QuickJsEngine())
    yield both
    for engine in both:
        engine.close()


# Text that can stand in a request line or a header, and pieces of the real thing, whole or bent.
_TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="?#&"), max_size=30)
_SEGMENTS = st.sampled_from(
    [
        "v2",
        "team",
        "app",
        REPOSITORY,
        "blobs",
        "uploads",
        UPLOAD_ID,
        UPLOAD_ID[::-1],
        "",
        ".",
        "..",
        "%2e%2e",
        "%2F",
        "A",
    ]
)
_PATHS = st.one_of(
    st.just(f"/v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}"),
    st.just("/token"),
    st.lists(_SEGMENTS | _TEXT, max_size=9).map(lambda parts: "/" + "/".join(parts)),
    st.tuples(_SEGMENTS | _TEXT, _SEGMENTS | _TEXT).map(lambda ends: f"/v2/{ends[0]}/blobs/uploads/{ends[1]}"),
)
_STATES = st.one_of(
    st.builds(
        token,
        repository=st.sampled_from([REPOSITORY, "team", "app"]),
        upload_id=st.sampled_from([UPLOAD_ID, UPLOAD_ID[::-1]]),
        expires_in=st.sampled_from([3600.0, -3600.0]),
        chunked=st.booleans(),
        bodies_for=st.sampled_from([1800.0, -1800.0, None]),
        keys=st.sampled_from([KEYS, FOREIGN_KEYS]),
    ),
    st.just(token()).flatmap(
        lambda good: st.integers(0, len(good) - 1).flatmap(
            lambda at: st.characters(codec="ascii", exclude_categories=["Cc"]).map(
                lambda other: good[:at] + quote(other) + good[at + 1 :]
            )
        )
    ),
    _TEXT,
)
_DIGESTS = st.sampled_from([SHA256, SHA512, SHA256.replace(":", "%3A"), SHA256.upper(), SHA256[:-1]]) | _TEXT
_QUERIES = st.lists(
    st.one_of(
        _STATES.map(lambda state: f"_state={state}"),
        _DIGESTS.map(lambda digest: f"digest={digest}"),
        _TEXT,
    ),
    max_size=4,
).map("&".join)
_NAMES = ["Content-Range", "Authorization", "Cookie", "X-Roadstead-Secret", "X-Roadstead-Authorization"]
_HEADERS = st.lists(
    st.one_of(
        st.tuples(st.just("Content-Length"), st.sampled_from(["0", "7", "4500001", str(5 * 1024**3 + 1), "-1", "x"])),
        st.tuples(st.sampled_from(["Transfer-Encoding"]), st.sampled_from(["chunked", "gzip"])),
        st.tuples(st.sampled_from(_NAMES), _TEXT),
        st.tuples(st.from_regex(r"[Xx]-(amz|roadstead)-[a-z0-9-]{1,20}", fullmatch=True), _TEXT),
    ),
    max_size=5,
)
_METHODS = st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"])


@settings(max_examples=400, deadline=None)
@given(method=_METHODS, path=_PATHS, query=_QUERIES, headers=_HEADERS, relay=st.booleans())
def test_nothing_reaches_s3_without_a_token_for_it(
    engines: tuple[Engine, Engine], method: str, path: str, query: str, headers: list[tuple[str, str]], relay: bool
) -> None:
    _check(engines, method, path, query, headers, relay)


@settings(max_examples=300, deadline=None)
@given(state=_STATES, digest=_DIGESTS, headers=_HEADERS, relay=st.booleans())
def test_nor_does_what_is_almost_a_whole_put(
    engines: tuple[Engine, Engine], state: str, digest: str, headers: list[tuple[str, str]], relay: bool
) -> None:
    path = f"/v2/{REPOSITORY}/blobs/uploads/{UPLOAD_ID}"
    _check(engines, "PUT", path, f"_state={state}&digest={digest}", headers, relay)


def _check(
    engines: tuple[Engine, Engine], method: str, path: str, query: str, headers: list[tuple[str, str]], relay: bool
) -> None:
    outcome, other = (run(engine, method, f"{path}?{query}", headers, relay=relay) for engine in engines)
    assert outcome == other
    destination = where(outcome)
    if destination == "blobs":
        _check_stored(method, path, query, outcome.result["uri"])
        assert set(headers_of(outcome)) <= _ALLOWED
        assert outcome.result["querystring"] == outcome.result["cookies"] == {}
        return
    others = ("api", "relay", "registry", "token")
    assert destination in others or re.fullmatch(r"\d{3} [A-Z_]+", destination)
    if destination not in others:
        return
    assert outcome.result["uri"] == path
    ours = {name: value for name, value in headers_of(outcome).items() if name.startswith("x-roadstead-")}
    if destination in ("registry", "token"):
        _check_read(method, path, headers, outcome.result["headers"])
        ours.pop("x-roadstead-authorization", None)
    assert ours == {"x-roadstead-host": HOST, "x-roadstead-address": ADDRESS}
    assert relay or destination != "relay"


def _check_read(method: str, path: str, sent: list[tuple[str, str]], passed_on: dict[str, Any]) -> None:
    """What goes to a function's URL is a GET of no upload; every Authorization, and nothing else, is in our header."""
    assert method == "GET"
    assert path == "/token" or (path.startswith("/v2/") and "/blobs/uploads/" not in path)
    given = [value for name, value in sent if name.lower() == "authorization"]
    assert given or path == "/token"
    assert "authorization" not in passed_on
    moved = {name: entry for name, entry in passed_on.items() if name == "x-roadstead-authorization"}
    assert [value for _, value in pairs(moved)] == given


def _check_stored(method: str, path: str, query: str, uri: str) -> None:
    """What goes to S3 is a PUT whose token, by Python's reading of it, is good for exactly this key."""
    assert method == "PUT"
    found = re.fullmatch(r"/v2/(.+)/blobs/uploads/([0-9a-f]{32})", path)
    assert found is not None
    repository, upload_id = found.groups()
    parameters = [pair.partition("=")[::2] for pair in query.split("&")]
    (state,) = [unquote(value) for name, value in parameters if unquote(name) == "_state"]
    (digest,) = [unquote(value) for name, value in parameters if unquote(name) == "digest"]
    read = decode_upload_token(state, KEYS, now=time.time() - 60, repository=repository, upload_id=upload_id)
    assert not read.chunked
    assert read.takes_body(time.time() - 60)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", digest)
    place = hashlib.sha256(repository.encode()).hexdigest()[:32]
    assert uri == f"/blobs/{digest.replace(':', '/')}/{place}/{upload_id}"
