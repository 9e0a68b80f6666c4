"""Restoring units of the trash: their manifests are pushed again, as any client would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from roadstead.content.deletion.trash import Trashed, Unit, UnitKind
from roadstead.content.manifest_document import INDEX_TYPES, parse_manifest
from roadstead.content.manifest_index import ManifestIndex
from roadstead.content.manifests import needed_by
from roadstead.content.objects import Objects
from roadstead.content.push import Push, TagsMoved
from roadstead.content.repositories import Repositories
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.lifecycle.deletion.trash import TrashStore
from roadstead.lifecycle.executions.executions import Execution, Step, WorkFailed
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker

RESTORE = "restore"  # a kind of executions
MAX_TAGS = 25  # in one commit
_PER_STEP = 20  # manifests


class _Restoring:
    """A step of a restoration: the unit, its manifests with their new tags, and which were pushed in this step."""

    def __init__(
        self, unit: Unit, manifests: Sequence[Trashed], named: Mapping[Digest, Sequence[Tag]], actor: Actor
    ) -> None:
        self.unit = unit
        self.manifests = manifests
        self.named = named
        self.actor = actor
        self.indexes = {one.digest for one in manifests if one.media_type in INDEX_TYPES}
        self.pushed: set[Digest] = set()


class RestoreWork:
    """Restores a unit: every manifest is pushed again from the bytes that the trash kept, as any client would.

    Parameters: `unit`, and `tags`, which maps tags of the unit to others, or to "" for none. A tag that points to
    something else by now is not moved, and what needs something that is gone is not pushed: the execution ends with an
    error before anything was restored.
    """

    def __init__(
        self,
        store: TrashStore,
        push: Push,
        manifests: ManifestIndex,
        repositories: Repositories,
        objects: Objects,
        events: EventMaker,
    ) -> None:
        self._store = store
        self._push = push
        self._manifests = manifests
        self._repositories = repositories
        self._objects = objects
        self._events = events

    def step(self, execution: Execution) -> Step:
        project = ProjectName(execution.scope)
        unit = self._store.find_unit(project, str(execution.parameters["unit"]))
        done, total = execution.state.get("restored", 0), execution.state.get("total", -1)
        if done == total:
            if unit is not None:
                manifests = list(self._store.manifests(unit))
                cleared = int(execution.state.get("cleared", 0))
                if cleared < len(manifests):
                    self._clear(unit, manifests, manifests[cleared : cleared + _PER_STEP])
                    return Step({**execution.state, "cleared": cleared + _PER_STEP}, execution.progress)
                # The old generations are led to by the candidates of their deletion; they may go at once.
                self._store.remove(unit, manifests, at=self._events.now_ms())
            return Step(execution.state, execution.progress, done=True)
        if unit is None or unit.expires <= self._events.now_ms():
            raise WorkFailed("the trash does not have it any more")
        renamed = dict(execution.parameters.get("tags", {}))
        manifests = list(self._store.manifests(unit))
        checked = int(execution.state.get("checked", 0))
        if not execution.state:
            self._check(unit, manifests, renamed)
        if total < 0 and unit.kind is not UnitKind.TAG and checked < len(manifests):
            self._check_contents(unit, manifests, manifests[checked : checked + _PER_STEP])
            return Step({"checked": checked + _PER_STEP}, {"manifests": 0})
        if total < 0:
            return Step({"restored": 0, "total": len(_wanted(unit, manifests))}, {"manifests": 0})
        return self._restore(execution, unit, manifests, renamed)

    def _check(self, unit: Unit, manifests: Sequence[Trashed], renamed: Mapping[str, str]) -> None:
        """Raises WorkFailed if a tag points elsewhere, or the deletion is under way. One read for each."""
        deletion = self._repositories.find_deletion(unit.repository) if unit.kind is UnitKind.REPOSITORY else None
        if deletion is not None and deletion.unit is not None and deletion.unit.id == unit.id:
            raise WorkFailed(f"{unit.repository} is still being deleted: restore it when that is done")
        moved = []
        for digest, tags in _wanted(unit, manifests):
            for tag in _named(tags, renamed):
                entry = self._manifests.find_tag(unit.repository, tag)
                if entry is not None and entry.digest != digest:
                    moved.append(tag)
        if moved:
            raise WorkFailed(_told(moved))
        if unit.kind is UnitKind.TAG and unit.digest is not None:
            if self._manifests.find_manifest(unit.repository, unit.digest) is None:
                raise WorkFailed(f"the manifest {unit.digest} was deleted, too: restore it first, or with its tags")
        elif not manifests:
            raise WorkFailed("the trash does not have its manifests any more")

    def _check_contents(self, unit: Unit, manifests: Sequence[Trashed], some: Sequence[Trashed]) -> None:
        """Raises WorkFailed if bytes of a manifest are gone, or what it needs. About two reads for each."""
        own = {one.digest for one in manifests}
        for one in some:
            body, media_type = self._bytes(unit.repository, one.digest, manifests)
            parsed = parse_manifest(body, media_type)
            children = {child.digest for child in parsed.children} - own
            needed = set(needed_by(parsed)) - own
            found = self._manifests.read_contents(unit.repository, blobs=needed, manifests=children)
            if gone := sorted(needed - found.links.keys() - found.manifests.keys()):
                raise WorkFailed(f"{one.digest} cannot be restored: {unit.repository} does not have {gone[0]} any more")

    def _restore(
        self, execution: Execution, unit: Unit, manifests: Sequence[Trashed], renamed: Mapping[str, str]
    ) -> Step:
        """Push some: manifests that others may need first, indexes after them, each with its tags.

        An index that needs another one of the unit has that pushed before it.
        """
        done = int(execution.state["restored"])
        wanted = _wanted(unit, sorted(manifests, key=lambda one: one.media_type in INDEX_TYPES))
        named = {digest: _named(tags, renamed) for digest, tags in wanted}
        restoring = _Restoring(unit, manifests, named, execution.actor)
        for digest, _ in wanted[done : done + _PER_STEP]:
            self._push_with_children(restoring, digest)
        done = min(done + _PER_STEP, len(wanted))
        return Step({"restored": done, "total": len(wanted)}, {"manifests": done})

    def _clear(self, unit: Unit, manifests: Sequence[Trashed], some: Sequence[Trashed]) -> None:
        """Remove the uses of old generations: out of the trash, they would look like those of pushes under way."""
        for one in some:
            standing = self._manifests.find_manifest(unit.repository, one.digest)
            if standing is not None and standing.generation == one.generation:
                continue  # only tags of it had gone
            body, media_type = self._bytes(unit.repository, one.digest, manifests)
            needed = needed_by(parse_manifest(body, media_type))
            self._manifests.remove_uses(unit.repository, one.digest, one.generation, needed)

    def _push_with_children(self, restoring: _Restoring, digest: Digest) -> None:
        """Push it once in this step, after those of its children that are indexes of the unit."""
        if digest in restoring.pushed:
            return
        restoring.pushed.add(digest)
        body, media_type = self._bytes(restoring.unit.repository, digest, restoring.manifests)
        if media_type in INDEX_TYPES:
            children = {child.digest for child in parse_manifest(body, media_type).children}
            for child in sorted(children & restoring.indexes):
                self._push_with_children(restoring, child)
        self._push_again(restoring, digest, body, media_type)

    def _push_again(self, restoring: _Restoring, digest: Digest, body: bytes, media_type: str) -> None:
        repository, actor, tags = restoring.unit.repository, restoring.actor, restoring.named[digest]
        batches = [tags[start : start + MAX_TAGS] for start in range(0, len(tags), MAX_TAGS)] or [()]
        try:
            for batch in batches:
                self._push.push(repository, digest, body, content_type=media_type, tags=batch, actor=actor, movable={})
        except TagsMoved as error:
            raise WorkFailed(_told(error.tags)) from error
        except RegistryError as error:
            missing = "; ".join(entry.message for entry in error.entries)
            raise WorkFailed(f"{digest} cannot be restored: {missing}") from error

    def _bytes(self, repository: RepositoryName, digest: Digest, manifests: Sequence[Trashed]) -> tuple[bytes, str]:
        standing = self._manifests.find_manifest(repository, digest)
        if standing is not None:
            data = standing.data if standing.data is not None else self._objects.get(standing.key)
            if data is not None:
                return data, standing.media_type
        for one in manifests:
            if one.digest == digest and (data := self._objects.get(one.key)) is not None:
                return data, one.media_type
        raise WorkFailed(f"the bytes of {digest} are gone")


def _wanted(unit: Unit, manifests: Sequence[Trashed]) -> list[tuple[Digest, tuple[Tag, ...]]]:
    """Return the manifests of a unit, each with the tags that it had."""
    if unit.kind is UnitKind.TAG and unit.digest is not None:
        return [(unit.digest, unit.tags)]
    return [
        (one.digest, tuple(dict.fromkeys((*(unit.tags if one.digest == unit.digest else ()), *one.tags))))
        for one in manifests
    ]


def _named(tags: Sequence[Tag], renamed: Mapping[str, str]) -> list[Tag]:
    return [Tag(new) for tag in tags if (new := renamed.get(tag, tag))]


def _told(moved: Sequence[str]) -> str:
    some = ", ".join(sorted(moved)[:10])
    return f"{some} points to something else by now: restore it under another tag, or without one"
