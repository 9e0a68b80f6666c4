"""Manifests: reading the four types that this registry stores, and what each of them references.

Sources: image-spec 1.1.1 (manifest.md, image-index.md, descriptor.md), Docker's "Image Manifest Version 2, Schema 2".
Reading is strict where a manifest's fields are used (types, digests, sizes) and lenient elsewhere: unknown fields are
kept, since the exact bytes are stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from roadstead.digest import Digest
from roadstead.documents import AmbiguousDocument, check_spelling, read
from roadstead.errors import ErrorCode, RegistryError

MAX_MANIFEST_BYTES = 4 * 1024 * 1024  # what distribution-spec asks registries to accept at least
MAX_REFERENCES = 2_000  # descriptors in one manifest; a push reads each twice and writes it once

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGE_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
SCHEMA_1_TYPES = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
# Every field that image-spec 1.1.1, Docker's schema 1 and 2, or OCI's former artifact manifest gives to an object: a
# reader that ignores case must not find one of them where this registry sees an unknown field.
_MANIFEST_FIELDS = frozenset(
    {
        "schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations",
        "blobs", "name", "tag", "architecture", "fsLayers", "history", "signatures",
    }
)  # fmt: skip
_DESCRIPTOR_FIELDS = frozenset(
    {"mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform"}
)
_PLATFORM_FIELDS = frozenset({"architecture", "os", "os.version", "os.features", "variant", "features"})
# Layers that may not be redistributed: their bytes stay where their URLs point.
NON_DISTRIBUTABLE = frozenset(
    {
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    }
)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A reference in a manifest; `size` in bytes."""

    media_type: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A parsed manifest: its type and what it references. `blobs` leaves out non-distributable layers."""

    media_type: str
    blobs: tuple[Descriptor, ...]
    children: tuple[Descriptor, ...]
    subject: Descriptor | None
    artifact_type: str | None
    annotations: Mapping[str, str]

    def referrer(self, digest: Digest, size: int) -> dict[str, Any]:
        """Return this manifest's descriptor in the referrers API (distribution-spec 1.1.1, "Listing Referrers")."""
        descriptor: dict[str, Any] = {"mediaType": self.media_type, "digest": digest, "size": size}
        if self.artifact_type:
            descriptor["artifactType"] = self.artifact_type
        if self.annotations:
            descriptor["annotations"] = dict(self.annotations)
        return descriptor


def _invalid(message: str) -> NoReturn:
    raise RegistryError(ErrorCode.MANIFEST_INVALID, message)


def _load(body: bytes) -> dict[str, Any]:
    try:
        document = read(body)
    except AmbiguousDocument as error:
        raise RegistryError(ErrorCode.MANIFEST_INVALID, f"the manifest has two meanings: {error}") from error
    except ValueError as error:
        raise RegistryError(
            ErrorCode.MANIFEST_INVALID, "the manifest is not a JSON document in UTF-8; push it again unchanged"
        ) from error
    if not isinstance(document, dict):
        _invalid("the manifest is not a JSON object")
    _check_spelling(document, _MANIFEST_FIELDS, "the manifest")
    return document


def _check_spelling(document: Mapping[str, Any], fields: frozenset[str], where: str) -> None:
    try:
        check_spelling(document, fields)
    except AmbiguousDocument as error:
        raise RegistryError(ErrorCode.MANIFEST_INVALID, f"{where} has two meanings: {error}") from error


def _text(document: Mapping[str, Any], field: str) -> str | None:
    value = document.get(field)
    if value is not None and not isinstance(value, str):
        _invalid(f"{field} is not a string")
    return value or None


def _descriptor(value: Any, where: str) -> Descriptor:
    if not isinstance(value, dict):
        _invalid(f"{where} is not a descriptor")
    _check_spelling(value, _DESCRIPTOR_FIELDS, where)
    if isinstance(platform := value.get("platform"), dict):
        _check_spelling(platform, _PLATFORM_FIELDS, f"{where}.platform")
    media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
    if not isinstance(media_type, str) or not media_type:
        _invalid(f"{where} has no mediaType")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
        _invalid(f"{where} has no size in bytes")
    try:
        parsed = Digest.parse(digest if isinstance(digest, str) else "")
    except ValueError as error:
        raise RegistryError(
            ErrorCode.DIGEST_INVALID, f"{where}: {error}", detail={"digest": str(digest)[:160]}
        ) from error
    return Descriptor(media_type, parsed, size)


def _descriptors(document: Mapping[str, Any], field: str) -> tuple[Descriptor, ...]:
    values = document.get(field)
    if values is None:
        return ()
    if not isinstance(values, list):
        _invalid(f"{field} is not a list of descriptors")
    if len(values) > MAX_REFERENCES:
        _invalid(f"{field} has {len(values)} descriptors; this registry takes {MAX_REFERENCES} in one manifest")
    return tuple(_descriptor(value, f"{field}[{place}]") for place, value in enumerate(values))


def _annotations(document: Mapping[str, Any]) -> Mapping[str, str]:
    values = document.get("annotations")
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        _invalid("annotations is not a map from strings to strings")
    return values


def decide_media_type(content_type: str | None, document: Mapping[str, Any]) -> str:
    """Return the manifest's type: the header and the `mediaType` field must agree, or one of them decides.

    Parameters of the header (`; charset=utf-8`) are ignored. Raises MANIFEST_INVALID.
    """
    header = (content_type or "").partition(";")[0].strip().lower() or None
    field = _text(document, "mediaType")
    if header and field and header != field:
        _invalid(f"the Content-Type {header} and the manifest's mediaType {field} differ; send the manifest's own type")
    media_type = header or field
    if media_type is None:
        _invalid("neither a Content-Type header nor a mediaType field says what this manifest is")
    if media_type in SCHEMA_1_TYPES or document.get("schemaVersion") == 1:
        _invalid(
            "Docker's schema 1 manifests are not accepted: they are deprecated and cannot be verified by digest; "
            "push with Docker 1.10 or newer, or convert the image with skopeo copy --format v2s2"
        )
    if media_type not in IMAGE_TYPES | INDEX_TYPES:
        _invalid(
            f"{media_type[:120]} is not a manifest type of this registry; it keeps {OCI_MANIFEST}, {OCI_INDEX}, "
            f"{DOCKER_MANIFEST} and {DOCKER_LIST} (an artifact is an image manifest with an artifactType)"
        )
    return media_type


def parse_manifest(body: bytes, content_type: str | None) -> Manifest:
    """Parse a manifest. Raises MANIFEST_INVALID (413 above 4 MiB) or DIGEST_INVALID."""
    if len(body) > MAX_MANIFEST_BYTES:
        raise RegistryError(
            ErrorCode.MANIFEST_INVALID,
            f"the manifest has {len(body)} bytes; this registry takes up to {MAX_MANIFEST_BYTES}: "
            "move annotations or data into a blob",
            status=413,
        )
    document = _load(body)
    media_type = decide_media_type(content_type, document)
    version = document.get("schemaVersion")
    if version != 2 or not isinstance(version, int):  # Go's clients cannot read 2.0
        _invalid("schemaVersion is not 2")
    # A document that is an image to one reader and an index to another gives one digest two contents (CVE-2021-41190).
    is_index = media_type in INDEX_TYPES
    for field in ("config", "layers", "fsLayers") if is_index else ("manifests", "fsLayers"):
        if field in document:
            _invalid(f"a {media_type} may not have the field {field}: the document would have two meanings")
    annotations = _annotations(document)
    artifact_type = _text(document, "artifactType")
    subject = _descriptor(document["subject"], "subject") if document.get("subject") is not None else None
    if is_index:
        if not isinstance(document.get("manifests"), list):
            _invalid("an index needs the list manifests")
        children = _descriptors(document, "manifests")
        return Manifest(media_type, (), children, subject, artifact_type, annotations)
    if document.get("config") is None:
        _invalid("an image manifest needs a config")
    config = _descriptor(document["config"], "config")
    layers = _descriptors(document, "layers")
    blobs = (config, *(layer for layer in layers if layer.media_type not in NON_DISTRIBUTABLE))
    return Manifest(media_type, blobs, (), subject, artifact_type or config.media_type, annotations)


def named_blobs(data: bytes) -> tuple[int, int]:
    """Return how many blobs a manifest names (its config and layers), and their bytes; an index names none.

    The bytes are those of a manifest that was checked when it was pushed. Another document names none either.
    """
    try:
        document = json.loads(data)
        listed = [document["config"], *(document.get("layers") or ())] if "config" in document else document["blobs"]
        return len(listed), sum(int(one["size"]) for one in listed)
    except (ValueError, TypeError, KeyError, AttributeError):
        return 0, 0
