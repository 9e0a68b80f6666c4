"""Adoption: making a blob of a finished object that nobody has asked for yet.

The edge had the object sent to S3 whole: its key says which digest, repository and upload it is of, and the checksum
that S3 stored with it proves the digest. Or the relay streamed it, and a marker stands under that key
(`finishing.py`). An upload that was consumed is never adopted again, so a deleted blob does not return
through its object.

Every step is bounded, because anyone who may push to a repository can leave objects there: one LIST, a read of the
uploads' states before S3 is asked for any object, and a limit on what one request takes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

from roadstead.conflicts import TooManyWriters, UploadConsumed
from roadstead.content.blob_index import MAX_INLINE_BLOB, BlobIndex, BlobLink, SpentUploads, StoredObject
from roadstead.content.objects import LISTED, ObjectInfo, Objects, whole_prefix
from roadstead.content.uploads.finishing import STREAMED, streamed_object
from roadstead.content.uploads.provenance import uploader
from roadstead.content.uploads.token import is_upload_id
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.parallel import AT_ONCE, each
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker

MAX_TRIED = 16  # objects of one digest that one request looks at; more than one is rare, and a bad one rarer
MAX_ABSENT = 32  # digests that one request looks for in vain; a push of more is refused for these already
MAX_FORGOTTEN = 200  # uploads of one digest that one deletion consumes


class Adoption:
    """Makes blobs of uploaded objects.

    Costs one LIST and one read if there is no object. If there are objects: the LIST, a read for each 100 of them, a
    HEAD of the object that is adopted (and a GET of a small one), and the recording transaction.
    """

    def __init__(self, blobs: BlobIndex, objects: Objects, events: EventMaker) -> None:
        self._blobs = blobs
        self._objects = objects
        self._events = events

    def adopt(self, repository: RepositoryName, digest: Digest, actor: Actor) -> BlobLink | None:
        """Return the link of a blob whose upload nobody has recorded, or None. The anonymous cause no LIST."""
        if actor.kind is ActorKind.ANONYMOUS:
            return None
        uploads = self._uploads(repository, digest)
        spent = self._blobs.find_spent_uploads(uploads) if uploads else frozenset()
        unspent = [upload_id for upload_id in uploads if upload_id not in spent]
        for upload_id in unspent[:MAX_TRIED]:
            link = self._adopt(repository, digest, upload_id, uploads[upload_id], actor)
            if link is not None:
                return link
        # Another request may have adopted it between the caller's look at the link and the LIST: then the upload was
        # consumed, or the object is gone because the digest had one already, and the link is there.
        return self._blobs.find_link(repository, digest)

    def _adopt(
        self, repository: RepositoryName, digest: Digest, upload_id: str, key: str, actor: Actor
    ) -> BlobLink | None:
        """None if the object is gone, does not have the digest, or was consumed meanwhile."""
        info = self._objects.find(key)
        found = self._stored(key, upload_id, digest, info) if info is not None else None
        if info is None or found is None:
            return None
        event = self._events.make(
            Operation.UPLOAD,
            uploader(info.metadata, actor),
            repository,
            digest=digest,
            size=found.size,
            detail="path=edge" if found.key == key else "path=service",
        )
        try:
            link = self._blobs.link_object(
                repository,
                digest,
                found,
                upload_id=upload_id,
                mark_expires=None,
                event=event,
            )
        except UploadConsumed:
            return None
        if link.key != found.key:
            self._objects.delete({key, found.key})
        return link

    def _stored(self, key: str, upload_id: str, digest: Digest, info: ObjectInfo) -> StoredObject | None:
        """Return the object with the blob's bytes: `key` itself, or what it marks. None if unproven or gone."""
        try:
            streamed = streamed_object(upload_id, info.metadata)
        except ValueError:
            return None
        if streamed is not None:
            # Only the relay writes markers, and it has hashed every byte.
            found = self._objects.find(streamed)
            return StoredObject(streamed, found.size) if found is not None else None
        if digest not in info.digests:
            return None
        data = self._objects.get(key) if info.size <= MAX_INLINE_BLOB else None
        return StoredObject(key, info.size, data)

    def adopt_all(
        self, repository: RepositoryName, digests: Collection[Digest], actor: Actor
    ) -> dict[Digest, BlobLink]:
        """Return the links of those among `digests` whose uploads nobody has recorded; many are looked for in parallel.

        Gives up after MAX_ABSENT digests that have no upload: the rest may have one and is not in the result.
        """
        found: dict[Digest, BlobLink] = {}
        absent = 0
        wanted = list(digests)
        for start in range(0, len(wanted), AT_ONCE):
            batch = wanted[start : start + AT_ONCE]
            links = each(lambda digest: self.adopt(repository, digest, actor), batch)
            found |= {digest: link for digest, link in zip(batch, links, strict=True) if link is not None}
            absent += links.count(None)
            if absent >= MAX_ABSENT:
                break
        return found

    def forget(self, repository: RepositoryName, digest: Digest, *, but: str) -> None:
        """Consume this blob's other uploads, so that none is adopted after the deletion; `but` is the link's object.

        Whoever pushed the same layer at the same time, or twice, left objects that nobody asked for. Costs one LIST; if
        there are others, a read for each 100 of them and a write each. Raises TooManyWriters if there are more than one
        request handles: the next one gets further.
        """
        uploads = self._uploads(repository, digest)
        others = {upload_id: key for upload_id, key in uploads.items() if key != but}
        if not others:
            return
        spent = self._blobs.find_spent_uploads(others)
        surplus = find_surplus(self._blobs, digest, [others[one] for one in spent]) if spent else ()
        unspent = [upload_id for upload_id in others if upload_id not in spent]
        taken, at = unspent[:MAX_FORGOTTEN], self._events.now_ms()
        removed = each(lambda one: self._consume(repository, digest, one, others[one], at=at), taken)
        keys = [*chain.from_iterable(removed), *surplus]
        if keys:
            self._objects.delete(keys)
        if len(taken) < len(unspent) or len(uploads) == LISTED:
            raise TooManyWriters(f"{digest} in {repository}")

    def _consume(self, repository: RepositoryName, digest: Digest, upload_id: str, key: str, *, at: int) -> list[str]:
        """Consume an upload; return the keys of its objects, none if it was adopted or consumed meanwhile."""
        if not self._blobs.consume(repository, digest, upload_id=upload_id, key=key, at=at):
            return []
        info = self._objects.find(key)
        streamed = info.metadata.get(STREAMED) if info is not None else None
        return [key] if streamed is None else [key, streamed]

    def _uploads(self, repository: RepositoryName, digest: Digest) -> dict[str, str]:
        """The keys of the digest's objects in this repository by their upload ids. One LIST."""
        prefix = whole_prefix(repository, digest)
        keys = self._objects.list(prefix)
        return {upload_id: key for key in keys if is_upload_id(upload_id := key.removeprefix(prefix))}


def find_surplus(index: SpentUploads, digest: Digest, keys: Iterable[str]) -> tuple[str, ...]:
    """Return those `keys` of spent uploads that can never serve the digest: all but the digest's object. One read.

    That the uploads are spent must have been read before: whoever adopts an object makes it the digest's in the
    transaction that consumes its upload, so this order never mistakes one that was adopted in between.
    """
    serving = index.find_object_key(digest)
    return tuple(key for key in keys if key != serving)
