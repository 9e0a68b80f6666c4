"""The end of repositories: as an execution, where it takes longer than a request; and at last by the collector."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from roadstead.content.commit_rules import RuleRefused
from roadstead.content.deletion.repositories import RepositoryDeletion
from roadstead.content.manifests import Manifests
from roadstead.content.repositories import DeletionMark
from roadstead.lifecycle.collector.backlog import Candidate
from roadstead.lifecycle.collector.links import COLLECTOR
from roadstead.lifecycle.collector.stores import Run
from roadstead.lifecycle.executions.executions import Execution, Step, WorkFailed
from roadstead.names import RepositoryName

KIND = "delete-repository"
_SLICE = 40.0  # seconds of a step
_COLLECTED = 10.0  # seconds for one repository in a run of the collector

_log = logging.getLogger(__name__)


class RepositoryDeletionWork:
    """Parameters: `repository`, and a DeletionMark's fields."""

    def __init__(self, deletion: RepositoryDeletion, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._deletion = deletion
        self._clock = clock

    def step(self, execution: Execution) -> Step:
        """Delete for 40 seconds. Raises WorkFailed if what is left is needed by something, or a rule keeps it."""
        repository = RepositoryName(execution.parameters["repository"])
        end = self._clock() + _SLICE
        try:
            swept = self._deletion.sweep(
                repository,
                DeletionMark.from_fields(repository, execution.parameters),
                execution.actor,
                go_on=lambda: self._clock() < end,
            )
        except RuleRefused as error:
            raise WorkFailed(error.entries[0].message) from error
        if swept.complete and swept.kept:
            raise WorkFailed(
                f"{swept.kept} manifests of {repository} are needed by what was pushed since, or by pushes that may "
                "be under way for an hour: the collector removes those that nothing needs then"
            )
        deleted = execution.progress.get("manifests", 0) + swept.deleted
        return Step({}, {"manifests": deleted}, done=swept.complete)


def settle(run: Run, candidates: Sequence[Candidate]) -> None:
    """Delete what a deletion has left behind, and forget the repository unless it was made anew.

    What a push may need that is under way is looked at again in the next run.
    """
    stores, repositories = run.stores, run.stores.repositories
    manifests = Manifests(manifests=stores.manifests, blobs=stores.links, objects=stores.objects, events=stores.events)
    deletion = RepositoryDeletion(repositories, manifests, stores.manifests, stores.events)
    for one in candidates:
        repository = RepositoryName(one.fields["repository"])
        mark = DeletionMark.from_fields(repository, one.fields)
        if run.dry:
            continue
        end = time.monotonic() + _COLLECTED
        try:
            swept = deletion.sweep(repository, mark, COLLECTOR, go_on=lambda end=end: time.monotonic() < end)  # type: ignore[misc]
        except RuleRefused:
            _log.warning("the deletion of %s was given up: a tag has become immutable", repository)
            run.stores.backlog.done([one])
            continue
        if swept.complete and repositories.settle_deletion(repository, at=mark.at):
            repositories.end_deletion(repository, at=mark.at)  # what was kept is needed by what was pushed since
            run.stores.backlog.done([one])
