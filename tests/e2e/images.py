"""Images created without network: OCI image layouts of chosen sizes with random but repeatable content."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.api import OCI_INDEX, OCI_MANIFEST, digest_of
from tests.e2e.exact_layers import MINIMUM, write_exact_layer

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
KIB, MIB = 1024, 1024 * 1024
TAG = "image"  # the name of a layout's only image

Descriptor = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Image:
    """A layout with one image or index, named `TAG`."""

    layout: Path
    descriptor: Descriptor

    @property
    def digest(self) -> str:
        return str(self.descriptor["digest"])

    def blob(self, digest: str) -> bytes:
        return (self.layout / "blobs" / digest.replace(":", "/")).read_bytes()

    def manifest(self) -> dict[str, Any]:
        return dict(json.loads(self.blob(self.digest)))

    def archive(self, path: Path, name: str) -> Path:
        """Write the layout as a tar file whose image has the name `name` (host/repository:tag), for containerd."""
        named = {
            **self.descriptor,
            "annotations": {"io.containerd.image.name": name, _REF_NAME: name.rpartition(":")[2]},
        }
        with tarfile.open(path, "w") as archive:
            _add(archive, "oci-layout", _LAYOUT_FILE)
            _add(archive, "index.json", _index_file([named]))
            for blob in sorted((self.layout / "blobs").rglob("*")):
                if blob.is_file():
                    archive.add(blob, str(blob.relative_to(self.layout)))
        return path


def image(layout: Path, sizes: Sequence[int], *, seed: str = "", architecture: str = "amd64") -> Image:
    """Create an image with a layer for each of `sizes`, the bytes of the one file in it."""
    return _saved(layout, _image(layout, sizes, seed or layout.name, architecture))


def exact_image(layout: Path, sizes: Sequence[int]) -> Image:
    """Create an image whose layers have exactly these sizes when they are sent; below 4 KiB, about. They may be large.

    A client that packs layers again (`keeps_manifest` is false) sends other, similar sizes.
    """
    made = []
    for number, size in enumerate(sizes):
        make = _add_exact_layer if size >= MINIMUM else _add_layer
        made.append(make(layout, size, f"{layout.name} {number} {size}"))
    return _saved(layout, _assembled(layout, made, layout.name, "amd64"))


def index(layout: Path, architectures: Iterable[str], sizes: Sequence[int]) -> Image:
    """Create an index with an image for each architecture."""
    children = [
        {
            **_image(layout, sizes, f"{layout.name} {architecture}", architecture),
            "platform": {"os": "linux", "architecture": architecture},
        }
        for architecture in architectures
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}
    return _saved(layout, add_blob(layout, OCI_INDEX, _json(document)))


def add_blob(layout: Path, media_type: str, data: bytes) -> Descriptor:
    """Add a blob to the layout; return its descriptor."""
    digest = digest_of(data)
    path = layout / "blobs" / digest.replace(":", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def layer(size: int, seed: str) -> bytes:
    """Return a gzipped tar with one file of `size` random bytes that depend on `seed` only."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        name = hashlib.sha256(seed.encode()).hexdigest()[:16]
        _add(archive, f"data/{name}", random.Random(seed).randbytes(size))
    return buffer.getvalue()


_REF_NAME = "org.opencontainers.image.ref.name"
_LAYOUT_FILE = b'{"imageLayoutVersion":"1.0.0"}'


def _image(layout: Path, sizes: Sequence[int], seed: str, architecture: str) -> Descriptor:
    made = [_add_layer(layout, size, f"{seed} {number} {size}") for number, size in enumerate(sizes)]
    return _assembled(layout, made, seed, architecture)


def _add_layer(layout: Path, size: int, seed: str) -> tuple[Descriptor, str]:
    """Add a layer with one file of `size` bytes; return its descriptor and DiffID."""
    tar = layer(size, seed)
    return add_blob(layout, LAYER, gzip.compress(tar, 1, mtime=0)), digest_of(tar)


def _add_exact_layer(layout: Path, size: int, seed: str) -> tuple[Descriptor, str]:
    """Add a layer of exactly `size` bytes as sent; return its descriptor and DiffID."""
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    written = blobs / "being-written"
    digest, diff_id = write_exact_layer(written, size, seed)
    written.rename(blobs / digest.removeprefix("sha256:"))
    return {"mediaType": LAYER, "digest": digest, "size": size}, diff_id


def _assembled(layout: Path, layers: Sequence[tuple[Descriptor, str]], seed: str, architecture: str) -> Descriptor:
    """Add the manifest of layers that are in the layout, each with its DiffID; return its descriptor."""
    config = {
        "created": "2026-01-01T00:00:00Z",
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/data"], "Labels": {"seed": seed}},
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": f"layer {n}"} for n in range(len(layers))],
    }
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": add_blob(layout, CONFIG, _json(config)),
        "layers": [descriptor for descriptor, _ in layers],
    }
    return add_blob(layout, OCI_MANIFEST, _json(document))


def _saved(layout: Path, descriptor: Descriptor) -> Image:
    (layout / "oci-layout").write_bytes(_LAYOUT_FILE)
    (layout / "index.json").write_bytes(_index_file([{**descriptor, "annotations": {_REF_NAME: TAG}}]))
    return Image(layout, descriptor)


def _index_file(descriptors: list[Descriptor]) -> bytes:
    return _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors})


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))
