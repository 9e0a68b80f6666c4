"""`RetentionPolicies`, `RetentionView` and `Schedules` in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from roadstead.conflicts import Conflict
from roadstead.content.accessories import is_accessory
from roadstead.content.manifest_document import INDEX_TYPES, parse_manifest
from roadstead.content.manifest_index import ManifestEntry
from roadstead.digest import Digest
from roadstead.lifecycle.executions.schedules import Schedule
from roadstead.lifecycle.retention.rules import Policy
from roadstead.lifecycle.retention.verdicts import Candidate
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Event
from tests.memory.audit import MemoryPullCounts
from tests.memory.index import MemoryIndex


class MemoryRetention:
    """All three, over a `MemoryIndex`."""

    def __init__(self, index: MemoryIndex, pulls: MemoryPullCounts | None = None) -> None:
        self._index = index
        self._pulls = pulls or MemoryPullCounts()
        self._policies: dict[ProjectName, Policy] = {}
        self._schedules: dict[str, Schedule] = {}

    # RetentionPolicies

    def find_policy(self, project: ProjectName) -> Policy | None:
        return self._policies.get(project)

    def find_policies(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, Policy]:
        return {project: self._policies[project] for project in projects if project in self._policies}

    def put_policy(self, project: ProjectName, policy: Policy, *, replaces: Policy | None, event: Event) -> None:
        if self._policies.get(project) != replaces:
            raise Conflict(project)
        self._policies[project] = policy
        self._index.events.append(event)

    def remove_policy(self, project: ProjectName, *, event: Event) -> None:
        if self._policies.pop(project, None) is None:
            raise Conflict(project)
        self._index.events.append(event)

    # RetentionView

    def repositories(self, project: ProjectName, *, after: str, limit: int) -> Sequence[RepositoryName]:
        names = self._index.list_repositories(after=after, limit=1_000_000)
        return [name for name in names if name.project == project][:limit]

    def all_repositories(self, *, after: str, limit: int) -> Sequence[RepositoryName]:
        return self._index.list_repositories(after=after, limit=limit)

    def candidates(self, repository: RepositoryName) -> Sequence[Candidate]:
        own, pulls = self._index.repositories[repository], self._pulls.find(repository)
        found = []
        for one in own.manifests.values():
            tags = {tag: own.pushes[tag][0] for tag, entry in own.tags.items() if entry.digest == one.digest}
            shown = {tag: at for tag, at in tags.items() if not is_accessory(tag)}
            digests = (one.digest, *_children(one))
            pulled = max((pulls[digest].last for digest in digests if digest in pulls), default=0)
            if one.listed:
                found.append(Candidate(one.digest, one.media_type, one.at, shown, pulled))
        return found

    def last_pull(self, repository: RepositoryName, one: Candidate) -> int:
        pulls, entry = self._pulls.find(repository), self._index.repositories[repository].manifests.get(one.digest)
        digests = (one.digest, *_children(entry)) if entry is not None else (one.digest,)
        return max((pulls[digest].last for digest in digests if digest in pulls), default=0)

    # Schedules

    def find(self, name: str) -> Schedule | None:
        return self._schedules.get(name)

    def put(self, schedule: Schedule, *, event: Event | None = None) -> None:
        self._schedules[schedule.name] = schedule
        if event is not None:
            self._index.events.append(event)

    def remove(self, name: str, *, event: Event | None = None) -> None:
        self._schedules.pop(name, None)

    def due(self, now: int, *, limit: int = 100) -> Sequence[Schedule]:
        found = [one for one in self._schedules.values() if one.cron and one.next <= now]
        return sorted(found, key=lambda one: (one.next, one.name))[:limit]

    def advance(self, schedule: Schedule, next: int) -> None:
        if self._schedules.get(schedule.name) != schedule:
            raise Conflict(schedule.name)
        self._schedules[schedule.name] = replace(schedule, next=next)


def _children(entry: ManifestEntry) -> list[Digest]:
    if entry.media_type not in INDEX_TYPES or entry.data is None:
        return []
    return [child.digest for child in parse_manifest(entry.data, entry.media_type).children]
