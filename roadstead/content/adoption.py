"""Adoption: making a blob of a finished object that nobody has asked for yet.

The edge had the object sent to S3 whole: its key says which digest, repository and upload it is of, and the checksum
that S3 stored with it proves the digest. Or the relay streamed it, and a marker stands under that key
(`roadstead.content.finishing`). An upload that was consumed is never adopted again, so a deleted blob does not return
through its object.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from roadstead.conflicts import UploadConsumed
from roadstead.content.blob_index import MAX_INLINE_BLOB, BlobIndex, BlobLink, StoredObject
from roadstead.content.finishing import STREAMED, streamed_object
from roadstead.content.objects import ObjectInfo, Objects, whole_prefix
from roadstead.content.provenance import uploader
from roadstead.content.upload_token import is_upload_id
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker

_ONE_BY_ONE = 4  # so few are not worth threads
_AT_ONCE = 8  # within the ten connections that an S3 or DynamoDB client keeps


class Adoption:
    """One LIST and one more read where nothing is to be found; a HEAD and the recording transaction for what is."""

    def __init__(self, blobs: BlobIndex, objects: Objects, events: EventMaker) -> None:
        self._blobs = blobs
        self._objects = objects
        self._events = events

    def adopt(self, repository: RepositoryName, digest: Digest, actor: Actor) -> BlobLink | None:
        """The link of a blob whose upload nobody has recorded, or None. Never for the anonymous: it costs a LIST."""
        if actor.kind is ActorKind.ANONYMOUS:
            return None
        prefix = whole_prefix(repository, digest)
        for key in self._objects.list(prefix):
            upload_id = key.removeprefix(prefix)
            info = self._objects.find(key) if is_upload_id(upload_id) else None
            found = self._stored(key, upload_id, digest, info) if info is not None else None
            if info is None or found is None:
                continue
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
                continue
            if link.key != found.key:
                self._objects.delete({key, found.key})
            return link
        # Another request may have adopted it between the caller's look at the link and the LIST: then the object was
        # consumed, or is gone because the digest had one already, and the link stands.
        return self._blobs.find_link(repository, digest)

    def _stored(self, key: str, upload_id: str, digest: Digest, info: ObjectInfo) -> StoredObject | None:
        """The object with the blob's bytes: `key` itself, or what it marks. None if it is not proven, or gone."""
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
        """The links of those among `digests` whose uploads nobody has recorded; many are looked for side by side."""
        if len(digests) <= _ONE_BY_ONE:
            found = [(digest, self.adopt(repository, digest, actor)) for digest in digests]
        else:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                found = list(pool.map(lambda digest: (digest, self.adopt(repository, digest, actor)), digests))
        return {digest: link for digest, link in found if link is not None}

    def forget(self, repository: RepositoryName, digest: Digest, *, but: str) -> None:
        """Use up every upload of a blob that is about to be deleted, but for the object that its link has.

        Whoever pushed the same layer at the same time, or twice, left objects that nobody asked for: one of them would
        be adopted right after the deletion, and the blob be back. One LIST.
        """
        prefix = whole_prefix(repository, digest)
        for key in self._objects.list(prefix):
            upload_id, at = key.removeprefix(prefix), self._events.now_ms()
            if key != but and self._blobs.consume(repository, digest, upload_id=upload_id, key=key, at=at):
                info = self._objects.find(key)
                streamed = info.metadata.get(STREAMED) if info is not None else None
                self._objects.delete([key] if streamed is None else [key, streamed])
