"""Says once that a project comes near to its quota, or has exceeded it: an event, for the trail and for webhooks."""

from __future__ import annotations

from roadstead.conflicts import retry_conflicts
from roadstead.lifecycle.policy.document import Policy
from roadstead.lifecycle.policy.quotas import ProjectUsage, amount
from roadstead.names import RepositoryName, Tag
from roadstead.trail.entries import Actor, ActorKind
from roadstead.trail.events import EventMaker

INDEXER = Actor("indexer", ActorKind.SYSTEM)


class QuotaWatch:
    def __init__(self, usage: ProjectUsage, events: EventMaker) -> None:
        self._usage = usage
        self._events = events

    def look(self, repository: RepositoryName) -> None:
        """Say what is to be said of the project after `repository` has changed; release what is counted by now.

        Costs one read; a transaction where something is said; where a limit is hard, what `release_counted` does.
        Idempotent. Raises TooManyWriters.
        """
        retry_conflicts(lambda: self._look(repository, INDEXER, "", (), 0), f"the quota of {repository.project}")

    def refused(
        self, repository: RepositoryName, actor: Actor, digest: str, tags: tuple[Tag, ...], needed: int
    ) -> None:
        """Say that a push of `needed` bytes was refused. Costs and raises what `look` does."""
        retry_conflicts(
            lambda: self._look(repository, actor, digest, tags, needed), f"the quota of {repository.project}"
        )

    def used_up(self, repository: RepositoryName, actor: Actor) -> None:
        """Say that an upload was refused, as the limit is reached. Costs one read, and a transaction if it is new."""
        retry_conflicts(
            lambda: self._look(repository, actor, "", (), 0, releases=False), f"the quota of {repository.project}"
        )

    def _look(
        self,
        repository: RepositoryName,
        actor: Actor,
        digest: str,
        tags: tuple[Tag, ...],
        needed: int,
        *,
        releases: bool = True,
    ) -> None:
        project = repository.project
        governing, standing = self._usage.find_standing(project)
        quota = Policy.parse(governing.rules).quota
        limit = quota.storage
        if quota.hard and releases and not needed:
            self._usage.release_counted(project, now=self._events.now_ms() // 1000)
        changed, said = standing.after(limit, governing.used, refused=needed > 0)
        if changed == standing:
            return
        event = None
        if said is not None:
            more = f"; a push needs {amount(needed)} more" if needed else ""
            event = self._events.make(
                said,
                actor,
                repository,
                project=project,
                digest=digest,
                tags=tags,
                detail=f"{amount(governing.used)} of {amount(limit)} used{more}",
            )
        self._usage.put_standing(project, changed, event)
