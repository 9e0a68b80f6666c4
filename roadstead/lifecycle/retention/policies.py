"""The retention rules of a project: kept, previewed, and started."""

from __future__ import annotations

from collections.abc import Mapping

from roadstead.conflicts import Conflict
from roadstead.lifecycle.executions.cron import next_ms
from roadstead.lifecycle.executions.executions import Execution
from roadstead.lifecycle.executions.schedules import Schedule, Schedules
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.retention.execution import KIND
from roadstead.lifecycle.retention.rules import Policy
from roadstead.lifecycle.retention.stores import ImmutableTags, RetentionPolicies, RetentionView
from roadstead.lifecycle.retention.verdicts import Verdict, judge_repository
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker

MAX_PREVIEWED = 5_000  # tags and untagged artifacts
_AT_ONCE = 100  # repositories


class TooMany(Exception):
    """There is more to look at than a request can; the message is a sentence for people."""


class Retention:
    """A project's rules: kept, looked at, started. `schedules` have one for each project whose rules have a cron."""

    def __init__(
        self,
        policies: RetentionPolicies,
        schedules: Schedules,
        view: RetentionView,
        starter: Starter,
        immutable: ImmutableTags,
        events: EventMaker,
    ) -> None:
        self._policies = policies
        self._schedules = schedules
        self._view = view
        self._starter = starter
        self._immutable = immutable
        self._events = events

    def find(self, project: ProjectName, project_id: int) -> Policy | None:
        """Return the rules of a project, or None; those of a removed project of the same name do not count."""
        found = self._policies.find_policy(project)
        return found if found is not None and found.project_id == project_id else None

    def find_projects(self, ids: Mapping[ProjectName, int]) -> frozenset[ProjectName]:
        """Return those of some projects, given with their ids, that have rules. One read for each 100."""
        found = self._policies.find_policies(ids)
        return frozenset(name for name, policy in found.items() if policy.project_id == ids[name])

    def next_run(self, project: ProjectName) -> int | None:
        """Return when the rules run next, in ms; None without a schedule."""
        found = self._schedules.find(_schedule_name(project))
        return found.next if found is not None else None

    def create(self, project: ProjectName, policy: Policy, *, actor: Actor) -> None:
        """Raises PolicyRefused, Conflict if there are rules already."""
        policy.check()
        if self.find(project, policy.project_id) is not None:
            raise Conflict(project)
        self._put(project, policy, actor)

    def change(self, project: ProjectName, policy: Policy, *, actor: Actor) -> None:
        """Replace the rules. Raises PolicyRefused, Conflict if somebody else changes them at the same time."""
        policy.check()
        self._put(project, policy, actor)

    def remove(self, project: ProjectName, *, actor: Actor) -> None:
        """Raises Conflict if there are none."""
        self._schedules.remove(_schedule_name(project))
        event = self._events.make(Operation.CHANGE_RETENTION, actor, "", project=project, detail="rules=none")
        self._policies.remove_policy(project, event=event)

    def start(self, project: ProjectName, policy: Policy, *, dry: bool, actor: Actor) -> Execution:
        """Start a run of these rules. Raises Running if one of the project is under way."""
        parameters = {"policy": policy.as_json(), "dry_run": dry}
        return self._starter.start(KIND, project, parameters, actor=actor, exclusive=_schedule_name(project))

    def preview(self, project: ProjectName, policy: Policy) -> dict[RepositoryName, list[Verdict]]:
        """Return what rules would do now, by repository. Raises PolicyRefused, TooMany above MAX_PREVIEWED tags."""
        policy.check()
        found: dict[RepositoryName, list[Verdict]] = {}
        is_immutable, seen, after = self._immutable(project), 0, ""
        while page := self._view.repositories(project, after=after, limit=_AT_ONCE):
            for repository in page:
                candidates = self._view.candidates(repository)
                seen += sum(max(1, len(one.tags)) for one in candidates)
                if seen > MAX_PREVIEWED:
                    raise TooMany(f"the project has more than {MAX_PREVIEWED} tags: start a dry run, and read its log")
                found[repository] = judge_repository(
                    policy, repository, candidates, now=self._events.now_ms(), is_immutable=is_immutable
                )
            after = page[-1]
        return found

    def _put(self, project: ProjectName, policy: Policy, actor: Actor) -> None:
        """The schedule comes first: a run without rules does nothing, and rules without a run would go unnoticed."""
        name = _schedule_name(project)
        if policy.cron:
            at = next_ms(policy.cron, self._events.now_ms())
            self._schedules.put(Schedule(name, KIND, project, policy.cron, {}, at, name))
        else:
            self._schedules.remove(name)
        detail = f"rules={len(policy.rules)} cron={policy.cron or 'none'}"
        event = self._events.make(Operation.CHANGE_RETENTION, actor, "", project=project, detail=detail)
        self._policies.put_policy(project, policy, replaces=self._policies.find_policy(project), event=event)


def _schedule_name(project: ProjectName) -> str:
    return f"retention {project}"
