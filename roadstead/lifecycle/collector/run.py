"""The collector: frees what nothing needs any more, beside pushes, beside itself, and after dying at any call.

The work of a run is what became a candidate, never a walk over the bucket. It takes three runs to free a blob: one that
finds its link unneeded and marks it, one that removes the link a commit fence later, and one that deletes the object
when the removal is as old as the grace period. A candidate is removed when all that it led to is done, so a run that
was cut short is taken up by the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from roadstead.content.deletion.uses import COMMIT_FENCE_MS
from roadstead.lifecycle.collector import blobs, leftovers, links, manifests
from roadstead.lifecycle.collector.backlog import Candidate, Kind
from roadstead.lifecycle.collector.report import Report
from roadstead.lifecycle.collector.stores import Run, Stores
from roadstead.lifecycle.deletion import repositories
from roadstead.trail.entries import Operation

MIN_GRACE = 86_400  # seconds: an upload's token may still close it until then
MIN_FENCE = COMMIT_FENCE_MS // 1000  # seconds
TIME_FOR_A_PAGE = 30.0  # seconds

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Times:
    """In seconds: how old a candidate is when it is looked at, and how long a marked link is left alone."""

    grace: float = MIN_GRACE
    fence: float = MIN_FENCE


class Collector:
    """`parallel` calls are made side by side, within the ten connections that a client keeps."""

    def __init__(self, stores: Stores, times: Times, *, parallel: int = 1) -> None:
        self._stores = stores
        self._times = times
        self._parallel = parallel

    def run(self, *, dry: bool = False, remaining: Callable[[], float] | None = None) -> Report:
        """Look at everything that is due, and return what was done; with `dry`, what would be, without a write.

        Stops in time when `remaining` (seconds) gets short; the next run goes on there.
        """
        left = remaining or (lambda: float("inf"))
        with self._executor() as executor:
            run = Run(
                self._stores, int(self._times.grace * 1000), int(self._times.fence * 1000), dry, executor, Report(dry)
            )
            run.report.complete = self._sweep(run, left) and self._look(run, left)
        if not dry:
            self._conclude(run.report)
        return run.report

    def _conclude(self, report: Report) -> None:
        if report.objects_deleted:
            detail = f"blobs={report.blobs_deleted} manifests={report.manifests_deleted} "
            detail += f"leftovers={report.leftovers_deleted}"
            event = self._stores.events.make(
                Operation.COLLECT, links.COLLECTOR, "", size=report.bytes_freed, detail=detail
            )
            self._stores.backlog.tell(event)
        if report.complete:
            self._stores.backlog.checkpoint()

    def _sweep(self, run: Run, left: Callable[[], float]) -> bool:
        for page in self._stores.backlog.marked(self._stores.events.now_ms() - run.fence_ms):
            if left() < TIME_FOR_A_PAGE:
                return False
            links.sweep(run, page)
        return True

    def _look(self, run: Run, left: Callable[[], float]) -> bool:
        for page in self._stores.backlog.candidates(self._stores.events.now_ms() - run.grace_ms):
            if left() < TIME_FOR_A_PAGE:
                return False
            run.report.candidates += len(page)
            for kind, handle in _HANDLERS.items():
                if chosen := [one for one in page if one.kind is kind]:
                    self._handle(run, handle, chosen)
        return True

    def _handle(self, run: Run, handle: Handler, chosen: Sequence[Candidate]) -> None:
        try:
            handle(run, chosen)
        except (KeyError, ValueError):
            # Written by another version, or by hand. They stay; the others of the page are looked at again, too.
            _log.exception("candidates of the kind %s are not understood: %s", chosen[0].kind, chosen[0].place)
            run.report.unexplained += len(chosen)

    @contextmanager
    def _executor(self) -> Iterator[Executor | None]:
        if self._parallel == 1:
            yield None
            return
        with ThreadPoolExecutor(self._parallel) as pool:
            yield pool


def _links(run: Run, candidates: Sequence[Candidate]) -> None:
    links.mark(run, links.suspects(candidates))
    if not run.dry:
        run.stores.backlog.done(candidates)


Handler = Callable[[Run, Sequence[Candidate]], None]
_HANDLERS: dict[Kind, Handler] = {
    Kind.LINK: _links,
    Kind.MANIFEST: manifests.delete_fallen,
    Kind.BLOB: blobs.delete_unlinked,
    Kind.OBJECT: leftovers.delete_objects,
    Kind.REPOSITORY: repositories.settle,
    Kind.UPLOAD: leftovers.delete_chunks,
}
