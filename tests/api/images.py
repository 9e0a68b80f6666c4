"""What the tests of manifests share: an image that they push, and how it is to be answered."""

from __future__ import annotations

from typing import Any

from tests.api.client import Answer, Client
from tests.api.documents import CONFIG, LAYER, dump, image, of

REPOSITORY = "acme/app"
BLOBS = (b'{"architecture":"amd64"}', b"layer one", b"layer two")


def push_blobs(client: Client, algorithm: str = "sha256") -> None:
    for data in BLOBS:
        client.push_blob(REPOSITORY, data, algorithm)


def an_image(algorithm: str = "sha256", **fields: Any) -> bytes:
    layers = [of(data, LAYER, algorithm) for data in BLOBS[1:]]
    return dump(image(of(BLOBS[0], CONFIG, algorithm), layers, **fields))


def serves(client: Client, reference: str, body: bytes, media_type: str, digest: str) -> None:
    """GET and HEAD answer these bytes as what they were pushed as."""
    for method in ("GET", "HEAD"):
        answer = client.manifest(REPOSITORY, reference, method=method).expect(200)
        assert answer.header("content-type") == media_type
        assert answer.header("docker-content-digest") == digest
        assert answer.header("content-length") == str(len(body))
        assert answer.body == (body if method == "GET" else b"")


def refused(answer: Answer, *words: str) -> None:
    answer.refused(400, "MANIFEST_INVALID")
    assert all(word in answer.message for word in words), answer.message
