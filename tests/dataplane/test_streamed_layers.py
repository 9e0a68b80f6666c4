"""Layers that clients send in pieces, through the edge to the relay, become S3 multipart uploads."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from roadstead.content.uploads.token import PARAMETER, UploadToken, decode_upload_token
from roadstead.names import RepositoryName
from tests.dataplane.plane import MIB, Plane, closing, digest_of, pieces

DATA = os.urandom(30 * MIB + 12_345)  # several of the relay's parts, and a last one that is small


def content(size: int) -> bytes:
    """Return a unique layer."""
    return os.urandom(16) + DATA[: size - 16]


def until(condition: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not come about"
        time.sleep(0.02)


def offset_of(registry: Plane, location: str) -> int:
    """Return how many bytes the upload has; 0 for one byte or none."""
    text = registry.ask("GET", location).expect(204).headers["range"].removeprefix("0-")
    return int(text) + 1 if text != "0" else 0


def upload_id(location: str) -> str:
    return urlsplit(location).path.rsplit("/", 1)[1]


def token_of(registry: Plane, repository: str, location: str) -> UploadToken:
    (text,) = parse_qs(urlsplit(location).query)[PARAMETER]
    return decode_upload_token(
        text, registry.upload_keys, now=time.time(), repository=repository, upload_id=upload_id(location)
    )


def expiring(registry: Plane, repository: str, location: str, at: float) -> str:
    """Return the same upload's Location with less time left."""
    token = replace(token_of(registry, repository, location), expires=int(at))
    assert token.repository == RepositoryName(repository)
    return f"{urlsplit(location).path}?{PARAMETER}={token.encode(registry.upload_keys)}"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_layer_in_chunks_of_unknown_length_becomes_a_multipart_object(
    registry: Plane, repository: str, algorithm: str
) -> None:
    data = content(len(DATA))
    digest = digest_of(data, algorithm)
    location = registry.start(repository)
    patched = registry.ask("PATCH", location, pieces(data)).expect(202)
    assert patched.headers["range"] == f"0-{len(data) - 1}"
    created = registry.put(patched.headers["location"], digest).expect(201)
    assert created.headers["docker-content-digest"] == digest
    assert registry.blob(repository, digest).expect(200).headers["content-length"] == str(len(data))
    assert registry.pull(repository, digest) == data

    (key,) = registry.keys(prefix=f"blobs/uploads/{upload_id(location)}/")
    stored = registry.s3.head_object(Bucket=registry.bucket, Key=key, ChecksumMode="ENABLED")
    assert (stored["ChecksumType"], stored["ChecksumSHA256"].partition("-")[2]) == ("COMPOSITE", "4")
    assert registry.unfinished() == 0


def test_a_whole_put_without_a_length_is_accepted(registry: Plane, repository: str) -> None:
    data = content(12 * MIB)
    registry.put(registry.start(repository), digest_of(data), pieces(data)).expect(201)
    assert registry.pull(repository, digest_of(data)) == data


@pytest.mark.parametrize("size", [1024, 65_537, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1])
def test_a_small_layer_needs_no_multipart_upload(registry: Plane, repository: str, size: int) -> None:
    data = content(size)
    patched = registry.ask("PATCH", registry.start(repository), data).expect(202)
    registry.put(patched.headers["location"], digest_of(data)).expect(201)
    assert registry.pull(repository, digest_of(data)) == data
    assert registry.unfinished() == 0


def test_chunks_smaller_than_a_part_are_merged(registry: Plane, repository: str) -> None:
    data = content(14 * MIB + 3)
    location, start = registry.start(repository), 0
    for size in (3 * MIB, 3 * MIB - 1, 4 * MIB + 1, 1, 4 * MIB + 2):
        chunk = data[start : start + size]
        ranged = {"Content-Range": f"{start}-{start + size - 1}"}
        location = registry.ask("PATCH", location, chunk, ranged).expect(202).headers["location"]
        start += size
    assert start == len(data)
    registry.put(location, digest_of(data)).expect(201)
    assert registry.pull(repository, digest_of(data)) == data
    (key,) = registry.keys(prefix=f"blobs/uploads/{upload_id(location)}/")
    assert "/parts-" in key  # what waited to become a part is gone


def test_an_interrupted_upload_continues_from_what_arrived(registry: Plane, repository: str) -> None:
    data, location = content(len(DATA)), registry.start(repository)
    registry.broken_off("PATCH", location, data[: 20 * MIB], len(data))
    until(lambda: offset_of(registry, location) > 8 * MIB)
    start = offset_of(registry, location)
    assert start <= 20 * MIB
    ranged = {"Content-Range": f"{start}-{len(data) - 1}"}
    registry.ask("PATCH", location, data[:100], {"Content-Range": "0-99"}).expect(416)
    patched = registry.ask("PATCH", location, data[start:], ranged).expect(202)
    registry.put(patched.headers["location"], digest_of(data)).expect(201)
    assert registry.pull(repository, digest_of(data)) == data
    assert registry.unfinished() == 0


def test_after_a_wrong_digest_the_right_one_is_accepted(registry: Plane, repository: str) -> None:
    data = content(12 * MIB)
    location = registry.ask("PATCH", registry.start(repository), data).expect(202).headers["location"]
    registry.put(location, digest_of(b"other")).refused(400, "DIGEST_INVALID")
    registry.blob(repository, digest_of(b"other")).expect(404)
    registry.put(location, digest_of(data)).expect(201)
    assert registry.pull(repository, digest_of(data)) == data


def test_a_wrong_digest_whose_algorithm_was_not_named_ends_an_upload_in_parts(registry: Plane, repository: str) -> None:
    data = content(12 * MIB)
    location = registry.ask("PATCH", registry.start(repository), data).expect(202).headers["location"]
    registry.put(location, digest_of(b"other", "sha512")).refused(400, "DIGEST_INVALID")
    registry.blob(repository, digest_of(b"other", "sha512")).expect(404)
    registry.put(location, digest_of(data)).refused(404, "BLOB_UPLOAD_UNKNOWN")
    assert registry.unfinished() == 0


def test_an_expired_upload_is_refused_on_every_path(registry: Plane, repository: str) -> None:
    data, location = content(9 * MIB), registry.start(repository)
    ends = time.time() + 3
    brief = expiring(registry, repository, location, ends)
    sent = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield data[: 8 * MIB]
        sent.set()
        time.sleep(max(0.0, ends + 0.2 - time.time()))  # what has begun in time is taken to its end
        yield data[8 * MIB :]

    patched = registry.ask("PATCH", brief, slowly()).expect(202)
    assert sent.is_set() and time.time() > ends
    digest = digest_of(data)
    for late in (brief, patched.headers["location"]):
        registry.ask("PATCH", late, data).refused(404, "BLOB_UPLOAD_UNKNOWN")
        registry.ask("GET", late).refused(404, "BLOB_UPLOAD_UNKNOWN")
        registry.put(late, digest).refused(404, "BLOB_UPLOAD_UNKNOWN")
        registry.put(late, digest, data).refused(404, "BLOB_UPLOAD_UNKNOWN")
    registry.blob(repository, digest).expect(404)
    assert registry.keys(digest) == []
    # The session itself is unchanged; an unexpired token may still close it.
    registry.put(location, digest).expect(201)
    assert registry.pull(repository, digest) == data


def test_a_cancelled_upload_leaves_nothing_in_s3(registry: Plane, repository: str) -> None:
    location = registry.ask("PATCH", registry.start(repository), content(12 * MIB)).expect(202).headers["location"]
    assert registry.unfinished(upload_id(location)) == 1
    registry.ask("DELETE", location).expect(204)
    registry.ask("GET", location).refused(404, "BLOB_UPLOAD_UNKNOWN")
    assert registry.unfinished(upload_id(location)) == 0
    assert registry.keys(prefix=f"blobs/uploads/{upload_id(location)}/") == []


def test_a_layer_pushed_concurrently_on_both_paths_is_one_blob(registry: Plane, repository: str) -> None:
    data = content(9 * MIB)
    digest = digest_of(data)

    def push(number: int) -> None:
        location = registry.start(repository)
        if number % 2:
            registry.put(location, digest, data).expect(201)
        else:
            location = registry.ask("PATCH", location, pieces(data)).expect(202).headers["location"]
            registry.put(location, digest).expect(201)
        registry.blob(repository, digest).expect(200)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(push, range(4)))
    assert registry.pull(repository, digest) == data
    registry.blob(repository, digest, "DELETE").expect(202)
    registry.blob(repository, digest).expect(404)
    assert registry.unfinished() == 0


def test_the_closing_put_can_be_repeated_after_a_lost_response(registry: Plane, repository: str) -> None:
    data = content(9 * MIB)
    location = registry.ask("PATCH", registry.start(repository), data).expect(202).headers["location"]
    registry.broken_off("PUT", closing(location, digest_of(data)), b"", 0)
    for _ in range(2):
        registry.put(location, digest_of(data)).expect(201)
    assert registry.pull(repository, digest_of(data)) == data
