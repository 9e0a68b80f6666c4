"""The collector's stores in memory, on `MemoryIndex`, for tests."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from roadstead.content.uploads.sessions import UploadSession, UploadState
from roadstead.digest import Digest
from roadstead.lifecycle.collector.backlog import Candidate, Kind, MarkedLink
from roadstead.lifecycle.collector.stored import BlobRecord, UploadMark
from roadstead.names import RepositoryName
from roadstead.trail.entries import Event
from tests.memory.index import MemoryIndex

_PAGE = 100


class MemoryBacklog:
    def __init__(self) -> None:
        self._candidates: dict[tuple[str, str], Candidate] = {}
        self._marked: dict[tuple[str, str], MarkedLink] = {}
        self.events: list[Event] = []

    def candidates(self, before: int) -> Iterator[Sequence[Candidate]]:
        due = sorted((one for one in self._candidates.values() if one.at < before), key=lambda one: one.at)
        yield from (due[start : start + _PAGE] for start in range(0, len(due), _PAGE))

    def marked(self, before: int) -> Iterator[Sequence[MarkedLink]]:
        due = [one for one in self._marked.values() if one.at < before]
        yield from (due[start : start + _PAGE] for start in range(0, len(due), _PAGE))

    def keep(self, links: Sequence[MarkedLink]) -> None:
        for link in links:
            place = ("marked", secrets.token_hex(8))
            self._marked[place] = replace(link, place=place)

    def renew(self, kind: Kind, fields: Mapping[str, str], at: int) -> None:
        place = ("candidate", secrets.token_hex(8))
        self._candidates[place] = Candidate(kind, at, dict(fields), place)

    def done(self, looked_at: Sequence[Candidate | MarkedLink]) -> None:
        for one in looked_at:
            self._candidates.pop(one.place, None)
            self._marked.pop(one.place, None)

    def checkpoint(self) -> None:
        """Nothing: every read is of what there is."""

    def tell(self, event: Event) -> None:
        self.events.append(event)


class MemoryBlobRecords:
    def __init__(self, index: MemoryIndex) -> None:
        self._index = index

    def find(self, digests: Collection[Digest]) -> Mapping[Digest, BlobRecord]:
        with self._index.lock:
            return {digest: self._record(digest) for digest in digests if digest in self._index.objects}

    def is_linked(self, digest: Digest) -> bool:
        return self._index.is_linked(digest)

    def condemn(self, records: Sequence[BlobRecord]) -> Sequence[BlobRecord]:
        with self._index.lock:
            free = [one for one in records if self._index.versions.get(one.digest) == one.version]
            for one in free:
                self._index.versions[one.digest] = secrets.token_hex(8)
                self._index.condemned.add(one.digest)
            return free

    def forget(self, records: Sequence[BlobRecord]) -> None:
        with self._index.lock:
            for one in records:
                if one.digest in self._index.condemned and self._index.objects[one.digest].key == one.key:
                    self._index.condemned.discard(one.digest)
                    del self._index.objects[one.digest], self._index.versions[one.digest]

    def _record(self, digest: Digest) -> BlobRecord:
        stored = self._index.objects[digest]
        condemned = digest in self._index.condemned
        return BlobRecord(digest, stored.key, stored.size, self._index.versions[digest], condemned)


class MemoryUploadMarks:
    def __init__(self, index: MemoryIndex) -> None:
        self._index = index

    def find(self, upload_ids: Collection[str]) -> Mapping[str, UploadMark]:
        found = {upload_id: self._index.find(upload_id) for upload_id in upload_ids}
        return {
            upload_id: UploadMark(upload_id, one.state, one.repository, one.digest, one.expires)
            for upload_id, one in found.items()
            if one is not None
        }

    def cancel(self, upload_id: str, repository: RepositoryName, digest: Digest | None = None) -> bool:
        with self._index.lock:
            found = self._index.find(upload_id)
            if found is not None and found.state in (UploadState.CONSUMED, UploadState.CANCELLED):
                return False
            self._index.sessions[upload_id] = UploadSession(
                upload_id, repository, 0, state=UploadState.CANCELLED, digest=digest
            )
            return True

    def expire(self, marks: Sequence[UploadMark], at: int) -> None:
        with self._index.lock:
            for mark in marks:
                self._index.sessions[mark.id] = UploadSession(
                    mark.id, mark.repository, at, state=mark.state, digest=mark.digest
                )
