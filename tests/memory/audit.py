"""The audit log and the pull counts in memory, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from roadstead.names import RepositoryName
from roadstead.trail.audit_log import MAX_LINE_BYTES, OVERHEAD, Appended, LogLine
from roadstead.trail.entries import AuditEntry
from roadstead.trail.pull_counts import Artifact, Puller, Pulls


class MemoryAuditLog:
    """`lines` are what was added, in that order."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def append(self, lines: Sequence[LogLine]) -> Appended:
        rejected = tuple(line for line in lines if line.size > MAX_LINE_BYTES + OVERHEAD)
        self.lines += [line for line in lines if line not in rejected]
        return Appended(rejected=rejected)


class MemoryPullCounts:
    def __init__(self) -> None:
        self._batches: set[str] = set()
        self._counts: dict[Artifact, Pulls] = {}
        self._pullers: dict[Puller, Pulls] = {}
        self._totals: dict[str, Pulls] = {}

    def add(self, batch: str, pulls: Mapping[Artifact, Pulls], pullers: Mapping[Puller, Pulls]) -> None:
        if batch in self._batches:
            return
        self._batches.add(batch)
        for artifact, more in pulls.items():
            self._counts[artifact] = _sum(self._counts.get(artifact), more)
            self._totals[artifact.repository] = _sum(self._totals.get(artifact.repository), more)
        for puller, more in pullers.items():
            self._pullers[puller] = _sum(self._pullers.get(puller), more)

    def find(self, repository: RepositoryName) -> dict[str, Pulls]:
        return {artifact.digest: pulls for artifact, pulls in self._counts.items() if artifact.repository == repository}

    def total(self, repository: RepositoryName) -> Pulls:
        return self._totals.get(repository, Pulls(0, 0))

    def find_pullers(self, repository: RepositoryName, digest: str) -> dict[str, Pulls]:
        return {one.actor: pulls for one, pulls in self._pullers.items() if one[:2] == (repository, digest)}

    def forget(self, artifacts: Iterable[Artifact]) -> None:
        for artifact in artifacts:
            self._counts.pop(artifact, None)


class MemoryTrailPages:
    def __init__(self) -> None:
        self.entries: dict[str, AuditEntry] = {}

    def write(self, entries: Sequence[AuditEntry]) -> None:
        self.entries |= {f"{entry.at:013d}#{entry.id}": entry for entry in entries}

    def count(self, project: str | None, *, since: int = 0) -> int:
        since = since if project is not None else since // 86_400_000 * 86_400_000
        return len(self.read(project, since=since, limit=len(self.entries)))

    def newest(self, limit: int) -> list[AuditEntry]:
        return self.read(None, limit=limit)

    def read(self, project: str | None, *, since: int = 0, until: int | None = None, limit: int) -> list[AuditEntry]:
        found = [entry for _, entry in sorted(self.entries.items(), reverse=True)]
        return [
            one
            for one in found
            if (project is None or one.project == project) and since <= one.at and (until is None or one.at <= until)
        ][:limit]


def _sum(before: Pulls | None, more: Pulls) -> Pulls:
    return Pulls(before.count + more.count, max(before.last, more.last)) if before is not None else more
