"""Uploads: every way to push a blob, and every way to get it wrong."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from roadstead.content.uploads.token import PARAMETER
from roadstead.digest import ALGORITHMS, Digest
from tests.api.backends import on_both_backends
from tests.api.client import OCTETS, Answer, Api, Client
from tests.api.conftest import Builder
from tests.memory.objects import MemoryObjects

REPOSITORY = "acme/app"
DATA = bytes(range(256)) * 12
algorithms = pytest.mark.parametrize("algorithm", ALGORITHMS)
MIB = 1024 * 1024


def by_post(client: Client, data: bytes, digest: str) -> Answer:
    target = f"/v2/{REPOSITORY}/blobs/uploads/?digest={digest}"
    return client.request("POST", target, {"Content-Type": OCTETS}, data)


def by_post_and_put(client: Client, data: bytes, digest: str) -> Answer:
    return client.put(client.start(REPOSITORY), digest, data)


def streamed(client: Client, data: bytes, digest: str) -> Answer:
    """As docker does: one PATCH without Content-Range, then an empty PUT."""
    return client.put(client.patch(client.start(REPOSITORY), data).expect(202).location, digest)


def chunked(client: Client, data: bytes, digest: str) -> Answer:
    location = client.start(REPOSITORY)
    for start in range(0, len(data), 1024):
        location = client.patch(location, data[start : start + 1024], start).expect(202).location
    return client.put(location, digest)


def chunked_with_the_last_in_the_put(client: Client, data: bytes, digest: str) -> Answer:
    location = client.patch(client.start(REPOSITORY), data[:1024], 0).expect(202).location
    return client.put(location, digest, data[1024:], {"Content-Range": f"1024-{len(data) - 1}"})


WAYS = [by_post, by_post_and_put, streamed, chunked, chunked_with_the_last_in_the_put]
ways = pytest.mark.parametrize("way", WAYS)
Way = Callable[[Client, bytes, str], Answer]


@on_both_backends
@ways
@algorithms
def test_a_blob_is_pushed_and_its_location_can_be_pulled_at_once(
    api: Api, developer: Client, way: Way, algorithm: str
) -> None:
    digest = Digest.of(DATA, algorithm)
    answer = way(developer, DATA, digest).expect(201)
    assert answer.location == f"/v2/{REPOSITORY}/blobs/{digest}"
    assert answer.header("docker-content-digest") == digest
    pulled = api.user("guest").request("GET", answer.location, scope=f"repository:{REPOSITORY}:pull").expect(200)
    assert pulled.body == DATA


@ways
@algorithms
def test_a_wrong_digest_is_exactly_400(developer: Client, way: Way, algorithm: str) -> None:
    wrong = Digest.of(b"something else", algorithm)
    way(developer, DATA, wrong).refused(400, "DIGEST_INVALID")
    developer.blob(REPOSITORY, wrong, method="HEAD").expect(404)
    developer.blob(REPOSITORY, Digest.of(DATA, algorithm), method="HEAD").expect(404)


@on_both_backends
@algorithms
@pytest.mark.parametrize("way", [by_post, by_post_and_put])
def test_the_empty_blob_is_pushed_by_a_body_of_length_0(developer: Client, way: Way, algorithm: str) -> None:
    digest = Digest.of(b"", algorithm)
    way(developer, b"", digest).expect(201)
    answer = developer.blob(REPOSITORY, digest).expect(200)
    assert (answer.body, answer.header("content-length")) == (b"", "0")


def test_starting_an_upload_is_202_with_all_headers(developer: Client) -> None:
    answer = developer.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/").expect(202)
    identity = answer.header("docker-upload-uuid")
    parts = urlsplit(answer.location)
    assert (parts.scheme, parts.netloc) == ("", "")
    assert parts.path == f"/v2/{REPOSITORY}/blobs/uploads/{identity}"
    assert list(parse_qs(parts.query)) == [PARAMETER]
    assert (answer.header("range"), answer.header("content-length"), answer.body) == ("0-0", "0", b"")


def test_the_uploads_path_works_without_its_slash(developer: Client) -> None:
    developer.request("POST", f"/v2/{REPOSITORY}/blobs/uploads").expect(202)


def test_starting_an_upload_writes_nothing(api: Api, developer: Client) -> None:
    assert isinstance(api.objects, MemoryObjects)
    location = developer.start(REPOSITORY)
    assert api.objects.list("") == ()
    developer.put(location, Digest.of(DATA), DATA).expect(201)
    assert len(api.objects.list("")) == 1


def test_a_chunk_is_202_with_the_cumulative_range_and_a_location(developer: Client) -> None:
    first = developer.patch(developer.start(REPOSITORY), b"a" * 10, 0).expect(202)
    assert (first.header("range"), first.header("content-length")) == ("0-9", "0")
    second = developer.patch(first.location, b"b" * 5, 10).expect(202)
    assert second.header("range") == "0-14"
    assert second.header("docker-upload-uuid") == first.header("docker-upload-uuid")


def test_get_of_an_upload_before_any_byte_is_204_with_range_0_0(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    answer = developer.api.request("GET", location).expect(204)
    assert (answer.header("range"), answer.body, answer.header("content-length")) == ("0-0", b"", None)
    developer.patch(answer.location, b"abc", 0).expect(202)


@on_both_backends
def test_a_chunk_out_of_order_is_416_and_the_session_continues(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    early = developer.patch(location, DATA[1024:], 1024).refused(416, "BLOB_UPLOAD_INVALID")
    assert early.header("range") == "0-0"
    told = developer.api.request("GET", early.location).expect(204)
    first = developer.patch(told.location, DATA[:1024], 0).expect(202)
    again = developer.patch(first.location, DATA[:1024], 0).refused(416, "BLOB_UPLOAD_INVALID")
    assert again.header("range") == "0-1023"
    assert developer.api.request("GET", location).expect(204).header("range") == "0-1023"
    late = developer.put(again.location, Digest.of(DATA), DATA[2048:], {"Content-Range": f"2048-{len(DATA) - 1}"})
    late.refused(416, "BLOB_UPLOAD_INVALID")
    second = developer.patch(late.location, DATA[1024:], 1024).expect(202)
    developer.put(second.location, Digest.of(DATA)).expect(201)


def test_the_location_of_the_post_stays_valid_after_a_patch(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    developer.patch(location, DATA[:1000], 0).expect(202)
    assert developer.api.request("GET", location).expect(204).header("range") == "0-999"
    developer.patch(location, DATA[1000:], 1000).expect(202)
    developer.put(location, Digest.of(DATA)).expect(201)


@pytest.mark.parametrize(
    "content_range", ["bytes=0-9", "bytes 0-9/10", "0-", "-9", "a-b", "0-9/10", " ", "\u0660-\u0669"]
)
def test_a_malformed_content_range_is_416_and_the_session_continues(developer: Client, content_range: str) -> None:
    location = developer.start(REPOSITORY)
    answer = developer.api.request("PATCH", location, {"Content-Range": content_range}, b"0123456789")
    answer.refused(416, "BLOB_UPLOAD_INVALID")
    developer.patch(answer.location, b"0123456789", 0).expect(202)


def test_a_content_range_of_another_length_is_refused_and_nothing_kept(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    developer.api.request("PATCH", location, {"Content-Range": "0-99"}, b"short").refused(400, "SIZE_INVALID")
    assert developer.api.request("GET", location).expect(204).header("range") == "0-0"


def test_after_a_wrong_digest_the_right_one_closes_the_upload(developer: Client) -> None:
    location = developer.patch(developer.start(REPOSITORY), DATA).expect(202).location
    developer.put(location, Digest.of(b"wrong")).refused(400, "DIGEST_INVALID")
    developer.put(location, Digest.of(DATA)).expect(201)


@on_both_backends
def test_delete_of_an_untouched_session_is_204_and_ends_it(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    assert developer.api.request("DELETE", location).expect(204).body == b""
    for method in ("GET", "PATCH", "DELETE"):
        developer.api.request(method, location, {}, b"x").refused(404, "BLOB_UPLOAD_UNKNOWN")
    developer.put(location, Digest.of(DATA), DATA).refused(404, "BLOB_UPLOAD_UNKNOWN")


@on_both_backends
def test_delete_of_a_session_with_bytes_drops_them(api: Api, developer: Client) -> None:
    location = developer.patch(developer.start(REPOSITORY), b"x" * 100_000).expect(202).location
    assert len(api.objects.list("")) == 1
    api.request("DELETE", location).expect(204)
    assert api.objects.list("") == ()
    api.request("GET", location).refused(404, "BLOB_UPLOAD_UNKNOWN")


def test_a_cancelled_upload_leaves_no_multipart_upload(api: Api, developer: Client) -> None:
    assert isinstance(api.objects, MemoryObjects)
    location = developer.patch(developer.start(REPOSITORY), b"x" * (6 * MIB)).expect(202).location
    assert api.objects.unfinished() == 1
    api.request("DELETE", location).expect(204)
    assert api.objects.unfinished() == 0


@on_both_backends
@pytest.mark.parametrize("whole", [True, False])
def test_repeating_a_put_is_201_again(developer: Client, whole: bool) -> None:
    digest, location = Digest.of(DATA), developer.start(REPOSITORY)
    if not whole:
        location = developer.patch(location, DATA).expect(202).location
    first = developer.put(location, digest, DATA if whole else b"").expect(201)
    second = developer.put(location, digest, DATA if whole else b"").expect(201)
    assert second.pairs == first.pairs


def test_a_closed_upload_refuses_another_digest_and_another_chunk(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    developer.put(location, Digest.of(DATA), DATA).expect(201)
    developer.put(location, Digest.of(b"other"), b"other").refused(404, "BLOB_UPLOAD_UNKNOWN")
    developer.patch(location, b"more").refused(404, "BLOB_UPLOAD_UNKNOWN")
    developer.api.request("GET", location).refused(404, "BLOB_UPLOAD_UNKNOWN")


def test_repeating_a_put_does_not_restore_a_deleted_blob(developer: Client, maintainer: Client) -> None:
    location, digest = developer.start(REPOSITORY), Digest.of(DATA)
    developer.put(location, digest, DATA).expect(201)
    maintainer.blob(REPOSITORY, digest, method="DELETE").expect(202)
    developer.put(location, digest, DATA).refused(404, "BLOB_UPLOAD_UNKNOWN")
    developer.blob(REPOSITORY, digest, method="HEAD").expect(404)


def test_a_put_without_a_digest_is_refused(developer: Client) -> None:
    developer.api.request("PUT", developer.start(REPOSITORY), {}, DATA).refused(400, "DIGEST_INVALID")


@pytest.mark.parametrize(
    "digest", ["sha256:short", "sha256:" + "A" * 64, "md5:d41d8cd98f00b204e9800998ecf8427e", "", "latest"]
)
def test_a_malformed_digest_is_refused(developer: Client, digest: str) -> None:
    developer.put(developer.start(REPOSITORY), digest, DATA).refused(400, "DIGEST_INVALID")
    by_post(developer, DATA, quote(digest)).refused(400, "DIGEST_INVALID")


def test_two_digests_that_differ_are_refused(developer: Client) -> None:
    location = developer.start(REPOSITORY)
    target = f"{location}&digest={Digest.of(DATA)}&digest={Digest.of(DATA, 'sha512')}"
    developer.api.request("PUT", target, {}, DATA).refused(400, "DIGEST_INVALID")


def test_a_post_with_a_digest_but_no_body_begins_a_session_that_takes_the_put(developer: Client) -> None:
    digest = Digest.of(DATA)
    location = by_post(developer, b"", digest).expect(202).location
    developer.put(location, digest, DATA).expect(201)


@algorithms
def test_the_algorithm_may_be_named_at_the_start(developer: Client, algorithm: str) -> None:
    location = developer.start(REPOSITORY, f"digest-algorithm={algorithm}")
    location = developer.patch(location, DATA).expect(202).location
    developer.put(location, Digest.of(DATA, algorithm)).expect(201)


def test_a_named_algorithm_is_the_only_one_supported(developer: Client) -> None:
    location = developer.patch(developer.start(REPOSITORY, "digest-algorithm=sha512"), DATA).expect(202).location
    developer.put(location, Digest.of(DATA, "sha256")).refused(400, "DIGEST_INVALID")
    developer.put(location, Digest.of(DATA, "sha512")).expect(201)


@pytest.mark.parametrize("algorithm", ["md5", "SHA256", "sha384", ""])
def test_an_unsupported_algorithm_is_refused_at_the_start(developer: Client, algorithm: str) -> None:
    target = f"/v2/{REPOSITORY}/blobs/uploads/?digest-algorithm={algorithm}"
    developer.request("POST", target).refused(400, "DIGEST_INVALID")


@on_both_backends
@algorithms
def test_chunks_of_1_kib_and_of_more_than_a_part_make_one_blob(developer: Client, algorithm: str) -> None:
    pieces = [b"a" * 1024, b"b" * (3 * MIB), b"c" * 100, b"d" * (3 * MIB), b"e" * (70 * 1024)]
    data, location, start = b"".join(pieces), developer.start(REPOSITORY), 0
    for piece in pieces:
        location = developer.patch(location, piece, start).expect(202).location
        start += len(piece)
    digest = Digest.of(data, algorithm)
    developer.put(location, digest).expect(201)
    redirect = developer.blob(REPOSITORY, digest).expect(307)
    assert developer.api.stored(redirect.location) == data


def test_a_blob_above_the_limit_is_denied_with_advice(build: Builder) -> None:
    developer = build(MAX_BLOB_BYTES="2000").user("developer")
    denied = developer.put(developer.start(REPOSITORY), Digest.of(DATA), DATA).refused(413, "DENIED")
    assert "2000" in denied.message and "MAX_BLOB_BYTES" in denied.message
    location = developer.patch(developer.start(REPOSITORY), DATA[:1500]).expect(202).location
    developer.patch(location, DATA[1500:]).refused(413, "DENIED")


@algorithms
def test_an_empty_chunk_changes_nothing(developer: Client, algorithm: str) -> None:
    location = developer.start(REPOSITORY)
    for _ in range(2):
        answer = developer.api.request("PATCH", location, {"Content-Type": OCTETS}).expect(202)
        assert answer.header("range") == "0-0"
        location = answer.location
    developer.put(location, Digest.of(b"", algorithm)).expect(201)


def test_a_post_with_a_body_and_no_digest_starts_a_session(developer: Client) -> None:
    location = developer.request("POST", f"/v2/{REPOSITORY}/blobs/uploads/", {}, DATA).expect(202).location
    assert developer.api.request("GET", location).expect(204).header("range") == "0-0"
    developer.put(location, Digest.of(DATA)).refused(400, "DIGEST_INVALID")


def test_an_existing_blob_can_be_pushed_again_in_every_way(developer: Client) -> None:
    for way in WAYS:
        way(developer, DATA, Digest.of(DATA)).expect(201)
    assert developer.blob(REPOSITORY, Digest.of(DATA)).expect(200).body == DATA
