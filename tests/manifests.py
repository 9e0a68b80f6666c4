"""Manifests for tests: descriptors, images and indexes as documents, and their bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST
from roadstead.digest import Digest

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"


def of(data: bytes, /, media_type: str = LAYER, algorithm: str = "sha256", **fields: Any) -> dict[str, Any]:
    """The descriptor of `data`."""
    return {"mediaType": media_type, "digest": Digest.of(data, algorithm), "size": len(data), **fields}


def image(config: dict[str, Any], layers: Iterable[dict[str, Any]] = (), **fields: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": list(layers), **fields}


def index(manifests: Iterable[dict[str, Any]] = (), **fields: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(manifests), **fields}


def dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def image_of(*layers: bytes, config: bytes = b"{}", **fields: Any) -> bytes:
    """The bytes of an image manifest of these blobs."""
    return dump(image(of(config, CONFIG), [of(layer) for layer in layers], **fields))


def index_of(*children: bytes, **fields: Any) -> bytes:
    """The bytes of an index of these image manifests."""
    return dump(index([of(child, OCI_MANIFEST) for child in children], **fields))
