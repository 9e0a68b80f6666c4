"""What is extracted once from configurations and charts, so that no page reads a blob.

What people push is untrusted: sizes, numbers of entries and ratios are bounded, and what does not parse has no facts.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Mapping
from typing import Any, Final

from roadstead.catalog.models import RAW, README, TAR_GZIP
from roadstead.content.manifest_document import Descriptor, Manifest
from roadstead.content.objects import derived_prefix
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.printable import encodable

MAX_READ = 4 * 1024 * 1024  # bytes of a blob that is read
MAX_TEXT = 1024 * 1024  # bytes of an extracted text
MAX_UNPACKED = 32 * 1024 * 1024  # bytes of an archive, unpacked
MAX_ENTRIES = 2_000  # of an archive
MAX_FACT = 160  # characters
CONFIG, VALUES, SBOM = "config.json", "values.yaml", "sbom"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
HARBOR_SBOM = "application/vnd.goharbor.harbor.sbom.v1"
_SBOMS = (
    HARBOR_SBOM,
    "application/vnd.cyclonedx",
    "application/vnd.syft",
    "application/spdx",
    "spdx+json",
    "text/spdx",
)
_IMAGE_CONFIGS = frozenset(
    {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
)
_IMAGE_FACTS: Final = ("os", "architecture", "variant", "os.version", "created", "author")
_CHART_FACTS: Final = ("name", "version", "appVersion", "description", "type")
_CHART_FILES: Final = {"README.md": README, "values.yaml": VALUES}
# What tarfile and zlib raise for archives that are broken, or made to break a reader: a header may claim a size that no
# integer of the machine holds, and each of a chain of extended headers is read by a call within the last one's.
_UNREADABLE = (tarfile.TarError, zlib.error, ValueError, OSError, EOFError, OverflowError, RecursionError)


def derived_key(repository: RepositoryName, digest: Digest, generation: str, name: str) -> str:
    """The object of an extracted text. A later commit of the same digest has a key of its own."""
    return derived_prefix(repository, digest, generation) + name


def config_of(manifest: Manifest) -> Descriptor | None:
    """The configuration to read facts from, or None: an index's, another artifact's, or one that is too large."""
    config = manifest.blobs[0] if manifest.blobs and not manifest.children else None
    known = config is not None and (config.media_type in _IMAGE_CONFIGS or config.media_type == HELM_CONFIG)
    return config if known and config is not None and config.size <= MAX_READ else None


def chart_of(manifest: Manifest) -> Descriptor | None:
    """The Helm chart's archive, or None."""
    charts = [blob for blob in manifest.blobs[1:] if blob.media_type == HELM_CHART and blob.size <= MAX_READ]
    return charts[0] if charts else None


def sbom_of(manifest: Manifest) -> Descriptor | None:
    """The document of an SBOM, or None. The one layer, or the manifest, has a media type of SBOMs."""
    layers = manifest.blobs[1:]
    if len(layers) != 1 or layers[0].size > MAX_READ:
        return None
    types = (manifest.artifact_type or "", manifest.blobs[0].media_type, layers[0].media_type)
    return layers[0] if any(one.startswith(_SBOMS) for one in types) else None


def text_of_document(media_type: str, data: bytes) -> bytes | None:
    """Return the file in a layer of a model's documentation; None where it is no such archive, or too large."""
    try:
        if media_type == RAW:
            return data if len(data) <= MAX_TEXT else None
        archive = _unpacked(data) if media_type == TAR_GZIP else data
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as files:
            for number, entry in enumerate(files):
                if number == MAX_ENTRIES:
                    break
                if entry.isfile() and entry.size <= MAX_TEXT and (file := files.extractfile(entry)) is not None:
                    return file.read()
    except _UNREADABLE:
        return None
    return None


def facts_of(media_type: str, config: bytes) -> dict[str, str]:
    """Return the facts of a configuration; none of what is not a JSON object."""
    try:
        document: Any = json.loads(config)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict):
        return {}
    names = _CHART_FACTS if media_type == HELM_CONFIG else _IMAGE_FACTS
    values = {name: document.get(name) for name in names}
    return {name: encodable(value[:MAX_FACT]) for name, value in values.items() if isinstance(value, str) and value}


def texts_of_chart(archive: bytes) -> Mapping[str, bytes]:
    """Return README and values of a chart, by the names of their additions; none of what is not such an archive."""
    found: dict[str, bytes] = {}
    try:
        unpacked = _unpacked(archive)
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as chart:
            for number, entry in enumerate(chart):
                if number == MAX_ENTRIES:
                    break
                parts = entry.name.removeprefix("./").split("/")
                name = _CHART_FILES.get(parts[1]) if len(parts) == 2 and entry.isfile() else None
                if name is not None and entry.size <= MAX_TEXT and (file := chart.extractfile(entry)) is not None:
                    found[name] = file.read()
    except _UNREADABLE:
        return {}
    return found


def _unpacked(archive: bytes) -> bytes:
    """Raises ValueError for more than MAX_UNPACKED bytes."""
    gunzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    data = gunzip.decompress(archive, MAX_UNPACKED + 1)
    if len(data) > MAX_UNPACKED:
        raise ValueError("the archive unpacks to too much")
    return data
