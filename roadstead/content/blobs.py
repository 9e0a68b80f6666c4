"""Blobs of a repository: finding, mounting, deleting (distribution-spec 1.1.1, end-2, end-10 and end-11)."""

from __future__ import annotations

from roadstead.conflicts import Conflict, retry_conflicts
from roadstead.content.blob_index import BlobIndex, BlobLink
from roadstead.content.deletion.uses import find_live_use
from roadstead.content.manifest_index import ManifestIndex
from roadstead.content.uploads.adoption import Adoption
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker


class Blobs:
    def __init__(self, *, blobs: BlobIndex, manifests: ManifestIndex, adoption: Adoption, events: EventMaker) -> None:
        self._blobs = blobs
        self._manifests = manifests
        self._adoption = adoption
        self._events = events

    def get(self, repository: RepositoryName, digest: Digest, actor: Actor, *, promise: bool = False) -> BlobLink:
        """Return the blob's link, adopting a finished upload. One read if the blob is known. Raises BLOB_UNKNOWN.

        With `promise`, the response tells a client that it need not upload: a pending removal is cancelled, or the
        blob counts as absent.
        """
        link = self._find(repository, digest, actor, promise=promise)
        if link is None:
            raise blob_unknown(repository, digest)
        return link

    def _find(self, repository: RepositoryName, digest: Digest, actor: Actor, *, promise: bool) -> BlobLink | None:
        link = self._blobs.find_link(repository, digest)
        if link is None or (promise and not self._is_kept(repository, link)):
            link = self._adoption.adopt(repository, digest, actor)
            if link is not None and promise and not self._is_kept(repository, link):
                return None
        return link

    def _is_kept(self, repository: RepositoryName, link: BlobLink) -> bool:
        """Cancel a pending removal; return whether the link remains."""
        return link.marked is None or self._blobs.unmark_link(repository, link.digest)

    def mount(self, source: RepositoryName, target: RepositoryName, digest: Digest, actor: Actor) -> BlobLink | None:
        """Let `target` serve a blob of `source`. Returns None if `source` does not have it.

        Access was checked before. If both are the same repository this is a promise like that of `get`: the client will
        not upload.
        """
        if source == target:
            return self._find(target, digest, actor, promise=True)
        event = self._events.make(Operation.MOUNT, actor, target, digest=digest, source_repository=str(source))
        link = self._blobs.mount(source, target, digest, event=event)
        if link is None and self._adoption.adopt(source, digest, actor) is not None:
            link = self._blobs.mount(source, target, digest, event=event)
        return link

    def delete(self, repository: RepositoryName, digest: Digest, actor: Actor) -> None:
        """Remove the blob from this repository; other repositories keep theirs.

        Raises BLOB_UNKNOWN, or DENIED (405) naming a manifest that needs the blob. Marks the link before it reads the
        uses: a commit writes its uses before it reads the links for the last time, so one of the two sees the other.
        """
        retry_conflicts(lambda: self._delete(repository, digest, actor), digest)

    def _delete(self, repository: RepositoryName, digest: Digest, actor: Actor) -> None:
        """Attempt it once. Raises Conflict if another request removed the mark meanwhile."""
        mark = self._events.new_mark()
        link = self._blobs.mark_link(repository, digest, mark)
        if link is None:
            # An object that was uploaded but never asked for counts as a blob: adopt it, then delete it.
            if self._adoption.adopt(repository, digest, actor) is None:
                raise blob_unknown(repository, digest)
            raise Conflict(f"{digest} was adopted after it was found absent")
        use = find_live_use(self._blobs, self._manifests, repository, digest, now_ms=self._events.now_ms())
        if use is not None:
            self._blobs.unmark_link(repository, digest, mark)
            raise still_needed("blob", digest, use.manifest)
        self._adoption.forget(repository, digest, but=link.key)
        event = self._events.make(Operation.DELETE_BLOB, actor, repository, digest=digest, size=link.size)
        self._blobs.unlink(repository, digest, mark=mark, event=event)


def blob_unknown(repository: RepositoryName, digest: Digest) -> RegistryError:
    return RegistryError(ErrorCode.BLOB_UNKNOWN, f"{repository} has no blob {digest}", detail={"digest": str(digest)})


def still_needed(what: str, digest: Digest, manifest: Digest) -> RegistryError:
    return RegistryError(
        ErrorCode.DENIED,
        f"the {what} {digest} is needed by the manifest {manifest}: delete that first "
        "(a push of it that failed within the last hour counts too)",
        status=405,
        detail={"digest": str(digest), "manifest": str(manifest)},
        headers=[("Allow", "GET, HEAD")],
    )
