"""Records audit entries in the audit log, and keeps the pull counts that follow from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from roadstead.trail.audit_log import AuditLog, LogLine
from roadstead.trail.entries import AuditEntry, Operation
from roadstead.trail.pull_counts import Artifact, PullCounts, Pulls


@dataclass(frozen=True, slots=True)
class Recorded:
    """Ids of entries that were not recorded: `unsent` can be retried; the log will never accept `rejected`."""

    unsent: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()


class Recorder:
    """Records entries. Every method may be repeated."""

    def __init__(self, log: AuditLog, pulls: PullCounts) -> None:
        self._log = log
        self._pulls = pulls

    def record(self, entries: Sequence[AuditEntry]) -> Recorded:
        """Write each entry at least once; an id that `entries` has twice is written once."""
        lines = {entry.id: LogLine(entry.id, entry.at, text_of(entry)) for entry in entries}
        appended = self._log.append(list(lines.values()))
        return Recorded(
            frozenset(line.id for line in appended.unsent), frozenset(line.id for line in appended.rejected)
        )

    def count_pulls(self, batch: str, entries: Iterable[AuditEntry]) -> None:
        """Add the pulls among `entries`, once per `batch`. Makes no call without a pull."""
        counts: dict[Artifact, Pulls] = {}
        for entry in {entry.id: entry for entry in entries if entry.operation is Operation.PULL}.values():
            artifact = Artifact(entry.repository, entry.digest)
            before = counts.get(artifact, Pulls(0, 0))
            counts[artifact] = Pulls(before.count + 1, max(before.last, entry.at))
        if counts:
            self._pulls.add(batch, counts)

    def forget_deleted(self, entries: Iterable[AuditEntry]) -> None:
        """Delete the counts of manifests that `entries` say were deleted. Makes no call without a deletion."""
        gone = [Artifact(one.repository, one.digest) for one in entries if one.operation is Operation.DELETE_MANIFEST]
        if gone:
            self._pulls.forget(gone)


def text_of(entry: AuditEntry) -> str:
    """Return the text of an entry's line in the log."""
    return json.dumps(entry.as_json(), ensure_ascii=False, separators=(",", ":"))
