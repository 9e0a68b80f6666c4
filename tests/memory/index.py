"""The index in memory: `BlobIndex`, `ManifestIndex` and `UploadSessions` for tests and as a readable statement of them.

One lock around everything makes each operation as atomic as the Protocols promise. Nothing survives the process.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from roadstead.conflicts import Conflict, UploadConsumed
from roadstead.content.accessories import is_listed
from roadstead.content.blob_index import BlobLink, StoredObject, Use
from roadstead.content.commit_rules import CommitRules
from roadstead.content.deletion.trash import Trashed, Unit, UnitKind
from roadstead.content.governing import Governing, Rules
from roadstead.content.manifest_index import Commit, CommitSnapshot, Contents, ManifestEntry, Referrer, TagEntry
from roadstead.content.repositories import (
    CLOSED_MS,
    DeletionMark,
    ProjectClosed,
    PushedManifest,
    PushedTag,
    UnknownRepository,
)
from roadstead.content.uploads.sessions import Part, UploadSession, UploadState
from roadstead.digest import Digest
from roadstead.lifecycle.policy.commit_rules import PolicyRules
from roadstead.lifecycle.policy.quotas import Reservation, Standing
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Event
from roadstead.trail.events import EventMaker
from tests.memory.usage import COMMITTED, MemoryProjectUsage


@dataclass(slots=True)
class _Repository:
    links: dict[Digest, BlobLink] = field(default_factory=dict)
    manifests: dict[Digest, ManifestEntry] = field(default_factory=dict)
    tags: dict[Tag, TagEntry] = field(default_factory=dict)
    referrers: dict[tuple[Digest, Digest], Referrer] = field(default_factory=dict)
    uses: dict[tuple[Digest, Digest, str], int] = field(default_factory=dict)
    exists: bool = False
    created: int = 0  # ms
    description: str = ""
    deleting: int | None = None  # ms
    era: int = 0  # when it was made, or its last deletion began, in ms
    since: int = 0  # the first era whose manifests and tags stand
    pushed_by: dict[Digest, str] = field(default_factory=dict)
    pushes: dict[Tag, tuple[int, str]] = field(default_factory=dict)  # when each tag was pushed (ms), and by whom


class MemoryIndex:
    """`events` and `candidates` are what the mutations left, for tests to look at. What the collector's stores of
    `tests.memory.lifecycle` share is public, too: every new link gives a digest another of `versions`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.repositories: dict[str, _Repository] = {}
        self.objects: dict[Digest, StoredObject] = {}
        self.versions: dict[Digest, str] = {}
        self.condemned: set[Digest] = set()
        self.sessions: dict[str, UploadSession] = {}
        self._parts: dict[tuple[str, str | None], dict[int, Part]] = {}
        self.closed: dict[ProjectName, int] = {}
        self.deleted: set[RepositoryName] = set()
        self.emptying: dict[RepositoryName, DeletionMark] = {}
        self.labelled: dict[tuple[str, Digest], frozenset[int]] = {}
        self.rules: dict[str, Rules] = {}
        self.used: dict[str, int] = {}  # bytes of a project, for tests to set; and which blobs count in it
        self.owned: dict[str, dict[Digest, int]] = {}
        self.standings: dict[str, Standing] = {}
        self.reserved: dict[str, Reservation] = {}  # by generation
        self.events: list[Event] = []
        self.candidates: list[Mapping[str, str]] = []
        self.grace = 0  # seconds; nothing is kept in the trash unless a test says so
        self.graces: dict[str, int] = {}
        self.units: dict[str, Unit] = {}
        self.trashed: dict[tuple[str, Digest, str], Trashed] = {}

    def _of(self, repository: str) -> _Repository:
        return self.repositories.setdefault(repository, _Repository())

    def _back(self, digest: Digest, stored: StoredObject) -> StoredObject:
        """The object of a digest that gets another link: `stored` where there is none, or a condemned one."""
        if digest in self.condemned:
            self.condemned.discard(digest)
            self.objects[digest] = stored
        self.versions[digest] = secrets.token_hex(8)
        return self.objects.setdefault(digest, stored)

    def is_linked(self, digest: Digest) -> bool:
        with self.lock:
            return any(digest in own.links for own in self.repositories.values())

    # Blobs

    def find_link(self, repository: RepositoryName, digest: Digest) -> BlobLink | None:
        with self.lock:
            return self._of(repository).links.get(digest)

    def link_object(
        self,
        repository: RepositoryName,
        digest: Digest,
        stored: StoredObject,
        *,
        upload_id: str,
        mark_expires: int | None,
        event: Event,
    ) -> BlobLink:
        with self.lock:
            links, session = self._of(repository).links, self.sessions.get(upload_id)
            if session is not None and session.state in (UploadState.CONSUMED, UploadState.CANCELLED):
                if session.state is UploadState.CONSUMED and session.digest == digest and digest in links:
                    links[digest] = replace(links[digest], marked=None)
                    return links[digest]
                raise UploadConsumed(upload_id)
            if (link := links.get(digest)) is None:
                backing = self._back(digest, stored)
                link = BlobLink(digest, backing.size, backing.key, backing.data)
                self.candidates.append({"kind": "link", "repository": repository, "digest": digest})
            links[digest] = replace(link, marked=None)
            expires = (mark_expires or 0) if link.key != stored.key else 0
            self.sessions[upload_id] = UploadSession(
                upload_id, repository, expires, state=UploadState.CONSUMED, digest=digest
            )
            if link.key != stored.key:
                self.candidates.append({"kind": "object", "key": stored.key, "upload": upload_id})
            self.events.append(event)
            return links[digest]

    def find_spent_uploads(self, upload_ids: Collection[str]) -> frozenset[str]:
        with self.lock:
            found = {upload_id: self.sessions.get(upload_id) for upload_id in upload_ids}
            spent = (UploadState.CONSUMED, UploadState.CANCELLED)
            return frozenset(name for name, session in found.items() if session is not None and session.state in spent)

    def find_object_key(self, digest: Digest) -> str | None:
        with self.lock:
            return self.objects[digest].key if digest in self.objects else None

    def consume(self, repository: RepositoryName, digest: Digest, *, upload_id: str, key: str, at: int) -> bool:
        with self.lock:
            session = self.sessions.get(upload_id)
            if session is not None and session.state in (UploadState.CONSUMED, UploadState.CANCELLED):
                return False
            self.sessions[upload_id] = UploadSession(
                upload_id, repository, 0, state=UploadState.CONSUMED, digest=digest
            )
            self.candidates.append({"kind": "object", "key": key, "upload": upload_id})
            return True

    def mount(self, source: RepositoryName, target: RepositoryName, digest: Digest, *, event: Event) -> BlobLink | None:
        with self.lock:
            origin = self._of(source).links.get(digest)
            if origin is None or digest in self.condemned:
                return None
            links = self._of(target).links
            if source == target:
                return origin
            if digest not in links:
                backing = self._back(digest, self.objects[digest])
                links[digest] = BlobLink(digest, backing.size, backing.key, backing.data)
                self.candidates.append({"kind": "link", "repository": target, "digest": digest})
            links[digest] = replace(links[digest], marked=None)
            self.events.append(event)
            return links[digest]

    def mark_link(self, repository: RepositoryName, digest: Digest, mark: str) -> BlobLink | None:
        with self.lock:
            links = self._of(repository).links
            if digest in links:
                links[digest] = replace(links[digest], marked=mark)
            return links.get(digest)

    def unmark_link(self, repository: RepositoryName, digest: Digest, mark: str | None = None) -> bool:
        with self.lock:
            links = self._of(repository).links
            if digest not in links or (mark is not None and links[digest].marked != mark):
                return False
            links[digest] = replace(links[digest], marked=None)
            return True

    def find_uses(self, repository: RepositoryName, digest: Digest, *, after: Use | None = None) -> tuple[Use, ...]:
        with self.lock:
            keys = sorted(key for key in self._of(repository).uses if key[0] == digest)
            if after is not None:
                keys = [key for key in keys if key > (digest, after.manifest, after.generation)]
            uses = self._of(repository).uses
            return tuple(
                Use(manifest, generation, uses[key]) for key in keys[:100] for _, manifest, generation in [key]
            )

    def unlink(self, repository: RepositoryName, digest: Digest, *, mark: str, event: Event) -> None:
        with self.lock:
            links = self._of(repository).links
            if digest not in links or links[digest].marked != mark:
                raise Conflict(digest)
            del links[digest]
            self.candidates.append({"kind": "blob", "digest": digest})
            self.events.append(event)

    # Manifests

    @property
    def commit_rules(self) -> CommitRules:
        return PolicyRules(MemoryProjectUsage(self), EventMaker())

    def find_tag(self, repository: RepositoryName, tag: Tag) -> TagEntry | None:
        with self.lock:
            return self._of(repository).tags.get(tag)

    def find_governed(
        self, repository: RepositoryName, tags: Collection[Tag] = ()
    ) -> tuple[Mapping[Tag, TagEntry], Governing]:
        with self.lock:
            own = self._of(repository)
            return {tag: own.tags[tag] for tag in tags if tag in own.tags}, self.governing(repository.project)

    def governing(self, project: ProjectName) -> Governing:
        return Governing(self.rules[project].document if project in self.rules else "", self.used.get(project, 0))

    def find_manifest(self, repository: RepositoryName, digest: Digest) -> ManifestEntry | None:
        with self.lock:
            return self._of(repository).manifests.get(digest)

    def read_snapshot(
        self,
        repository: RepositoryName,
        digest: Digest,
        tags: Collection[Tag],
        *,
        blobs: Collection[Digest],
        manifests: Collection[Digest],
    ) -> CommitSnapshot:
        with self.lock:
            own = self._of(repository)
            entry = own.manifests.get(digest)
            return CommitSnapshot(
                replace(entry, data=None) if entry else None,
                {tag: own.tags[tag] for tag in tags if tag in own.tags},
                own.exists,
                self.read_contents(repository, blobs=blobs, manifests=manifests),
                self.governing(repository.project),
                own.era if own.exists or own.deleting is not None else 0,
                own.since,
            )

    def read_contents(
        self, repository: RepositoryName, *, blobs: Collection[Digest], manifests: Collection[Digest]
    ) -> Contents:
        with self.lock:
            own = self._of(repository)
            return Contents(
                {digest: replace(own.links[digest], data=None) for digest in blobs if digest in own.links},
                {digest: replace(own.manifests[digest], data=None) for digest in manifests if digest in own.manifests},
            )

    def unmark_manifest(self, repository: RepositoryName, digest: Digest, mark: str | None = None) -> bool:
        with self.lock:
            manifests = self._of(repository).manifests
            if digest not in manifests or (mark is not None and manifests[digest].marked != mark):
                return False
            manifests[digest] = replace(manifests[digest], marked=None)
            return True

    def write_uses(
        self,
        repository: RepositoryName,
        manifest: Digest,
        generation: str,
        needed: Collection[Digest],
        *,
        at: int,
        key: str,
    ) -> None:
        with self.lock:
            self.candidates.append({"kind": "manifest", "repository": repository, "digest": manifest, "key": key})
            self._of(repository).uses |= {(digest, manifest, generation): at for digest in needed}

    def remove_uses(
        self, repository: RepositoryName, manifest: Digest, generation: str, needed: Collection[Digest]
    ) -> None:
        with self.lock:
            for digest in needed:
                self._of(repository).uses.pop((digest, manifest, generation), None)

    def commit(self, commit: Commit) -> None:
        with self.lock:
            own, entry, found = self._of(commit.repository), commit.entry, commit.found
            standing = own.manifests.get(entry.digest)
            expected = found.manifest.generation if found.manifest else None
            unchanged = (standing.generation if standing else None) == expected
            for tag in commit.tags:
                now, before = own.tags.get(tag), found.tags.get(tag)
                unchanged &= (now.digest if now else None) == (before.digest if before else None)
            known = own.era if own.exists or own.deleting is not None else 0
            if not unchanged or own.exists != found.repository_exists or known != found.era:
                raise Conflict(entry.digest)
            era = found.era if own.exists else max(commit.event.at, found.era)
            closed = self.closed.get(commit.repository.project)
            if not found.repository_exists and closed is not None and commit.event.at - CLOSED_MS <= closed:
                raise ProjectClosed(commit.repository.project)
            if commit.reserved:
                if entry.generation not in self.reserved:
                    raise Conflict(entry.digest)
                self.reserved[entry.generation] = replace(self.reserved[entry.generation], expires=COMMITTED)
            if standing is not None:
                own.manifests[entry.digest] = replace(standing, marked=None, era=era)
            else:
                listed = is_listed(has_subject=entry.subject is not None, tags=commit.tags, is_needed=False)
                own.pushed_by[entry.digest] = commit.event.actor.name
                own.manifests[entry.digest] = replace(entry, at=commit.event.at, era=era, listed=listed)
                if commit.referrer is not None and entry.subject is not None:
                    # Through JSON, as a descriptor goes in and out of a table.
                    kept = replace(commit.referrer, descriptor=json.loads(json.dumps(commit.referrer.descriptor)))
                    own.referrers[(entry.subject, entry.digest)] = kept
            for tag in commit.tags:
                own.tags[tag] = TagEntry(tag, entry.digest, entry.media_type, entry.size, era)
                own.pushes[tag] = (commit.event.at, commit.event.actor.name)
            if not found.repository_exists:
                own.created, own.exists, own.deleting, own.era = commit.event.at, True, None, era
                own.since = era
            self.events.append(commit.event)

    def delete_tag(
        self, repository: RepositoryName, tag: Tag, digest: Digest, *, event: Event, unit: Unit | None = None
    ) -> None:
        with self.lock:
            self.remove_tags(repository, digest, (tag,), event=event, unit=unit)
            self.candidates.append({"kind": "manifest", "repository": repository, "digest": digest})

    def mark_manifest(self, repository: RepositoryName, digest: Digest, mark: str) -> ManifestEntry | None:
        with self.lock:
            manifests = self._of(repository).manifests
            if digest in manifests:
                manifests[digest] = replace(manifests[digest], marked=mark)
            return manifests.get(digest)

    def find_tags_of(self, repository: RepositoryName, digest: Digest, *, era: int = 0) -> tuple[Tag, ...]:
        with self.lock:
            tags = self._of(repository).tags
            return tuple(sorted(tag for tag, one in tags.items() if one.digest == digest and one.era >= era))

    def find_tag_times(self, repository: RepositoryName, digest: Digest) -> Mapping[Tag, int]:
        with self.lock:
            own = self._of(repository)
            return {tag: own.pushes[tag][0] for tag, entry in own.tags.items() if entry.digest == digest}

    def remove_tags(
        self,
        repository: RepositoryName,
        digest: Digest,
        tags: Collection[Tag],
        *,
        event: Event,
        unit: Unit | None = None,
        member: ManifestEntry | None = None,
        before: int | None = None,
    ) -> None:
        with self.lock:
            own = self._of(repository)
            for tag in tags:
                entry = own.tags.get(tag)
                if entry is None or entry.digest != digest or (before is not None and entry.era >= before):
                    raise Conflict(tag)
            for tag in tags:
                del own.tags[tag]
            self._keep(unit, digest)
            if unit is not None and member is not None:
                self._trash(repository, member, unit, unit.tags)
            self.events.append(event)

    def delete_manifest(
        self,
        repository: RepositoryName,
        entry: ManifestEntry,
        *,
        mark: str,
        event: Event,
        tags: Collection[Tag] = (),
        untag: Event | None = None,
        unit: Unit | None = None,
    ) -> None:
        with self.lock:
            own = self._of(repository)
            standing = own.manifests.get(entry.digest)
            if standing is None or standing.marked != mark or standing.listed != entry.listed:
                raise Conflict(entry.digest)
            if untag is not None:
                self.remove_tags(repository, entry.digest, tags, event=untag)
            del own.manifests[entry.digest]
            if entry.subject is not None:
                own.referrers.pop((entry.subject, entry.digest), None)
            self.candidates.append({"kind": "manifest", "repository": repository, "digest": entry.digest})
            if unit is not None:
                self._keep(unit, entry.digest)
                self._trash(repository, entry, unit, unit.tags or tuple(tags))
            self.events.append(event)

    def _trash(self, repository: RepositoryName, entry: ManifestEntry, unit: Unit, tags: tuple[Tag, ...]) -> None:
        fields = (repository, entry.digest, entry.generation, entry.key, entry.media_type, unit.id, unit.expires)
        self.trashed[repository, entry.digest, entry.generation] = Trashed(*fields, tags=tags)

    def _keep(self, unit: Unit | None, digest: Digest) -> None:
        if unit is not None and unit.digest == digest:
            self.units[unit.id] = unit

    def find_grace(self, project: ProjectName) -> int:
        return self.graces.get(project, self.grace)

    def find_trashed(
        self, repository: RepositoryName, generations: Collection[tuple[Digest, str]]
    ) -> Mapping[tuple[Digest, str], Trashed]:
        found = {one: self.trashed.get((repository, *one)) for one in generations}
        return {generation: one for generation, one in found.items() if one is not None}

    def forget_trashed(self, trashed: Trashed) -> None:
        self.trashed.pop((trashed.repository, trashed.digest, trashed.generation), None)
        unit = self.units.get(trashed.unit)
        if unit is not None and unit.kind is not UnitKind.REPOSITORY:
            del self.units[unit.id]

    # Lists

    def find_era(self, repository: RepositoryName) -> int | None:
        with self.lock:
            own = self._of(repository)
            return own.era if own.exists else None

    def begin_deletion(self, repository: RepositoryName, mark: DeletionMark, *, event: Event) -> None:
        with self.lock:
            own = self._of(repository)
            if not own.exists or own.era >= mark.at:
                raise Conflict(repository)
            own.exists, own.deleting, own.era, own.description = False, mark.at, mark.at, ""
            own.since = mark.at
            self.emptying[repository] = DeletionMark.from_fields(repository, mark.as_fields())
            self.deleted.add(repository)
            if mark.unit is not None:
                self.units[mark.unit.id] = mark.unit
            self.candidates.append({"kind": "repository", "repository": repository, **mark.as_fields()})
            self.events.append(event)

    def find_deletion(self, repository: RepositoryName) -> DeletionMark | None:
        with self.lock:
            deleting = self._of(repository).deleting
            return self.emptying.get(repository) or (DeletionMark(deleting) if deleting is not None else None)

    def list_manifests(
        self, repository: RepositoryName, *, after: Digest | None, limit: int
    ) -> Sequence[PushedManifest]:
        with self.lock:
            found = sorted(self._of(repository).manifests.values(), key=lambda one: one.digest)
            behind = [one for one in found if after is None or one.digest > after]
            return [PushedManifest(one.digest, one.era) for one in behind[:limit]]

    def list_pushed_tags(self, repository: RepositoryName, *, after: str, limit: int) -> Sequence[PushedTag]:
        with self.lock:
            found = sorted(
                (one for one in self._of(repository).tags.values() if one.tag > after), key=lambda one: one.tag
            )
            return [PushedTag(one.tag, one.digest, one.era) for one in found[:limit]]

    def is_emptying(self, project: ProjectName) -> bool:
        with self.lock:
            return any(name.project == project for name in self.emptying)

    def list_deleted(self, project: ProjectName) -> Sequence[RepositoryName]:
        with self.lock:
            return sorted(name for name in self.deleted if name.project == project)

    def list_links(self, repository: RepositoryName) -> Sequence[Digest]:
        with self.lock:
            return sorted(self._of(repository).links)

    def end_deletion(self, repository: RepositoryName, *, at: int) -> None:
        with self.lock:
            if repository in self.emptying and self.emptying[repository].at == at:
                del self.emptying[repository]

    def give_up_deletion(self, repository: RepositoryName, *, at: int) -> None:
        with self.lock:
            own, begun = self._of(repository), self.emptying.get(repository)
            if own.deleting == at:
                own.deleting, own.exists, own.since = None, True, 0
            elif begun is not None and begun.at == at:
                own.since = 0
            self.end_deletion(repository, at=at)

    def settle_deletion(self, repository: RepositoryName, *, at: int) -> bool:
        with self.lock:
            own = self._of(repository)
            if own.deleting != at:
                return True
            if own.manifests:
                return False
            own.deleting = None
            self.deleted.discard(repository)
            return True

    def close_project(self, project: ProjectName, *, at: int) -> None:
        with self.lock:
            self.closed[project] = at

    def open_project(self, project: ProjectName) -> None:
        with self.lock:
            self.closed.pop(project, None)

    def forget_project(self, project: ProjectName) -> None:
        with self.lock:
            self.rules.pop(project, None)
            self.graces.pop(project, None)
            self.standings.pop(project, None)

    def describe(self, repository: RepositoryName, description: str, *, event: Event) -> None:
        with self.lock:
            own = self.repositories.get(repository)
            if own is None or not own.exists:
                raise UnknownRepository(repository)
            own.description = description
            self.events.append(event)

    def repository_exists(self, repository: RepositoryName) -> bool:
        with self.lock:
            return self._of(repository).exists

    def list_tags(self, repository: RepositoryName, *, after: str, limit: int) -> tuple[Tag, ...]:
        with self.lock:
            return tuple(sorted(tag for tag in self._of(repository).tags if tag > after)[: max(0, limit)])

    def list_repositories(self, *, after: str, limit: int) -> tuple[RepositoryName, ...]:
        with self.lock:
            names = sorted(name for name, own in self.repositories.items() if own.exists and name > after)
            return tuple(RepositoryName(name) for name in names[: max(0, limit)])

    def list_referrers(self, repository: RepositoryName, subject: Digest, *, after: str) -> Iterator[Referrer]:
        with self.lock:
            referrers = self._of(repository).referrers
            keys = sorted(key for key in referrers if key[0] == subject and key[1] > after)
            found = [referrers[key] for key in keys]
        yield from found

    # Upload sessions

    def find(self, upload_id: str) -> UploadSession | None:
        with self.lock:
            return self.sessions.get(upload_id)

    def save(self, session: UploadSession, new_parts: Sequence[Part] = ()) -> UploadSession:
        with self.lock:
            stored = self.sessions.get(session.id)
            if (stored.version if stored else 0) != session.version or (stored is not None and stored.version == 0):
                raise Conflict(session.id)
            if session.version == 0:
                self.candidates.append({"kind": "upload", "upload": session.id})
            saved = replace(session, version=session.version + 1)
            self.sessions[session.id] = saved
            self._parts.setdefault((session.id, session.key), {}).update({part.number: part for part in new_parts})
            return saved

    def find_parts(self, session: UploadSession) -> tuple[Part, ...]:
        with self.lock:
            parts = sorted(self._parts.get((session.id, session.key), {}).items())
            return tuple(part for number, part in parts if number <= session.parts)
