"""The summary of a manifest: what a page shows of it without reading the manifest, its configuration or its referrers.

A summary is a function of what is stored under its digest, and of who refers to it. It takes at most MAX_SUMMARY bytes
of JSON: long texts are cut, and of many children the first are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from roadstead.content.manifest_document import Manifest
from roadstead.content.manifest_index import ManifestEntry
from roadstead.content.relatives import Accessory
from roadstead.digest import Digest
from roadstead.printable import encodable

MAX_SUMMARY = 2_000  # bytes: with its key an item stays below two write units
MAX_CHILDREN = 12  # children in a summary
MAX_ACCESSORIES = 4  # accessories in a summary
MAX_TEXT = 160  # characters of an annotation or a fact
_ANNOTATIONS = ("title", "version", "description", "created", "source", "revision", "licenses", "url")
_OCI = "org.opencontainers.image."
_SIGNATURES = (
    "application/vnd.dev.cosign.artifact.sig",
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.cncf.notary.signature",
)
SBOMS = (
    "application/vnd.goharbor.harbor.sbom",
    "application/vnd.dev.cosign.artifact.sbom",
    "application/vnd.cyclonedx",
    "application/vnd.syft",
    "application/spdx",
    "text/spdx",
)


@dataclass(frozen=True, slots=True)
class Child:
    """A manifest that an index lists; `platform` as `linux/arm64/v8`, empty where the index does not say."""

    digest: str
    platform: str
    size: int


@dataclass(frozen=True, slots=True)
class Summary:
    """`size` is that of everything that a pull of it may transfer, each blob once, in bytes; `at` its push, in ms.

    `key` is the manifest's object, `generation` that of its commit. `children` are the first MAX_CHILDREN of
    `child_count`, `accessories` the first MAX_ACCESSORIES of `accessory_count`. `config_type` is the configuration's
    media type where that is not the artifact type. `additions` are the names of the texts that were extracted to
    `derived/`.
    """

    digest: Digest
    generation: str
    key: str
    media_type: str
    manifest_size: int
    size: int
    artifact_type: str = ""
    config_type: str = ""
    at: int = 0
    subject: str = ""
    layers: int = 0
    platforms: tuple[str, ...] = ()
    children: tuple[Child, ...] = ()
    child_count: int = 0
    accessories: tuple[Accessory, ...] = ()
    accessory_count: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    additions: tuple[str, ...] = ()
    signed: bool = False
    has_sbom: bool = False

    def to_json(self) -> str:
        fields = {name: value for name, value in asdict(self).items() if value not in ("", (), {}, 0, False)}
        fields["children"] = [[child.digest, child.platform, child.size] for child in self.children]
        if self.accessories:
            fields["accessories"] = [[one.digest, one.type, one.size, one.at] for one in self.accessories]
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Summary:
        """Read what `to_json` wrote. Raises ValueError."""
        try:
            fields: dict[str, Any] = json.loads(text)
            fields["digest"] = Digest(fields["digest"])
            fields["children"] = tuple(Child(*child) for child in fields["children"])
            fields["accessories"] = tuple(Accessory(*one) for one in fields.get("accessories", ()))
            for name in ("platforms", "additions"):
                fields[name] = tuple(fields.get(name, ()))
            return cls(**{"manifest_size": 0, "size": 0, **fields})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a summary: {error!r}") from error


def summarize(
    entry: ManifestEntry,
    manifest: Manifest,
    body: bytes,
    *,
    child_sizes: Mapping[Digest, int],
    facts: Mapping[str, str],
    additions: Iterable[str],
    accessories: Sequence[Accessory],
) -> Summary:
    """Return the summary of a manifest. `child_sizes` are the total sizes of the children that are there.

    `accessories` are those that the manifest has. What people push is untrusted: every text is cut, and what has not
    the type that the specification gives it is left out.
    """
    listed = _children(body, child_sizes) if manifest.children else []
    types = [one.type for one in accessories]
    artifact_type = _cut(manifest.artifact_type or "")
    config_type = _cut(manifest.blobs[0].media_type) if manifest.blobs else ""
    sizes = {blob.digest: blob.size for blob in manifest.blobs}
    own = f"{facts['os']}/{facts['architecture']}" if facts.get("os") and facts.get("architecture") else ""
    platforms = [child.platform for child in listed if child.platform] or ([own] if own else [])
    summary = Summary(
        digest=entry.digest,
        generation=entry.generation,
        key=entry.key,
        media_type=entry.media_type,
        manifest_size=entry.size,
        size=entry.size + sum(sizes.values()) + sum(child.size for child in listed),
        artifact_type=artifact_type,
        config_type=config_type if config_type != artifact_type else "",
        at=entry.at,
        subject=manifest.subject.digest if manifest.subject else "",
        layers=max(0, len(manifest.blobs) - 1),
        platforms=tuple(dict.fromkeys(platforms))[:MAX_CHILDREN],
        children=tuple(listed[:MAX_CHILDREN]),
        child_count=len(listed),
        accessories=tuple(replace(one, type=_cut(one.type)) for one in accessories[:MAX_ACCESSORIES]),
        accessory_count=len(accessories),
        annotations={name: _cut(text) for name in _ANNOTATIONS if (text := manifest.annotations.get(f"{_OCI}{name}"))},
        facts=facts,
        additions=tuple(additions),
        signed=any(type_.startswith(_SIGNATURES) for type_ in types),
        has_sbom=any(type_.startswith(SBOMS) for type_ in types),
    )
    return _bounded(summary)


def _children(body: bytes, sizes: Mapping[Digest, int]) -> list[Child]:
    children = []
    for descriptor in json.loads(body)["manifests"]:
        digest = Digest(descriptor["digest"])
        children.append(Child(digest, _platform(descriptor.get("platform")), sizes.get(digest, descriptor["size"])))
    return children


def _platform(value: Any) -> str:
    """`os/architecture/variant`. BuildKit's attestations have the platform unknown/unknown, which is none."""
    if not isinstance(value, dict):
        return ""
    parts = [value.get(name) for name in ("os", "architecture", "variant")]
    texts = [_cut(part, 32) for part in parts if isinstance(part, str) and part]
    return "" if texts[:2] == ["unknown", "unknown"] else "/".join(texts)


def _cut(text: str, most: int = MAX_TEXT) -> str:
    return encodable(text if len(text) <= most else f"{text[: most - 1]}…")


def _bounded(summary: Summary) -> Summary:
    """Leave out annotations, facts, children, accessories and platforms, the last first, until the summary fits."""
    while len(summary.to_json().encode()) > MAX_SUMMARY:
        if summary.annotations:
            summary = replace(summary, annotations=dict(list(summary.annotations.items())[:-1]))
        elif summary.facts:
            summary = replace(summary, facts=dict(list(summary.facts.items())[:-1]))
        elif summary.children:
            summary = replace(summary, children=summary.children[:-1])
        elif summary.accessories:
            summary = replace(summary, accessories=summary.accessories[:-1])
        elif summary.platforms:
            summary = replace(summary, platforms=summary.platforms[:-1])
        else:
            break
    return summary
