"""Images of chosen sizes, whose digests can all be changed cheaply: a second push of the same digest costs nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
TAG = "image"
MIB = 1024 * 1024
_NAME_AT = 10  # offset of the file name in a gzip file (RFC 1952 section 2.3); no checksum covers it


@dataclass(frozen=True, slots=True)
class Blob:
    path: Path
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """An OCI image layout at `layout` with one image, named TAG. `blobs` are the layers, then the config."""

    layout: Path
    manifest: bytes
    blobs: tuple[Blob, ...]

    @property
    def size(self) -> int:
        """Bytes of all blobs."""
        return sum(blob.size for blob in self.blobs)


class Content:
    """Layers of random bytes, gzipped without compression, so that no client compresses them again."""

    def __init__(self, layout: Path, sizes: Sequence[int]) -> None:
        """Write a layer for each of `sizes`, the bytes of the one file in it."""
        self._layout = layout
        self._directory = layout / "blobs" / "sha256"
        self._directory.mkdir(parents=True)
        self._layers: list[Path] = []
        self._diff_ids: list[str] = []
        for number, size in enumerate(sizes):
            path = self._directory / f"new-{number}"
            self._diff_ids.append(_write_layer(path, size))
            self._layers.append(path)

    def renew(self) -> Image:
        """Return an image of the same layers with new digests; the last image's files are deleted."""
        for blob in set(self._directory.iterdir()) - set(self._layers):
            blob.unlink()
        layers = []
        for place, path in enumerate(self._layers):
            layer = _renamed(path)
            self._layers[place] = layer.path
            layers.append(layer)
        config = {
            "created": "2026-01-01T00:00:00Z",
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"nonce": secrets.token_hex(8)}},
            "rootfs": {"type": "layers", "diff_ids": self._diff_ids},
        }
        kept = self._add(_json(config))
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": _descriptor(OCI_CONFIG, kept),
                "layers": [_descriptor(OCI_LAYER, layer) for layer in layers],
            }
        )
        named = {
            **_descriptor(OCI_MANIFEST, self._add(manifest)),
            "annotations": {"org.opencontainers.image.ref.name": TAG},
        }
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [named]}
        (self._layout / "index.json").write_bytes(_json(index))
        (self._layout / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}')
        return Image(self._layout, manifest, (*layers, kept))

    def _add(self, data: bytes) -> Blob:
        digest = hashlib.sha256(data).hexdigest()
        path = self._directory / digest
        path.write_bytes(data)
        return Blob(path, f"sha256:{digest}", len(data))


class _Random:
    """A readable of `size` random bytes, for one reading."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        taken = self._left if size < 0 else min(size, self._left)
        self._left -= taken
        return os.urandom(taken)


class _Hashing:
    """Passes what is written on to a gzip file, and hashes it."""

    def __init__(self, target: gzip.GzipFile) -> None:
        self._target = target
        self.hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return self._target.write(data)


def _write_layer(path: Path, size: int) -> str:
    """Write a layer; return its diff id, the digest of the tar file inside."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(secrets.token_hex(16), "wb", compresslevel=0, fileobj=file, mtime=0) as target,
    ):
        hashing = _Hashing(target)
        with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.USTAR_FORMAT, bufsize=MIB) as archive:  # type: ignore[call-overload]
            entry = tarfile.TarInfo("data")
            entry.size = size
            archive.addfile(entry, _Random(size))
    return f"sha256:{hashing.hash.hexdigest()}"


def _renamed(path: Path) -> Blob:
    """Change the name inside a gzip file, hence its digest; rename the file to that."""
    with path.open("r+b") as file:
        file.seek(_NAME_AT)
        file.write(secrets.token_hex(16).encode())
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    renamed = path.rename(path.with_name(digest))
    return Blob(renamed, f"sha256:{digest}", renamed.stat().st_size)


def _descriptor(media_type: str, blob: Blob) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size}


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
