"""What belongs to a manifest: its accessories (signatures, attestations, SBOMs)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from roadstead.content.manifest_index import ManifestIndex
from roadstead.digest import Digest
from roadstead.names import RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class Accessory:
    """A manifest that belongs to another one, as its referrer or by a tag of cosign's.

    `type` is its artifact type, `size` that of its manifest in bytes, `at` when it was pushed, in ms.
    """

    digest: str
    type: str
    size: int
    at: int


# What cosign's tags mean where the manifest does not say it: its own names of the types.
_TAG_TYPES = (
    (".sig", "application/vnd.dev.cosign.artifact.sig.v1+json"),
    (".att", "application/vnd.dev.cosign.artifact.att.v1+json"),
    (".sbom", "application/vnd.dev.cosign.artifact.sbom.v1+json"),
)


def cosign_tags(digest: Digest) -> list[tuple[Tag, str]]:
    """Return cosign's tags for a manifest with what each means; none for a digest that is not SHA-256."""
    if digest.algorithm != "sha256":
        return []
    return [(Tag(f"sha256-{digest.hex}{suffix}"), type_) for suffix, type_ in _TAG_TYPES]


def find_accessories(
    manifests: ManifestIndex, repository: RepositoryName, digest: Digest, *, limit: int
) -> list[Accessory]:
    """Return the first `limit` manifests that belong to one: its referrers by digest, then those of cosign's tags.

    Costs one Query, a read for each of cosign's three tags, and one batch read for each 100 that are found.
    """
    types: dict[Digest, str] = {}
    for referrer in islice(manifests.list_referrers(repository, digest, after=""), limit):
        types[referrer.digest] = str((referrer.descriptor or {}).get("artifactType", ""))
    for name, type_ in cosign_tags(digest):
        tag = manifests.find_tag(repository, name)
        if tag is not None:
            types.setdefault(tag.digest, type_)
    wanted = list(types)[:limit]
    found = manifests.read_contents(repository, blobs=(), manifests=wanted).manifests if wanted else {}
    return [Accessory(one, types[one], found[one].size, found[one].at) for one in wanted if one in found]
