"""Reading and changing the policies of projects. Each change is one transaction with one event, and binds every commit
that begins after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TypeVar

from roadstead.conflicts import Conflict, retry_conflicts
from roadstead.content.governing import ProjectRules, RulesTooLarge
from roadstead.ids import clock_id
from roadstead.lifecycle.policy.document import Policy
from roadstead.lifecycle.policy.immutability import MAX_RULES, ImmutableRule, rule_for
from roadstead.lifecycle.policy.quotas import Quota
from roadstead.names import ProjectName, RepositoryName, Tag
from roadstead.trail.entries import Actor, Operation
from roadstead.trail.events import EventMaker

T = TypeVar("T")
IsImmutable = Callable[[RepositoryName, Tag], bool]


class PolicyRefused(Exception):
    """The policy cannot become so. The message is a sentence for a person."""


class DuplicateRule(PolicyRefused):
    """Another rule selects the same tags in the same repositories."""


class UnknownRule(Exception):
    """The project has no such rule."""


class Policies:
    def __init__(self, rules: ProjectRules, events: EventMaker) -> None:
        self._rules = rules
        self._events = events

    def find(self, project: ProjectName) -> Policy:
        """Return a project's policy. One read."""
        kept = self._rules.find_rules(project)
        return Policy.parse(kept.document if kept is not None else "")

    def immutable_tags(self, project: ProjectName) -> IsImmutable:
        """Return a function that tells whether a rule keeps a tag of one of the project's repositories. One read."""
        rules = self.find(project).immutable
        return lambda repository, tag: rule_for(rules, repository, tag) is not None

    def find_many(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, tuple[Policy, int]]:
        """Return the policy of each project, and the bytes that it uses. One read for each 50."""
        found = self._rules.read_governing(projects)
        return {project: (Policy.parse(one.rules), one.used) for project, one in found.items()}

    def set_quota(self, project: ProjectName, change: Callable[[Quota], Quota], actor: Actor) -> Quota:
        """Replace a project's quota by what `change` makes of it, and return it. The same again writes nothing.

        A quota below what is used removes nothing: it refuses whatever would add to it.
        """
        before = self.find(project).quota
        if change(before) == before:
            return before

        def replaced(policy: Policy) -> tuple[Policy, str, Quota]:
            quota = change(policy.quota)
            return replace(policy, quota=quota), _limits(quota), quota

        return self._change(project, Operation.CHANGE_QUOTA, actor, replaced)

    def start_quota(self, project: ProjectName, storage: int, actor: Actor) -> None:
        """Give a project that has no policy yet a quota of `storage` bytes. One read; a transaction if it has none."""
        if self._rules.find_rules(project) is not None:
            return
        with contextlib.suppress(Conflict):  # somebody has made it, with a quota, meanwhile
            policy = Policy(quota=Quota(storage=storage))
            event = self._events.make(Operation.CHANGE_QUOTA, actor, "", project=project, detail=_limits(policy.quota))
            self._rules.put_rules(project, policy.document(), replaces=0, event=event)

    def add_immutable_rule(self, project: ProjectName, rule: ImmutableRule, actor: Actor) -> ImmutableRule:
        """Add a rule under a new id, and return it. Raises PolicyRefused, DuplicateRule."""

        def add(policy: Policy) -> tuple[Policy, str, ImmutableRule]:
            if len(policy.immutable) >= MAX_RULES:
                raise PolicyRefused(f"a project can have up to {MAX_RULES} immutable rules; delete one first")
            _refuse_duplicate(policy, rule)
            taken = {one.id for one in policy.immutable}
            number = clock_id(self._events.now_ms() // 1000)
            while number in taken:
                number += 1
            added = replace(rule, id=number)
            return replace(policy, immutable=(*policy.immutable, added)), _detail(added), added

        return self._change(project, Operation.CREATE_IMMUTABLE_RULE, actor, add)

    def change_immutable_rule(self, project: ProjectName, rule: ImmutableRule, actor: Actor) -> None:
        """Replace the rule with the same id. Raises UnknownRule, PolicyRefused, DuplicateRule."""

        def change(policy: Policy) -> tuple[Policy, str, None]:
            _require(policy, rule.id)
            _refuse_duplicate(policy, rule)
            changed = tuple(rule if one.id == rule.id else one for one in policy.immutable)
            return replace(policy, immutable=changed), _detail(rule), None

        self._change(project, Operation.CHANGE_IMMUTABLE_RULE, actor, change)

    def remove_immutable_rule(self, project: ProjectName, number: int, actor: Actor) -> None:
        """Raises UnknownRule."""

        def remove(policy: Policy) -> tuple[Policy, str, None]:
            removed = _require(policy, number)
            left = tuple(one for one in policy.immutable if one.id != number)
            return replace(policy, immutable=left), _detail(removed), None

        self._change(project, Operation.REMOVE_IMMUTABLE_RULE, actor, remove)

    def _change(
        self,
        project: ProjectName,
        operation: Operation,
        actor: Actor,
        change: Callable[[Policy], tuple[Policy, str, T]],
    ) -> T:
        """Replace the policy by what `change` makes of it, with an event that has its detail. One read, one
        transaction, and both again after a conflict."""

        def attempt() -> T:
            kept = self._rules.find_rules(project)
            policy, detail, result = change(Policy.parse(kept.document if kept is not None else ""))
            event = self._events.make(operation, actor, "", project=project, detail=detail)
            try:
                self._rules.put_rules(
                    project, policy.document(), replaces=kept.version if kept is not None else 0, event=event
                )
            except RulesTooLarge as error:
                raise PolicyRefused(f"{error}: shorten or join patterns") from error
            return result

        return retry_conflicts(attempt, f"the policy of {project}")


def _require(policy: Policy, number: int) -> ImmutableRule:
    found = next((one for one in policy.immutable if one.id == number), None)
    if found is None:
        raise UnknownRule(number)
    return found


def _refuse_duplicate(policy: Policy, rule: ImmutableRule) -> None:
    for one in policy.immutable:
        if one.id != rule.id and (one.tags, one.repositories) == (rule.tags, rule.repositories):
            raise DuplicateRule(f"{one} selects the same tags already")


def _limits(quota: Quota) -> str:
    return " ".join(f"{name}={limit}".lower() for name, limit in quota.as_json().items()) or "unlimited"


def _detail(rule: ImmutableRule) -> str:
    return f"{rule}{' disabled' if rule.disabled else ''}"
