"""Retention at work: the rules of a project, carried out repository by repository."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from roadstead.conflicts import Conflict
from roadstead.content.commit_rules import RuleRefused
from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.manifests import Changed, Look
from roadstead.documents import compact
from roadstead.errors import ErrorCode, RegistryError
from roadstead.lifecycle.executions.executions import MAX_LOG, Execution, LogPart, Status, Step, Task
from roadstead.lifecycle.retention.rules import Policy
from roadstead.lifecycle.retention.stores import ImmutableTags, RetentionPolicies, RetentionView
from roadstead.lifecycle.retention.verdicts import Candidate, Verdict, judge_repository
from roadstead.names import ProjectName, RepositoryName
from roadstead.parallel import each
from roadstead.trail.entries import Event, Operation
from roadstead.trail.events import EventMaker

KIND = "retention"  # of executions
_SLICE = 30.0  # seconds in which a step begins deletions
_DELETED_AT_ONCE = 16  # artifacts between two looks at the clock
_PASSED_AT_ONCE = 100  # repositories that no rule selects, in a step
_NAMED = 50  # deleted artifacts that the event of a run names
_MAX_RULES_TEXT = 16_000  # characters; an event without its rules is better than one that is too long for the trail
_SHOWN_TAGS = 100  # of an artifact, in its line of the log


class RetentionWork:
    """Parameters: `policy`, the rules as they were when it was started (a schedule's are read anew), and `dry_run`.

    A step judges one repository anew and deletes for half a minute, those first that were pushed first, each on the
    condition that it is as it was looked at, and that nobody pulled it since. Everything goes to the trash. What a
    repository takes more than one step for begins behind the last artifact that was tried.
    """

    def __init__(
        self,
        policies: RetentionPolicies,
        view: RetentionView,
        deletion: Deletion,
        immutable: ImmutableTags,
        events: EventMaker,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policies = policies
        self._view = view
        self._deletion = deletion
        self._immutable = immutable
        self._events = events
        self._clock = clock

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
        state, now = execution.state, self._events.now_ms()
        verdicts = judge_repository(
            policy,
            repository,
            self._view.candidates(repository),
            now=now,
            is_immutable=self._immutable(ProjectName(execution.scope)),
        )
        going = _after(state.get("place"), (one for one in verdicts if not one.keep))
        dry = execution.parameters.get("dry_run") is True
        tried = going if dry else self._delete_some(execution, repository, going)
        gone = [one for one in tried if not one.keep]
        over = len(tried) == len(going)

        number, before, part = state.get("task", 1), state.get("gone", 0), state.get("part", 0)
        shown = [*(one for one in verdicts if one.keep), *tried] if over else tried
        logs = [LogPart(number, place, text) for place, text in enumerate(_parts(map(_line, shown)), part)]
        total = len(verdicts) + before
        counts = {"total": total, "retained": total - before - len(gone)}
        started, ended = state.get("started", now), self._events.now_ms() if over else 0
        task = Task(number, repository, Status.SUCCESS if over else Status.RUNNING, started, ended, counts)

        progress = dict(execution.progress)
        progress["deleted"] = progress.get("deleted", 0) + (0 if dry else len(gone))
        named = [*state.get("named", []), *(_name(repository, one.candidate) for one in gone if not dry)][:_NAMED]
        following: dict[str, Any]
        if over:
            following = {"after": repository, "task": number + 1}
            for name, count in (("repositories", 1), *counts.items()):
                progress[name] = progress.get(name, 0) + count
        else:
            place = _place(tried[-1].candidate)
            following = {**state, "task": number, "gone": before + len(gone), "part": part + len(logs)}
            following |= {"started": started, "place": place}
        return Step({**following, "named": named}, progress, tasks=[task], logs=logs)

    def _delete_some(self, execution: Execution, repository: RepositoryName, going: Sequence[Verdict]) -> list[Verdict]:
        """Delete the first of them, and more while there is time; return the verdicts that came of it."""
        end, tried = self._clock() + _SLICE, list[Verdict]()
        while len(tried) < len(going) and (not tried or self._clock() < end):
            some = going[len(tried) : len(tried) + _DELETED_AT_ONCE]
            tried += each(lambda one: self._delete(execution, repository, one), some)
        return tried

    def _delete(self, execution: Execution, repository: RepositoryName, one: Verdict) -> Verdict:
        """Delete an artifact; return the verdict that came of it."""
        found = one.candidate
        if self._view.last_pull(repository, found) > found.pulled:
            return replace(one, keep=True, spared="it was pulled meanwhile")
        try:
            self._deletion.delete(repository, found.digest, execution.actor, look=Look(found.at, found.tags))
        except (Changed, Conflict):
            return replace(one, keep=True, spared="it was pushed or tagged meanwhile")
        except RuleRefused as error:
            return replace(one, keep=True, spared=f"immutable: {error}")
        except RegistryError as error:
            if error.entries[0].code is ErrorCode.MANIFEST_UNKNOWN:
                return one
            return replace(one, keep=True, spared=f"it is needed: {error}")
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


def _place(one: Candidate) -> list[Any]:
    """Where it comes in the order of deletion."""
    return [one.pushed, str(one.digest)]


def _after(place: list[Any] | None, verdicts: Iterator[Verdict]) -> list[Verdict]:
    """Return those that come after `place`, those first that were pushed first."""
    found = [one for one in verdicts if place is None or _place(one.candidate) > place]
    return sorted(found, key=lambda one: _place(one.candidate))


def _name(repository: RepositoryName, one: Candidate) -> str:
    """Return `cargo/crane:v1`, or `cargo/crane@sha256:…` for an artifact without a tag: without the project."""
    within, tag = repository.removeprefix(f"{repository.project}/"), next(iter(one.tags), "")
    return f"{within}:{tag}" if tag else f"{within}@{one.digest}"


def _line(one: Verdict) -> str:
    named = list(one.candidate.tags)
    tags = ",".join(named[:_SHOWN_TAGS]) or "(no tag)"
    if len(named) > _SHOWN_TAGS:
        tags += f" and {len(named) - _SHOWN_TAGS} more"
    return f"{'KEEP  ' if one.keep else 'DELETE'} {tags} {one.candidate.digest}: {one.reason}\n"


def _parts(lines: Iterator[str]) -> Iterator[str]:
    """Put lines together to texts that a part of a log may have. Each is much shorter than that."""
    some, size = list[str](), 0
    for line in lines:
        length = len(line.encode())
        if size + length > MAX_LOG:
            yield "".join(some)
            some, size = [], 0
        some.append(line)
        size += length
    if some:
        yield "".join(some)
