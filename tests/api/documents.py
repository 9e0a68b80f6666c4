"""Manifests to push."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from roadstead.content.manifest_document import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from roadstead.digest import Digest
from tests.api.client import Client

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"

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


def of(data: bytes, /, media_type: str = LAYER, algorithm: str = "sha256", **fields: Any) -> dict[str, Any]:
    """The descriptor of `data`."""
    return {"mediaType": media_type, "digest": Digest.of(data, algorithm), "size": len(data), **fields}


def image(config: dict[str, Any], layers: Iterable[dict[str, Any]] = (), **fields: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": list(layers), **fields}


def index(manifests: Iterable[dict[str, Any]] = (), **fields: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(manifests), **fields}


def dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


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
