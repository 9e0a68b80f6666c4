"""Retention at work: its rules, looked at and carried out, repository by repository."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, Protocol

from roadstead.conflicts import Conflict
from roadstead.content.commit_rules import RuleRefused
from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.manifests import Changed, Look
from roadstead.digest import Digest
from roadstead.documents import compact
from roadstead.errors import ErrorCode, RegistryError
from roadstead.lifecycle.executions.cron import next_ms
from roadstead.lifecycle.executions.executions import Execution, LogPart, Starter, Status, Step, Task
from roadstead.lifecycle.executions.schedules import Schedule, Schedules
from roadstead.lifecycle.retention.rules import Candidate, Policy, Verdict, judge
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Actor, Event, Operation
from roadstead.trail.events import EventMaker

KIND = "retention"  # of executions
MAX_PREVIEWED = 5_000  # tags and untagged artifacts
_DELETED_AT_ONCE = 50  # artifacts in a step
_PASSED_AT_ONCE = 100  # repositories that no rule selects, in a step
_LOGGED = 900  # lines in a part of a log
_NAMED = 50  # deleted artifacts that the event of a run names
_MAX_RULES_TEXT = 16_000  # characters; an event without its rules is better than one that is too long for the trail

ImmutableTags = Callable[[ProjectName], Callable[[RepositoryName, Tag], bool]]


class RetentionPolicies(Protocol):
    def find_policy(self, project: ProjectName) -> Policy | None:
        """Return a project's rules, or None. One read, strongly consistent."""
        ...

    def put_policy(self, project: ProjectName, policy: Policy, *, replaces: Policy | None, event: Event) -> None:
        """Keep rules instead of `replaces`. Raises Conflict if others are there."""
        ...

    def remove_policy(self, project: ProjectName, *, event: Event) -> None:
        """Remove a project's rules. Raises Conflict if there are none."""
        ...


class RetentionView(Protocol):
    def repositories(self, project: ProjectName, *, after: str, limit: int) -> Sequence[RepositoryName]:
        """Return up to `limit` repositories of a project after `after`, in byte order."""
        ...

    def candidates(self, repository: RepositoryName) -> Sequence[Candidate]:
        """Return every artifact that lists show, with its tags but cosign's. Milliseconds old, at least."""
        ...

    def last_pull(self, repository: RepositoryName, digests: Collection[Digest]) -> int:
        """Return when any of these was last pulled or seen (ms), 0 for never. Strongly consistent."""
        ...


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
        while page := self._view.repositories(project, after=after, limit=_PASSED_AT_ONCE):
            for repository in page:
                candidates = self._view.candidates(repository)
                seen += sum(max(1, len(one.tags)) for one in candidates)
                if seen > MAX_PREVIEWED:
                    raise TooMany(f"the project has more than {MAX_PREVIEWED} tags: start a dry run, and read its log")
                found[repository] = _judged(policy, repository, candidates, self._events.now_ms(), is_immutable)
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


class RetentionWork:
    """Parameters: `policy`, the rules as they were when it was started (a schedule's are read anew), and `dry_run`.

    A step judges one repository anew and deletes up to 50 artifacts of it, each on the condition that it is as it was
    looked at, and that nobody pulled it since. Everything goes to the trash.
    """

    def __init__(
        self,
        policies: RetentionPolicies,
        view: RetentionView,
        deletion: Deletion,
        immutable: ImmutableTags,
        events: EventMaker,
    ) -> None:
        self._policies = policies
        self._view = view
        self._deletion = deletion
        self._immutable = immutable
        self._events = events

    def step(self, execution: Execution) -> Step:
        project, state = ProjectName(execution.scope), dict(execution.state)
        policy = self._policy(project, execution)
        after = state.get("after", "")
        page = self._view.repositories(project, after=after, limit=_PASSED_AT_ONCE)
        selected = next((one for one in page if policy.selecting(one)), None)
        if selected is None:
            done = len(page) < _PASSED_AT_ONCE
            event = self._ended(execution, policy) if done else None
            return Step({**state, "after": page[-1] if page else after}, execution.progress, done, event=event)
        return self._do(execution, policy, selected)

    def _policy(self, project: ProjectName, execution: Execution) -> Policy:
        """A schedule of rules that are gone does nothing."""
        kept = execution.parameters.get("policy")
        if kept is not None:
            return Policy.from_json(str(kept))
        return self._policies.find_policy(project) or Policy(0)

    def _do(self, execution: Execution, policy: Policy, repository: RepositoryName) -> Step:
        state, now = dict(execution.state), self._events.now_ms()
        number, gone, part = state.get("task", 1), state.get("gone", 0), state.get("part", 0)
        started = state.get("started", now)
        immutable = self._immutable(ProjectName(execution.scope))
        verdicts = _judged(policy, repository, self._view.candidates(repository), now, immutable)
        dry = execution.parameters.get("dry_run") is True
        going = [one for one in verdicts if not one.keep]
        results = going if dry else [self._delete(execution, repository, one) for one in going[-_DELETED_AT_ONCE:]]
        deleted = 0 if dry else sum(not one.keep for one in results)
        total = len(verdicts) + gone
        more = not dry and deleted > 0 and len(going) > len(results)
        shown = results if more else [*(one for one in verdicts if one.keep), *results]
        logs = [
            LogPart(number, part + place, "".join(map(_line, shown[start : start + _LOGGED])))
            for place, start in enumerate(range(0, len(shown), _LOGGED))
        ]
        named = state.get("named", [])
        if not dry:
            named = [*named, *(_name(repository, one.candidate) for one in results if not one.keep)][:_NAMED]
        retained = total - gone - (len(going) if dry else deleted)
        counts = {"total": total, "retained": retained}
        ended = 0 if more else self._events.now_ms()
        task = Task(number, repository, Status.RUNNING if more else Status.SUCCESS, started, ended, counts)
        progress = dict(execution.progress)
        progress["deleted"] = progress.get("deleted", 0) + deleted
        after: dict[str, Any]
        if more:
            after = {**state, "task": number, "gone": gone + deleted, "part": part + len(logs), "started": started}
        else:
            after = {"after": repository, "task": number + 1}
        after["named"] = named
        if not more:
            for name, count in (("repositories", 1), *counts.items()):
                progress[name] = progress.get(name, 0) + count
        return Step(after, progress, tasks=[task], logs=logs)

    def _delete(self, execution: Execution, repository: RepositoryName, one: Verdict) -> Verdict:
        """Delete an artifact; return the verdict that came of it."""
        found = one.candidate
        if self._view.last_pull(repository, [found.digest]) > found.pulled:
            return replace(one, keep=True, reason="it was pulled meanwhile")
        try:
            self._deletion.delete(repository, found.digest, execution.actor, look=Look(found.at, found.tags))
        except (Changed, Conflict):
            return replace(one, keep=True, reason="it was pushed or tagged meanwhile")
        except RuleRefused as error:
            return replace(one, keep=True, reason=f"immutable: {error}")
        except RegistryError as error:
            if error.entries[0].code is ErrorCode.MANIFEST_UNKNOWN:
                return one
            return replace(one, keep=True, reason=f"it is needed: {error}")
        return one

    def _ended(self, execution: Execution, policy: Policy) -> Event:
        """The event has everything that notifications tell: the counts, the rules, and names of what was deleted."""
        parts = [f"id={execution.id}", f"policy={policy.project_id}", f"trigger={execution.trigger.lower()}"]
        parts += [f"{name}={count}" for name, count in sorted(execution.progress.items())]
        if execution.parameters.get("dry_run") is True:
            parts.append("dry_run=true")
        elif execution.progress.get("deleted"):
            rules = compact([rule.as_terms() for rule in policy.rules])
            parts += [f"rules={rules}"] if len(rules) <= _MAX_RULES_TEXT else []
        named = tuple(execution.state.get("named", ()))
        return self._events.make(
            Operation.RETAIN, execution.actor, "", project=execution.scope, tags=named, detail=" ".join(parts)
        )


def _judged(
    policy: Policy,
    repository: RepositoryName,
    candidates: Sequence[Candidate],
    now: int,
    is_immutable: Callable[[RepositoryName, Tag], bool],
) -> list[Verdict]:
    rules = policy.selecting(repository)
    return judge(rules, candidates, now=now, is_immutable=lambda tag: is_immutable(repository, tag))


def _name(repository: RepositoryName, one: Candidate) -> str:
    """Return `cargo/crane:v1`, or `cargo/crane@sha256:…` for an artifact without a tag: without the project."""
    within, tag = repository.removeprefix(f"{repository.project}/"), next(iter(one.tags), "")
    return f"{within}:{tag}" if tag else f"{within}@{one.digest}"


def _line(one: Verdict) -> str:
    tags = ",".join(one.candidate.tags) or "(no tag)"
    return f"{'KEEP  ' if one.keep else 'DELETE'} {tags} {one.candidate.digest}: {one.reason}\n"


def _schedule_name(project: ProjectName) -> str:
    return f"retention {project}"
