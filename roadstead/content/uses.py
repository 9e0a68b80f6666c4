"""Whether something that is to be removed is still needed by a manifest."""

from __future__ import annotations

from roadstead.content.blob_index import BlobIndex, Use
from roadstead.content.manifest_index import ManifestIndex
from roadstead.digest import Digest
from roadstead.names import RepositoryName

# No commit lives longer than this between noting its uses and its transaction: a Lambda invocation lasts 15 minutes
# at most, and the relay commits no manifests.
COMMIT_FENCE_MS = 3_600_000


def find_live_use(
    blobs: BlobIndex, manifests: ManifestIndex, repository: RepositoryName, digest: Digest, *, now_ms: int
) -> Use | None:
    """A use that counts: its manifest stands in that generation, or a commit that noted it may still be under way.

    Reads uses a hundred at a time and stops at the first that counts.
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
