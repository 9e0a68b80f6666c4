"""Layers sent whole go through the edge straight to an S3 that checks signatures and checksums itself."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.dataplane.plane import MIB, Plane, closing, digest_of, fetch, plane
from tests.strict_s3 import StrictS3


@pytest.fixture
def large() -> bytes:
    """A unique layer, too large for the index."""
    return os.urandom(300_000)


def layer(size: int) -> bytes:
    return os.urandom(min(size, MIB)) * (size // MIB) + os.urandom(size % MIB)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("size", [1024, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 30 * MIB])
def test_a_whole_layer_can_be_pulled_at_once_and_is_unchanged(
    registry: Plane, repository: str, size: int, algorithm: str
) -> None:
    data = layer(size)
    digest = digest_of(data, algorithm)
    created = registry.put(registry.start(repository), digest, data).expect(201)
    assert created.headers["docker-content-digest"] == digest
    assert created.headers["location"] == f"/v2/{repository}/blobs/{digest}"

    found = registry.blob(repository, digest).expect(200)
    assert found.headers["content-length"] == str(size)
    assert registry.pull(repository, digest) == data
    (key,) = registry.keys(digest)
    stored = registry.s3.head_object(Bucket=registry.bucket, Key=key, ChecksumMode="ENABLED")
    assert stored[f"Checksum{algorithm.upper()}"] and stored["ChecksumType"] == "FULL_OBJECT"
    assert registry.unfinished() == 0


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_s3_itself_refuses_bytes_with_a_wrong_digest(
    registry: Plane, repository: str, large: bytes, algorithm: str
) -> None:
    digest = digest_of(b"other", algorithm)
    location = registry.start(repository)
    registry.put(location, digest, large).refused(400, "DIGEST_INVALID")
    assert registry.keys(digest) == []
    registry.blob(repository, digest).expect(404)
    # The upload is unharmed.
    registry.put(location, digest_of(large, algorithm), large).expect(201)
    assert registry.pull(repository, digest_of(large, algorithm)) == large


def test_if_s3_refuses_the_edges_signature_the_error_asks_for_the_operator(
    strict: StrictS3, ministack_endpoint: str, tmp_path: Path, repository: str, large: bytes
) -> None:
    with plane(strict, ministack_endpoint, tmp_path, signs_with="another secret") as registry:
        digest = digest_of(large)
        registry.put(registry.start(repository), digest, large).refused(403, "DENIED")
        assert registry.keys(digest) == []


def test_an_incomplete_body_is_not_stored_and_the_upload_stays_open(
    registry: Plane, repository: str, large: bytes
) -> None:
    digest, location = digest_of(large), registry.start(repository)
    for sent in (0, 1, len(large) - 1):
        registry.broken_off("PUT", closing(location, digest), large[:sent], len(large))
    registry.blob(repository, digest).expect(404)
    assert registry.keys(digest) == []
    registry.put(location, digest, large).expect(201)
    assert registry.pull(repository, digest) == large


def test_a_clients_credentials_and_headers_do_not_reach_s3(registry: Plane, repository: str, large: bytes) -> None:
    digest = digest_of(large)
    careless = {
        "Authorization": "Basic c2VjcmV0",
        "X-Amz-Acl": "public-read",
        "X-Amz-Meta-Own": "x",
        "Content-Encoding": "gzip",
        "X-Amz-Security-Token": "t",
        "Cookie": "a=b",
    }
    registry.put(registry.start(repository), digest, large, careless).expect(201)
    (key,) = registry.keys(digest)
    about = registry.s3.head_object(Bucket=registry.bucket, Key=key)
    assert set(about["Metadata"]) == {"repository", "actor"}
    assert len(registry.s3.get_object_acl(Bucket=registry.bucket, Key=key)["Grants"]) == 1
    assert "ContentEncoding" not in about and registry.pull(repository, digest) == large


def test_ranges_are_served_by_s3(registry: Plane, repository: str, large: bytes) -> None:
    url = registry.blob(repository, registry.push(repository, large), "GET").expect(307).headers["location"]
    size = len(large)
    for wanted, first, last in (
        ("500-1499", 500, 1499),
        (f"{size - 10}-", size - 10, size - 1),
        ("-500", size - 500, size - 1),
        (f"1000-{size + 5}", 1000, size - 1),
    ):
        part = fetch(url, {"Range": f"bytes={wanted}"}).expect(206)
        assert part.body == large[first : last + 1]
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
    fetch(url, {"Range": f"bytes={size}-"}).expect(416)


def test_a_changed_presigned_url_is_refused(registry: Plane, repository: str, large: bytes) -> None:
    url = registry.blob(repository, registry.push(repository, large), "GET").expect(307).headers["location"]
    other = registry.blob(repository, registry.push(repository, large[1:]), "GET").expect(307).headers["location"]
    assert fetch(url).expect(200).body == large
    for tampered in (
        url.replace("X-Amz-Expires=900", "X-Amz-Expires=901"),
        url.replace(urlsplit(url).path, urlsplit(other).path),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url + "&response-content-type=text%2Fhtml",
        url.partition("?")[0],
    ):
        fetch(tampered).expect(403)
    # Clients that send their credentials along would be refused: hence S3 must have another name than the registry.
    fetch(url, {"Authorization": "Bearer token"}).expect(400)


def test_a_repeated_put_succeeds_before_and_after_adoption(registry: Plane, repository: str, large: bytes) -> None:
    digest, location = digest_of(large), registry.start(repository)
    for _ in range(2):
        registry.put(location, digest, large).expect(201)
    registry.blob(repository, digest).expect(200)
    registry.put(location, digest, large).expect(201)
    assert registry.pull(repository, digest) == large
    assert len(registry.keys(digest)) == 1


def test_a_consumed_upload_is_not_adopted_again(registry: Plane, repository: str, large: bytes) -> None:
    digest, location = digest_of(large), registry.start(repository)
    registry.put(location, digest, large).expect(201)
    registry.blob(repository, digest).expect(200)
    registry.blob(repository, digest, "DELETE").expect(202)
    registry.put(location, digest, large).expect(201)  # S3 takes it: nobody asked whether it was used up
    for _ in range(2):
        registry.blob(repository, digest).expect(404)
        registry.blob(repository, digest, "GET").refused(404, "BLOB_UNKNOWN")
    # A new upload of the same layer is another matter.
    assert registry.push(repository, large) == digest
    assert registry.pull(repository, digest) == large


def test_a_blob_deleted_in_one_repository_stays_deleted_although_another_keeps_it(
    registry: Plane, repository: str, large: bytes
) -> None:
    other = f"{repository}-2"
    digest = registry.push(repository, large)
    registry.blob(repository, digest).expect(200)
    registry.push(other, large)
    registry.blob(other, digest).expect(200)
    registry.blob(repository, digest, "DELETE").expect(202)
    for _ in range(2):
        registry.blob(repository, digest, "GET").refused(404, "BLOB_UNKNOWN")
        registry.blob(repository, digest).expect(404)
    assert registry.pull(other, digest) == large
    assert len(registry.keys(digest)) == 1


def test_deleting_an_unadopted_layer_deletes_every_upload_of_it(registry: Plane, repository: str, large: bytes) -> None:
    for _ in range(3):
        digest = registry.push(repository, large)
    registry.blob(repository, digest, "DELETE").expect(202)
    registry.blob(repository, digest).expect(404)
    registry.blob(repository, digest, "GET").refused(404, "BLOB_UNKNOWN")


def test_a_layer_uploaded_to_two_repositories_at_once_has_one_object(registry: Plane, repository: str) -> None:
    data = layer(6 * MIB)
    digest, other = digest_of(data), f"{repository}-2"
    halfway, go_on = threading.Event(), threading.Event()

    def slowly() -> object:
        yield data[:MIB]
        halfway.set()
        assert go_on.wait(30)
        yield data[MIB:]

    location = registry.start(other)
    statuses: list[int] = []

    def push_slowly() -> None:
        sized = {"Content-Length": str(len(data))}
        statuses.append(registry.put(location, digest, slowly(), sized).status)

    slow = threading.Thread(target=push_slowly)
    slow.start()
    assert halfway.wait(30)
    registry.push(repository, data)
    registry.blob(repository, digest).expect(200)
    registry.blob(other, digest).expect(404)  # knowing a digest gives no right to the bytes
    registry.blob(other, digest, "GET").expect(404)
    go_on.set()
    slow.join(60)
    assert statuses == [201]
    registry.blob(other, digest).expect(200)

    (key,) = registry.keys(digest)
    assert hashlib.sha256(repository.encode()).hexdigest()[:32] in key  # the first that was asked for is kept
    for name in (repository, other):
        assert registry.pull(name, digest) == data


def test_an_unadopted_layer_can_be_mounted(registry: Plane, repository: str, large: bytes) -> None:
    digest, other = registry.push(repository, large), f"{repository}-2"
    bearer = {"Authorization": f"Bearer {registry.token(other, repository)}"}
    target = f"/v2/{other}/blobs/uploads/?mount={digest}&from={repository}"
    mounted = registry.ask("POST", target, headers=bearer).expect(201)
    assert mounted.headers["location"] == f"/v2/{other}/blobs/{digest}"
    assert registry.pull(other, digest) == large
    registry.blob(repository, digest, "DELETE").expect(202)
    assert registry.pull(other, digest) == large


def test_a_manifest_adopts_the_layers_that_it_needs(registry: Plane, repository: str, large: bytes) -> None:
    contents = {"application/vnd.oci.image.config.v1+json": b"{}", "application/vnd.oci.image.layer.v1.tar": large}
    config, tar = (
        {"mediaType": media_type, "digest": registry.push(repository, data), "size": len(data)}
        for media_type, data in contents.items()
    )
    media_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [tar]}
    url = f"/v2/{repository}/manifests/v1"
    missing = manifest | {"layers": [tar, tar | {"digest": digest_of(b"never sent"), "size": 10}]}
    send = {"Content-Type": media_type}
    registry.api("PUT", url, json.dumps(missing).encode(), send).refused(404, "MANIFEST_BLOB_UNKNOWN")
    registry.api("PUT", url, json.dumps(manifest).encode(), send).expect(201)
    assert registry.pull(repository, str(tar["digest"])) == large
    registry.blob(repository, str(tar["digest"]), "DELETE").refused(405, "DENIED")


@pytest.mark.parametrize("proof", [{}, {"ChecksumAlgorithm": "CRC32"}, {"ChecksumAlgorithm": "SHA1"}])
def test_an_object_without_a_stored_checksum_is_not_adopted(
    registry: Plane, repository: str, large: bytes, proof: dict[str, str]
) -> None:
    # As an edge would leave it that loses the header with the checksum on its way.
    digest, location = digest_of(large), registry.start(repository)
    place = hashlib.sha256(repository.encode()).hexdigest()[:32]
    key = f"blobs/{digest.replace(':', '/')}/{place}/{urlsplit(location).path.rsplit('/', 1)[1]}"
    registry.s3.put_object(Bucket=registry.bucket, Key=key, Body=large, **proof)
    registry.blob(repository, digest).expect(404)
    registry.put(location, digest, large).expect(201)
    assert registry.keys(digest) == [key]
    assert registry.pull(repository, digest) == large
