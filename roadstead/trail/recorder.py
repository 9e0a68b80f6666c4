"""Records audit entries in the audit log, and keeps the pull counts that follow from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from roadstead.trail.audit_log import AuditLog, LogLine
from roadstead.trail.entries import ActorKind, AuditEntry, Operation
from roadstead.trail.pages import TrailPages, is_paged
from roadstead.trail.pull_counts import Artifact, PullCounts, Puller, Pulls

_COUNTED = frozenset({Operation.PULL, Operation.SEE})


@dataclass(frozen=True, slots=True)
class Recorded:
    """Ids of entries that were not recorded: `unsent` can be retried; the log will never accept `rejected`."""

    unsent: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()


class Recorder:
    """Records entries. Every method may be repeated. `page_pulls`: pages have pulls and successful logins, too."""

    def __init__(self, log: AuditLog, pulls: PullCounts, pages: TrailPages, *, page_pulls: bool = False) -> None:
        self._log = log
        self._pulls = pulls
        self._pages = pages
        self._page_pulls = page_pulls

    def record(self, entries: Sequence[AuditEntry]) -> Recorded:
        """Write each entry at least once, into the log and onto its pages; an id that `entries` has twice once."""
        lines = {entry.id: LogLine(entry.id, entry.at, text_of(entry)) for entry in entries}
        appended = self._log.append(list(lines.values()))
        unsent = frozenset(line.id for line in appended.unsent)
        rejected = frozenset(line.id for line in appended.rejected)
        kept = [entry for entry in entries if entry.id not in unsent | rejected]
        shown = [entry for entry in kept if is_paged(entry, pulls=self._page_pulls)]
        if shown:
            self._pages.write(shown)
        return Recorded(unsent, rejected)

    def count_pulls(self, batch: str, entries: Iterable[AuditEntry]) -> None:
        """Add the pulls among `entries`, and what was seen, once per `batch`. Makes no call where there is neither."""
        counts: dict[Artifact, Pulls] = {}
        pullers: dict[Puller, Pulls] = {}
        for entry in {entry.id: entry for entry in entries if entry.operation in _COUNTED}.values():
            artifact = Artifact(entry.repository, entry.digest)
            is_pull = entry.operation is Operation.PULL
            counts[artifact] = _add(counts.get(artifact), entry, is_pull)
            if is_pull:
                actor = entry.actor.name if entry.actor.kind is not ActorKind.ANONYMOUS else ""
                puller = Puller(entry.repository, entry.digest, actor)
                pullers[puller] = _add(pullers.get(puller), entry, is_pull)
        if counts:
            self._pulls.add(batch, counts, pullers)


def _add(before: Pulls | None, entry: AuditEntry, is_pull: bool) -> Pulls:
    count, last = (before.count, before.last) if before is not None else (0, 0)
    return Pulls(count + is_pull, max(last, entry.at))


def text_of(entry: AuditEntry) -> str:
    """Return the text of an entry's line in the log."""
    return json.dumps(entry.as_json(), ensure_ascii=False, separators=(",", ":"))
