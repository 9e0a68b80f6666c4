"""A batch of the index table's stream: what its events hint at is settled once, however many of them name it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.hosting import lines, metrics
from functions.hosting.metrics import Metric
from functions.hosting.observation import current
from functions.indexer.services import IndexerServices
from roadstead.aws.attributes import decode
from roadstead.aws.content.index_items import event_from, is_event_key
from roadstead.catalog.indexing import HOPELESS, Indexer, Target, targets_of
from roadstead.lifecycle.policy.quota_watch import QuotaWatch
from roadstead.names import ProjectName
from roadstead.trail.entries import Event, rfc3339

Record = Mapping[str, Any]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Received:
    """A record, what it hints at and when that happened (ms), or the `problem` that makes it a dead letter."""

    identifier: str
    record: Record
    targets: tuple[Target, ...] = ()
    at: int = 0
    problem: str = ""


def process(services: IndexerServices, records: Sequence[Record]) -> dict[str, Any]:
    """Settle what the events hint at; return the first record that failed: the mapping begins again there.

    A record that cannot be read, or not be settled at any attempt, becomes a dead letter and holds nothing up.
    """
    batch = [_read(record) for record in records if _is_event(record)]
    errors = _settle(services.indexer, batch) | _watch(services.quotas, batch)
    failed = {one.identifier for one in batch if any(_passes(error) for error in _raised(one, errors))}
    judged = [_judged(one, errors) for one in batch if one.identifier not in failed]
    failed |= _bury(services, [one for one in judged if one.problem])
    _measure(batch, failures=len(failed))
    first = [one.identifier for one in batch if one.identifier in failed][:1]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in first]}


def _is_event(record: Record) -> bool:
    """Return whether the record is an inserted event item; one without a key counts as one."""
    if record.get("eventName") in ("MODIFY", "REMOVE"):
        return False
    try:
        return is_event_key(str(record["dynamodb"]["Keys"]["pk"]["S"]))
    except (KeyError, TypeError):
        return True


def _read(record: Record) -> _Received:
    change = record.get("dynamodb")
    identifier = str(change.get("SequenceNumber", "")) if isinstance(change, Mapping) else ""
    try:
        event: Event = event_from(decode(record["dynamodb"]["NewImage"]))
        return _Received(identifier, record, tuple(targets_of(event)), event.at)
    except (KeyError, TypeError, ValueError) as error:
        return _Received(identifier, record, problem=f"not an event: {error!r}")


def _raised(one: _Received, errors: Mapping[Target, Exception]) -> list[Exception]:
    return [errors[target] for target in one.targets if target in errors]


def _passes(error: Exception) -> bool:
    """Whether a later attempt may succeed."""
    return not isinstance(error, HOPELESS)


def _judged(one: _Received, errors: Mapping[Target, Exception]) -> _Received:
    """Return the record with its problem, if it has one that does not pass."""
    raised = _raised(one, errors)
    return replace(one, problem=f"cannot be derived: {raised[0]!r}") if raised else one


def _settle(indexer: Indexer, batch: Sequence[_Received]) -> dict[Target, Exception]:
    """Settle every target of the batch once; return what those that failed raised."""
    latest: dict[Target, int] = {}
    for one in batch:
        for target in one.targets:
            latest[target] = max(one.at, latest.get(target, 0))
    errors: dict[Target, Exception] = {}
    # Repositories last: their counts follow what was done to their manifests.
    for target in sorted(latest, key=lambda target: target.digest is None):
        if not target.is_blob:
            errors |= _attempt(lambda target=target: indexer.settle(target, at=latest[target]), [target])  # type: ignore[misc]
    by_project: dict[ProjectName, list[Target]] = {}
    for target in latest:
        if target.is_blob:
            by_project.setdefault(target.repository.project, []).append(target)
    for project, targets in by_project.items():
        digests = [target.digest for target in targets if target.digest is not None]
        errors |= _attempt(
            lambda project=project, digests=digests: indexer.settle_blobs(project, digests),  # type: ignore[misc]
            targets,
        )
    return errors


def _watch(quotas: QuotaWatch, batch: Sequence[_Received]) -> dict[Target, Exception]:
    """Look at the quota of every project that changed, once; return what was raised for the targets in it."""
    changed: dict[ProjectName, list[Target]] = {}
    for one in batch:
        for target in one.targets:
            changed.setdefault(target.repository.project, []).append(target)
    errors: dict[Target, Exception] = {}
    for targets in changed.values():
        repository = targets[-1].repository
        errors |= _attempt(lambda repository=repository: quotas.look(repository), targets)  # type: ignore[misc]
    return errors


def _attempt(settle: Callable[[], None], targets: Iterable[Target]) -> dict[Target, Exception]:
    """Return what `settle` raised, for each of its targets; nothing if it succeeded."""
    try:
        settle()
    except Exception as error:
        _log.exception("something could not be derived")
        return dict.fromkeys(targets, error)
    return {}


def _bury(services: IndexerServices, letters: Sequence[_Received]) -> set[str]:
    """Keep dead letters; return the identifiers of those that could not be kept."""
    if not letters:
        return set()
    now = rfc3339(int(time.time() * 1000))
    bodies = [{"source": "index", "reason": one.problem, "time": now, "record": one.record} for one in letters]
    for one in letters:
        _log.error("record %s goes to the dead letters: %s", one.identifier, one.problem)
    try:
        services.dead_letters.send([json.dumps(body, default=str, separators=(",", ":")) for body in bodies])
    except Exception:
        _log.exception("%d dead letters could not be kept", len(letters))
        return {one.identifier for one in letters}
    return set()


def _measure(batch: Sequence[_Received], *, failures: int) -> None:
    """Write one line of metrics for a batch, none for an empty one."""
    if not batch:
        return
    counted = [Metric("IndexedEvents", len(batch))]
    if failures:
        counted.append(Metric("IndexFailures", failures))
    properties = {"function": "indexer", "request_id": current().request_id}
    lines.write(metrics.line(counted, properties, now_ms=int(time.time() * 1000)))
