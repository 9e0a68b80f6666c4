"""Manifests to push, and pushing them through the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from roadstead.content.manifest_document import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from roadstead.digest import Digest
from tests.api.client import Client
from tests.manifests import CONFIG, EMPTY, LAYER, dump, image, index, of

__all__ = [
    "CONFIG",
    "DOCKER_LIST",
    "DOCKER_MANIFEST",
    "EMPTY",
    "LAYER",
    "OCI_INDEX",
    "OCI_MANIFEST",
    "dump",
    "image",
    "index",
    "of",
    "push_image",
]


def push_image(
    client: Client,
    repository: str,
    reference: str = "latest",
    *,
    layers: Iterable[bytes] = (b"layer",),
    config: bytes = b'{"architecture":"amd64"}',
    algorithm: str = "sha256",
    **fields: Any,
) -> bytes:
    """Pushes an image with its blobs; answers the manifest's bytes. `reference` "" pushes by digest."""
    layers = list(layers)
    for data in (config, *layers):
        client.push_blob(repository, data, algorithm)
    document = image(of(config, CONFIG, algorithm), [of(data, LAYER, algorithm) for data in layers], **fields)
    body = dump(document)
    client.put_manifest(repository, reference or Digest.of(body, algorithm), body, OCI_MANIFEST).expect(201)
    return body
