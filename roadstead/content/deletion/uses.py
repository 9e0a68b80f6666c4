"""Whether a manifest still needs a blob or child manifest that is to be removed."""

from __future__ import annotations

from collections.abc import Mapping

from roadstead.content.blob_index import BlobIndex, Use
from roadstead.content.manifest_index import ManifestEntry, ManifestIndex
from roadstead.digest import Digest
from roadstead.names import RepositoryName

# No commit takes longer than this from writing its uses to its transaction: a Lambda invocation lasts at most 15
# minutes, and the relay commits no manifests.
COMMIT_FENCE_MS = 3_600_000


def find_live_use(
    blobs: BlobIndex,
    manifests: ManifestIndex,
    repository: RepositoryName,
    digest: Digest,
    *,
    now_ms: int,
    fence_ms: int = COMMIT_FENCE_MS,
    lapsed: list[Use] | None = None,
    for_collector: bool = False,
) -> Use | None:
    """Return a live use, or None: its manifest exists in that generation, or its commit may still be in progress.

    For the collector a manifest in the trash counts until it expires; for a client that deletes something it does not.

    Reads uses a hundred at a time, with their manifests, and stops at the first live one. Uses before it that can
    never be live again are added to `lapsed`.
    """
    after: Use | None = None
    while uses := blobs.find_uses(repository, digest, after=after):
        standing = manifests.read_contents(repository, blobs=(), manifests={use.manifest for use in uses}).manifests
        fallen = {(use.manifest, use.generation) for use in uses if not _stands(use, standing)}
        trash = manifests.find_trashed(repository, fallen) if fallen else {}
        for use in uses:
            if _stands(use, standing):
                return use
            trashed = trash.get((use.manifest, use.generation))
            if trashed is not None:
                if for_collector and trashed.expires > now_ms:
                    return use
                continue
            if use.manifest not in standing and use.at > now_ms - fence_ms:
                return use
            if lapsed is not None and use.at <= now_ms - fence_ms:
                lapsed.append(use)
        after = uses[-1]
    return None


def _stands(use: Use, standing: Mapping[Digest, ManifestEntry]) -> bool:
    entry = standing.get(use.manifest)
    return entry is not None and entry.generation == use.generation
