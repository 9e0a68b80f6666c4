"""The collector as the data model describes it, as far as its races with the registry go.

What it needs beyond the Protocols of today (candidates in time order, a blob's object and who links to it, condemning)
is read and written as raw items here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from roadstead.aws.table import Item, delete, update
from roadstead.conflicts import Conflict
from roadstead.content.manifest_document import parse_manifest
from roadstead.content.manifests import needed_by
from roadstead.content.uses import COMMIT_FENCE_MS, find_live_use
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, ActorKind, Operation
from tests.invariants.cloud import Cloud
from tests.invariants.registry import Registry

GRACE, FENCE = 86_400, COMMIT_FENCE_MS / 1000  # seconds
COLLECTOR = Actor("collector", ActorKind.ROBOT)


@dataclass
class Collector:
    """One run: `mark` (phase 1), an hour later `sweep` (phase 2), then `drop_objects` (phase 3)."""

    cloud: Cloud
    registry: Registry
    marked: list[tuple[RepositoryName, Digest, str]] = field(default_factory=list)

    def mark(self) -> None:
        """Links that no manifest needs, new ones and those of manifests that were deleted."""
        for repository, digest in self._suspects():
            if self.registry.links.find_link(repository, digest) is None or self._is_needed(repository, digest):
                continue
            mark = self.registry.events.new_mark()
            if self.registry.links.mark_link(repository, digest, mark) is not None:
                self.marked.append((repository, digest, mark))

    def _suspects(self) -> Iterator[tuple[RepositoryName, Digest]]:
        for item in self._candidates("link"):
            yield RepositoryName(item["repository"]), Digest(item["digest"])
        for item in self._candidates("manifest"):
            data = self.registry.objects.get(item["key"]) if "key" in item else None
            for digest in needed_by(parse_manifest(data, None)) if data is not None else ():
                yield RepositoryName(item["repository"]), digest

    def sweep(self) -> None:
        """Those that still carry their mark, and that still nobody needs."""
        for repository, digest, mark in self.marked:
            link = self.registry.links.find_link(repository, digest)
            if link is None or link.marked != mark or self._is_needed(repository, digest):
                continue
            event = self.registry.events.make(
                Operation.DELETE_BLOB, COLLECTOR, repository, digest=digest, size=link.size
            )
            try:
                self.registry.links.unlink(repository, digest, mark=mark, event=event)
            except Conflict:
                continue

    def drop_objects(self) -> None:
        """Objects that no link has, surplus ones, and those of manifests that never stood or no longer do."""
        for item in self._candidates("blob"):
            self._drop_object(Digest(item["digest"]))
        for item in self._candidates("object"):
            self.registry.objects.delete([item["key"]])
        for item in self._candidates("manifest"):
            if "generation" in item:
                self._drop_manifest(item)

    def _drop_object(self, digest: Digest) -> None:
        table, key = self.registry.table, (f"blob#{digest}", "meta")
        meta = table.get(key)
        if meta is None or any(True for _ in table.query(key[0], prefix="repo#")):
            return
        state, condemned = {"#state": "state"}, {":condemned": "condemned"}
        if meta["state"] != "condemned":
            values = {**condemned, ":version": meta["version"], ":new": secrets.token_hex(8)}
            try:
                table.write(update(key, "SET #state = :condemned, version = :new", "version = :version", values, state))
            except Conflict:
                return
        self.registry.objects.delete([meta["key"]])
        try:
            table.write(
                delete(
                    key,
                    "#state = :condemned AND #key = :key",
                    {**condemned, ":key": meta["key"]},
                    {**state, "#key": "key"},
                )
            )
        except Conflict:
            return

    def _drop_manifest(self, item: Item) -> None:
        repository, digest = RepositoryName(item["repository"]), Digest(item["digest"])
        entry = self.registry.index.find_manifest(repository, digest)
        if entry is not None and entry.generation == item["generation"]:
            return
        data = self.registry.objects.get(item["key"])
        if data is not None:
            needed = needed_by(parse_manifest(data, None))
            self.registry.index.remove_uses(repository, digest, item["generation"], needed)
        self.registry.objects.delete([item["key"]])

    def _is_needed(self, repository: RepositoryName, digest: Digest) -> bool:
        now = self.registry.events.now_ms()
        return find_live_use(self.registry.links, self.registry.index, repository, digest, now_ms=now) is not None

    def _candidates(self, kind: str) -> Iterator[Item]:
        """Candidates older than the grace period. Not read through AWS calls: their order is nobody's race."""
        before = (self.cloud.clock() - GRACE) * 1000
        for (_, sk), item in sorted(self.cloud.rows("gc#").items()):
            if item["kind"] == kind and int(sk.split("#")[0]) < before:
                yield item
