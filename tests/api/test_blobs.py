"""Blobs: HEAD, GET with ranges, DELETE."""

from __future__ import annotations

import urllib.error
import urllib.request
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from roadstead.content.blob_index import MAX_INLINE_BLOB
from roadstead.digest import ALGORITHMS, Digest
from tests.api.backends import on_both_backends
from tests.api.client import Api, Client
from tests.api.conftest import Builder
from tests.api.documents import push_image

REPOSITORY = "acme/app"
SMALL = bytes(range(256)) * 8
LARGE = b"0123456789abcdef" * 1024 + b"!"
algorithms = pytest.mark.parametrize("algorithm", ALGORITHMS)


@on_both_backends
@algorithms
@pytest.mark.parametrize("data", [b"", b"{}", SMALL, LARGE])
def test_head_has_the_exact_length_and_no_body(developer: Client, data: bytes, algorithm: str) -> None:
    digest = developer.push_blob(REPOSITORY, data, algorithm)
    answer = developer.blob(REPOSITORY, digest, method="HEAD").expect(200)
    assert answer.header("content-length") == str(len(data))
    assert answer.header("docker-content-digest") == digest
    assert (answer.body, answer.result["body"], answer.header("location")) == (b"", "", None)


@on_both_backends
@algorithms
@pytest.mark.parametrize("size", [0, 1, MAX_INLINE_BLOB])
def test_a_blob_up_to_16_kib_is_served_inline(developer: Client, size: int, algorithm: str) -> None:
    data = b"x" * size
    digest = developer.push_blob(REPOSITORY, data, algorithm)
    answer = developer.blob(REPOSITORY, digest, headers={"Accept-Encoding": "gzip"}).expect(200)
    assert answer.body == data
    assert answer.header("content-length") == str(size)
    assert answer.header("docker-content-digest") == digest
    assert answer.header("content-encoding") is None


@on_both_backends
@algorithms
def test_a_larger_blob_is_redirected_to_a_presigned_url(api: Api, developer: Client, algorithm: str) -> None:
    digest = developer.push_blob(REPOSITORY, LARGE, algorithm)
    answer = developer.blob(REPOSITORY, digest).expect(307)
    assert answer.header("docker-content-digest") == digest
    assert (answer.header("content-length"), answer.body) == ("0", b"")
    assert urlsplit(answer.location).netloc != "registry.test"
    assert api.stored(answer.location) == LARGE


@pytest.mark.parametrize("build", ["aws"], indirect=True)
def test_a_presigned_url_serves_ranges_for_15_minutes(developer: Client) -> None:
    digest = developer.push_blob(REPOSITORY, LARGE)
    url = developer.blob(REPOSITORY, digest).expect(307).location
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["900"]
    with urllib.request.urlopen(url) as whole:
        assert whole.read() == LARGE
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Range": "bytes=16-31"})) as part:
        assert (part.status, part.read()) == (206, LARGE[16:32])
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url.replace(digest.partition(":")[2], "0" * 64))
    refused.value.close()
    assert refused.value.code == 403


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=500-1499", 500, 1499),
        ("bytes=2000-5000", 2000, 2047),
    ],
)
def test_a_range_of_an_inline_blob_is_206(developer: Client, wanted: str, first: int, last: int) -> None:
    digest = developer.push_blob(REPOSITORY, SMALL)
    answer = developer.blob(REPOSITORY, digest, headers={"Range": wanted}).expect(206)
    assert answer.body == SMALL[first : last + 1]
    assert answer.header("content-range") == f"bytes {first}-{last}/2048"
    assert answer.header("content-length") == str(last - first + 1)
    assert answer.header("docker-content-digest") == digest


def test_a_client_that_has_an_inline_blob_gets_304(developer: Client) -> None:
    digest = developer.push_blob(REPOSITORY, SMALL)
    etag = developer.blob(REPOSITORY, digest).header("etag")
    assert etag is not None
    answer = developer.blob(REPOSITORY, digest, headers={"If-None-Match": etag}).expect(304)
    assert (answer.header("etag"), answer.header("docker-content-digest"), answer.body) == (etag, digest, b"")


@pytest.mark.parametrize("wanted", ["bytes=5000-10000"])
def test_a_range_outside_the_blob_is_416(developer: Client, wanted: str) -> None:
    digest = developer.push_blob(REPOSITORY, SMALL)
    answer = developer.blob(REPOSITORY, digest, headers={"Range": wanted}).refused(416, "SIZE_INVALID")
    assert answer.header("content-range") == "bytes */2048"


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5"])
def test_a_header_that_is_not_one_byte_range_is_ignored(developer: Client, wanted: str) -> None:
    digest = developer.push_blob(REPOSITORY, SMALL)
    answer = developer.blob(REPOSITORY, digest, headers={"Range": wanted}).expect(200)
    assert answer.body == SMALL


@on_both_backends
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_an_absent_blob_is_404(maintainer: Client, method: str) -> None:
    answer = maintainer.blob(REPOSITORY, Digest.of(b"never pushed"), method=method).expect(404)
    assert method == "HEAD" or answer.codes == ["BLOB_UNKNOWN"]


@on_both_backends
@algorithms
@pytest.mark.parametrize("data", [SMALL, LARGE])
def test_a_deleted_blob_is_404_at_once(developer: Client, maintainer: Client, data: bytes, algorithm: str) -> None:
    digest = developer.push_blob(REPOSITORY, data, algorithm)
    assert maintainer.blob(REPOSITORY, digest, method="DELETE").expect(202).body == b""
    for method in ("GET", "HEAD", "DELETE"):
        maintainer.blob(REPOSITORY, digest, method=method).expect(404)


@on_both_backends
@algorithms
@pytest.mark.parametrize("data", [b"", SMALL, LARGE])
def test_pushing_a_deleted_blob_again_succeeds(
    developer: Client, maintainer: Client, data: bytes, algorithm: str
) -> None:
    for _ in range(3):
        digest = developer.push_blob(REPOSITORY, data, algorithm)
        developer.blob(REPOSITORY, digest, method="HEAD").expect(200)
        maintainer.blob(REPOSITORY, digest, method="DELETE").expect(202)
        developer.blob(REPOSITORY, digest, method="HEAD").expect(404)
    digest = developer.push_blob(REPOSITORY, data, algorithm)
    answer = developer.blob(REPOSITORY, digest)
    served = answer.body if answer.status == 200 else developer.api.stored(answer.location)
    assert served == data


@on_both_backends
def test_deleting_a_needed_blob_is_denied(developer: Client, maintainer: Client) -> None:
    manifest = Digest.of(push_image(developer, REPOSITORY, layers=[SMALL]))
    layer = Digest.of(SMALL)
    answer = maintainer.blob(REPOSITORY, layer, method="DELETE").refused(405, "DENIED")
    assert manifest in answer.message and layer in answer.message
    assert answer.json()["errors"][0]["detail"] == {"digest": layer, "manifest": manifest}
    assert answer.header("allow") == "GET, HEAD"
    developer.blob(REPOSITORY, layer).expect(200)
    maintainer.manifest(REPOSITORY, manifest, method="DELETE").expect(202)
    maintainer.blob(REPOSITORY, layer, method="DELETE").expect(202)


def test_a_digest_may_be_percent_encoded(developer: Client) -> None:
    digest = developer.push_blob(REPOSITORY, SMALL)
    assert developer.blob(REPOSITORY, quote(digest, safe="")).expect(200).body == SMALL
    developer.blob(REPOSITORY, digest.replace(":", "%3a"), method="HEAD").expect(200)


@pytest.mark.parametrize("digest", ["sha256:short"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_malformed_digest_is_400(maintainer: Client, method: str, digest: str) -> None:
    maintainer.blob(REPOSITORY, digest, method=method).refused(400, "DIGEST_INVALID")


def test_a_blob_is_404_in_another_repository(developer: Client) -> None:
    digest = developer.push_blob(REPOSITORY, SMALL)
    for repository in ("acme/other", "acme/app/nested", "open/app", "acme"):
        developer.blob(repository, digest).expect(404)


@pytest.mark.parametrize("answers", ["length", "body"])
def test_head_of_a_blob_is_not_redirected_by_default(build: Builder, answers: str) -> None:
    developer = build(HEAD_ANSWERS=answers).user("developer")
    digest = developer.push_blob(REPOSITORY, LARGE)
    answer = developer.blob(REPOSITORY, digest, method="HEAD").expect(200)
    assert answer.header("content-length") == str(len(LARGE))


@on_both_backends
def test_head_of_a_blob_can_be_redirected_to_a_url_signed_for_head(build: Builder) -> None:
    developer = build(HEAD_ANSWERS="redirect").user("developer")
    digest = developer.push_blob(REPOSITORY, SMALL)
    answer = developer.blob(REPOSITORY, digest, method="HEAD").expect(307)
    assert answer.header("docker-content-digest") == digest
    if "X-Amz-Signature" not in answer.location:
        assert answer.location.endswith("?method=HEAD")
        return
    with urllib.request.urlopen(urllib.request.Request(answer.location, method="HEAD")) as head:
        assert head.headers["Content-Length"] == str(len(SMALL))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(answer.location)
    refused.value.close()
    assert refused.value.code == 403
