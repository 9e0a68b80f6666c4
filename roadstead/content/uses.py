"""Whether a manifest still needs a blob or child manifest that is to be removed."""

from __future__ import annotations

from roadstead.content.blob_index import BlobIndex, Use
from roadstead.content.manifest_index import ManifestIndex
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
) -> Use | None:
    """Return a live use, or None: its manifest exists in that generation, or its commit may still be in progress.

    Reads uses a hundred at a time, with their manifests, and stops at the first live one. Uses before it that can
    never be live again are added to `lapsed`.
    """
    after: Use | None = None
    while uses := blobs.find_uses(repository, digest, after=after):
        standing = manifests.read_contents(repository, blobs=(), manifests={use.manifest for use in uses}).manifests
        for use in uses:
            entry = standing.get(use.manifest)
            if entry is not None and entry.generation == use.generation:
                return use
            if entry is None and use.at > now_ms - fence_ms:
                return use
            if lapsed is not None and use.at <= now_ms - fence_ms:
                lapsed.append(use)
        after = uses[-1]
    return None
