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
    blobs: BlobIndex, manifests: ManifestIndex, repository: RepositoryName, digest: Digest, *, now_ms: int
) -> Use | None:
    """Return a live use, or None: its manifest exists in that generation, or its commit may still be in progress.

    Reads uses a hundred at a time, with their manifests, and stops at the first live one.
    """
    after: Use | None = None
    while uses := blobs.find_uses(repository, digest, after=after):
        standing = manifests.read_contents(repository, blobs=(), manifests={use.manifest for use in uses}).manifests
        for use in uses:
            entry = standing.get(use.manifest)
            if entry is not None and entry.generation == use.generation:
                return use
            if entry is None and use.at > now_ms - COMMIT_FENCE_MS:
                return use
        after = uses[-1]
    return None
