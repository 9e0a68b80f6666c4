"""`CommitRules`: a project's policy, applied to what is about to change."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterable

from roadstead.conflicts import Throttled
from roadstead.content.commit_rules import ImmutableTag, Proposed, QuotaExceeded
from roadstead.content.governing import Governing
from roadstead.digest import Digest
from roadstead.lifecycle.policy.document import Policy
from roadstead.lifecycle.policy.immutability import ImmutableRule, rule_for
from roadstead.lifecycle.policy.quota_watch import QuotaWatch
from roadstead.lifecycle.policy.quotas import (
    MAX_RESERVED_BLOBS,
    RESERVED_SECONDS,
    UNLIMITED,
    ProjectUsage,
    Quota,
    Reservation,
    amount,
)
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.recent import Recent
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker

_REMEDY = "delete what is not needed, or ask a system administrator for a larger quota"

ROOM_SECONDS = 60  # for which a process starts uploads after it found room in their project
_PROJECTS = 256  # whose room is remembered


class PolicyRules:
    """The rules come along with what a commit has read. `usage` is read where a commit comes near to a limit.

    `clock` (seconds, monotonic) says how old it is that a project had room.
    """

    def __init__(self, usage: ProjectUsage, events: EventMaker, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._usage = usage
        self._events = events
        self._watch = QuotaWatch(usage, events)
        self._roomy: Recent[ProjectName, None] = Recent(ROOM_SECONDS, _PROJECTS, clock)

    def check_upload(self, repository: RepositoryName, actor: Actor) -> None:
        """Only room is remembered, so a refusal ends with the request after the limit was raised."""
        self._roomy.get(repository.project, lambda: self._find_room(repository, actor))

    def _find_room(self, repository: RepositoryName, actor: Actor) -> None:
        governing, _ = self._usage.find_standing(repository.project)
        limit, used = Policy.parse(governing.rules).quota.storage, governing.used
        if limit == UNLIMITED or used < limit:
            return
        with contextlib.suppress(Throttled):  # the refusal matters more than that it is noted
            self._watch.used_up(repository, actor)
        raise QuotaExceeded(
            f"the project {repository.project} has used {amount(used)} of its quota of {amount(limit)}, so nothing "
            f"more can be uploaded: {_REMEDY}",
            project=str(repository.project),
            used=used,
            limit=limit,
        )

    def check_commit(self, proposed: Proposed) -> None:
        if not proposed.governing.rules:
            return
        policy = Policy.parse(proposed.governing.rules)
        _check(
            policy.immutable,
            proposed.repository,
            proposed.moved,
            "keeps it from being moved to another image: push under another tag",
        )
        if proposed.size:
            self._check_storage(proposed, policy.quota)
        self._check_numbers(proposed, policy.quota)

    def check_removal(self, repository: RepositoryName, tags: Collection[Tag], governing: Governing) -> None:
        if tags and governing.rules:
            rules = Policy.parse(governing.rules).immutable
            _check(rules, repository, tags, "keeps it, and the image that it points to, from being deleted")

    def _check_storage(self, proposed: Proposed, quota: Quota) -> None:
        """Blobs that count in the project's usage already are asked for only if the limit could be exceeded."""
        limit, used = quota.storage, proposed.governing.used
        if limit == UNLIMITED or used + proposed.size + sum(proposed.blobs.values()) <= limit:
            return
        needed = proposed.size + sum(self._uncounted(proposed).values())
        if used + needed > limit:
            raise self._exceeded(proposed, used, limit, needed)

    def reserve(self, proposed: Proposed, generation: str) -> bool:
        """The reservation first, then the sum of all, then the usage: bytes go from the sum to the usage, so that they
        are never missed, and for moments seen twice."""
        quota = Policy.parse(proposed.governing.rules).quota
        if not quota.hard or quota.storage == UNLIMITED:
            return False
        project, now = proposed.repository.project, self._events.now_ms() // 1000
        uncounted = self._uncounted(proposed)
        needed = proposed.size + sum(uncounted.values())
        last = tuple(uncounted)[-MAX_RESERVED_BLOBS:]
        self._usage.reserve(
            Reservation(proposed.repository, proposed.digest, generation, needed, last, now + RESERVED_SECONDS)
        )
        others = self._usage.reserved_bytes(project, now=now) - needed
        used = self._usage.find_standing(project)[0].used + others
        if used + needed > quota.storage:
            self._usage.unreserve(project, generation)
            raise self._exceeded(proposed, used, quota.storage, needed)
        return True

    def unreserve(self, repository: RepositoryName, generation: str) -> None:
        self._usage.unreserve(repository.project, generation)

    def _uncounted(self, proposed: Proposed) -> dict[Digest, int]:
        """The sizes of those blobs that do not count in the project's usage yet."""
        owned = self._usage.find_owned(proposed.repository.project, proposed.blobs.keys())
        return {digest: size for digest, size in proposed.blobs.items() if digest not in owned}

    def _exceeded(self, proposed: Proposed, used: int, limit: int, needed: int) -> QuotaExceeded:
        project = proposed.repository.project
        with contextlib.suppress(Throttled):  # the refusal matters more than that it is noted
            self._watch.refused(proposed.repository, proposed.actor, proposed.digest, proposed.tags, needed)
        return QuotaExceeded(
            f"the project {project} has used {amount(used)} of its quota of {amount(limit)}, and this push needs "
            f"{amount(needed)} more: {_REMEDY}",
            project=str(project),
            used=used,
            limit=limit,
            needed=needed,
        )

    def _check_numbers(self, proposed: Proposed, quota: Quota) -> None:
        project = proposed.repository.project
        for name, makes, limit, count in (
            ("repositories", proposed.makes_repository, quota.repositories, self._usage.count_repositories),
            ("artifacts", proposed.makes_artifact, quota.artifacts, self._usage.count_artifacts),
        ):
            if makes and limit != UNLIMITED and (used := count(project)) >= limit:
                raise QuotaExceeded(
                    f"the project {project} has {used} {name}, and its quota is {limit}: {_REMEDY}",
                    project=str(project),
                    used=used,
                    limit=limit,
                    needed=1,
                )


def _check(rules: Collection[ImmutableRule], repository: RepositoryName, tags: Iterable[Tag], consequence: str) -> None:
    for tag in tags:
        rule = rule_for(rules, repository, tag)
        if rule is not None:
            message = f"the tag {repository}:{tag} is immutable: {rule} {consequence}"
            raise ImmutableTag(message, tag=str(tag), rule=rule.id)
