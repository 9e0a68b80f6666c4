"""The audit log and the pull counts in memory, for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from roadstead.names import RepositoryName
from roadstead.trail.audit_log import MAX_LINE_BYTES, OVERHEAD, Appended, LogLine
from roadstead.trail.pull_counts import Artifact, Pulls


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

    def add(self, batch: str, pulls: Mapping[Artifact, Pulls]) -> None:
        if batch in self._batches:
            return
        self._batches.add(batch)
        for artifact, more in pulls.items():
            before = self._counts.get(artifact, Pulls(0, 0))
            self._counts[artifact] = Pulls(before.count + more.count, more.last)

    def find(self, repository: RepositoryName) -> dict[str, Pulls]:
        return {artifact.digest: pulls for artifact, pulls in self._counts.items() if artifact.repository == repository}

    def forget(self, artifacts: Iterable[Artifact]) -> None:
        for artifact in artifacts:
            self._counts.pop(artifact, None)
