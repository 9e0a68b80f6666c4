"""Retention rules: what of a project's repositories is kept. Whatever no rule keeps goes, in repositories that a rule
selects; other repositories are left alone.

Rules are Harbor's (`or`: one rule that keeps an artifact is enough), with `newestVersionsOfMinor` and the selectors of
the kind `regexp` beyond. The unit is the artifact with all its tags: one of them that matches keeps it.
Source: Harbor, src/pkg/retention (policy, rule) and src/lib/selector/selectors/doublestar.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from roadstead.digest import Digest
from roadstead.documents import compact
from roadstead.expressions import check_expression, expression_matches
from roadstead.lifecycle.executions.cron import Cron
from roadstead.names import RepositoryName, Tag
from roadstead.patterns import check_pattern, matches

MAX_RULES = 15
MAX_SELECTORS = 10  # of tags or of repositories, in one rule
MAX_NUMBER = 100_000  # of artifacts or days
DAY_MS = 86_400_000
YOUNG_MS = DAY_MS  # an untagged artifact may be the child of an index that is still being pushed
PULL_LAG_MS = 3_600_000  # a pull is told by a log line, which may come as late


DOUBLESTAR, REGULAR = "doublestar", "regexp"  # kinds of selectors; Harbor has the first


class Template(StrEnum):
    LATEST_PUSHED = "latestPushedK"
    LATEST_PULLED = "latestPulledN"
    DAYS_SINCE_PUSH = "nDaysSinceLastPush"
    DAYS_SINCE_PULL = "nDaysSinceLastPull"
    ALWAYS = "always"
    NEWEST_VERSIONS = "newestVersionsOfMinor"  # of each minor version, by the order of semantic versions


_DEFAULTS = {  # where a rule has no parameter; Harbor's for Harbor's
    Template.LATEST_PUSHED: 10,
    Template.LATEST_PULLED: 10,
    Template.DAYS_SINCE_PUSH: 30,
    Template.DAYS_SINCE_PULL: 30,
    Template.NEWEST_VERSIONS: 3,
}


@dataclass(frozen=True, slots=True)
class Selector:
    """A pattern, and whether it selects what matches it or all else. `untagged` is None where it was not said.

    The pattern is one of `roadstead.patterns` or, if it is `regular`, of `roadstead.expressions`.
    """

    pattern: str
    excludes: bool = False
    untagged: bool | None = None
    regular: bool = False

    def check(self) -> None:
        """Raises ValueError, with a message for users, if the pattern is none."""
        check = check_expression if self.regular else check_pattern
        check(self.pattern)

    def selects_repository(self, repository: RepositoryName) -> bool:
        """Patterns are of the name without its project."""
        return self._matches(repository.partition("/")[2]) != self.excludes

    def selects_tags(self, tags: Collection[Tag]) -> bool:
        """Whether one of `tags` is selected; without tags `untagged` decides, true for matches and false otherwise.

        With `excludes` it says that untagged artifacts are excluded, too.
        """
        if not tags:
            untagged = self.untagged if self.untagged is not None else not self.excludes
            return untagged != self.excludes
        return any(self._matches(tag) != self.excludes for tag in tags)

    def _matches(self, text: str) -> bool:
        return (expression_matches if self.regular else matches)(self.pattern, text)

    def as_json(self) -> list[object]:
        """`regular` is there only if it is true."""
        return [self.pattern, self.excludes, self.untagged, *([True] if self.regular else [])]

    def as_terms(self, matching: str, excluding: str) -> dict[str, str]:
        terms = {
            "kind": REGULAR if self.regular else DOUBLESTAR,
            "decoration": excluding if self.excludes else matching,
            "pattern": self.pattern,
        }
        if self.untagged is not None:
            terms["extras"] = compact({"untagged": self.untagged})
        return terms


@dataclass(frozen=True, slots=True)
class Rule:
    """`number` is the parameter of the template. All selectors of a kind must select."""

    id: int
    template: Template
    number: int | None = None  # None where none was given
    disabled: bool = False
    tags: tuple[Selector, ...] = ()
    repositories: tuple[Selector, ...] = ()

    @property
    def most(self) -> int:
        return self.number if self.number is not None else _DEFAULTS.get(self.template, 0)

    def selects_repository(self, repository: RepositoryName) -> bool:
        return not self.disabled and all(one.selects_repository(repository) for one in self.repositories)

    def selects_tags(self, tags: Collection[Tag]) -> bool:
        return all(one.selects_tags(tags) for one in self.tags)

    def as_terms(self) -> dict[str, Any]:
        """Return what the rule does, with the names that Harbor's API and its notifications have for it."""
        return {
            "template": str(self.template),
            "params": {str(self.template): self.number} if self.number is not None else {},
            "tag_selectors": [one.as_terms("matches", "excludes") for one in self.tags],
            "scope_selectors": {
                "repository": [one.as_terms("repoMatches", "repoExcludes") for one in self.repositories]
            },
        }

    @property
    def same(self) -> tuple[object, ...]:
        """What two rules share that do the same."""
        return self.template, self.most, frozenset(self.tags), frozenset(self.repositories)


@dataclass(frozen=True, slots=True)
class Policy:
    """A project's rules. `cron` is empty if they run by hand only; `project_id` is that of the project they are for."""

    project_id: int
    rules: tuple[Rule, ...] = ()
    cron: str = ""

    def selecting(self, repository: RepositoryName) -> list[Rule]:
        return [rule for rule in self.rules if rule.selects_repository(repository)]

    def check(self) -> None:
        """Raises PolicyRefused, with a sentence for people."""
        if len(self.rules) > MAX_RULES:
            raise PolicyRefused(f"a project has at most {MAX_RULES} retention rules")
        for rule in self.rules:
            if rule.number is not None and not 0 <= rule.number <= MAX_NUMBER:
                raise PolicyRefused(f"the parameter of {rule.template} is from 0 to {MAX_NUMBER}")
            for selector in (*rule.tags, *rule.repositories):
                try:
                    selector.check()
                except ValueError as error:
                    raise PolicyRefused(str(error)) from error
            if max(len(rule.tags), len(rule.repositories)) > MAX_SELECTORS:
                raise PolicyRefused(f"a rule has at most {MAX_SELECTORS} selectors of a kind")
        if len({rule.same for rule in self.rules}) < len(self.rules):
            raise DuplicateRule("two of the rules do the same: leave one of them out")
        if self.cron:
            try:
                Cron.parse(self.cron)
            except ValueError as error:
                raise PolicyRefused(str(error)) from error

    def as_json(self) -> str:
        return compact(
            {
                "project_id": self.project_id,
                "cron": self.cron,
                "rules": [
                    {
                        "id": rule.id,
                        "template": rule.template,
                        "number": rule.number,
                        "disabled": rule.disabled,
                        "tags": [one.as_json() for one in rule.tags],
                        "repositories": [one.as_json() for one in rule.repositories],
                    }
                    for rule in self.rules
                ],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Policy:
        document: Mapping[str, Any] = json.loads(text)
        rules = tuple(
            Rule(
                rule["id"],
                Template(rule["template"]),
                rule["number"],
                rule["disabled"],
                tuple(Selector(*one) for one in rule["tags"]),
                tuple(Selector(*one) for one in rule["repositories"]),
            )
            for rule in document["rules"]
        )
        return cls(document["project_id"], rules, document["cron"])


class PolicyRefused(Exception):
    """The rules cannot be so. The message is a sentence for people."""


class DuplicateRule(PolicyRefused):
    """Two rules do the same."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An artifact that lists show, as it was looked at. Times are in ms; `tags` maps each to its last push.

    `pulled` is when it, or a child of it, was last pulled or seen by HEAD; 0 for never.
    """

    digest: Digest
    media_type: str
    at: int
    tags: Mapping[Tag, int] = field(default_factory=dict)
    pulled: int = 0

    @property
    def pushed(self) -> int:
        return max(self.at, *self.tags.values()) if self.tags else self.at

    @property
    def wanted(self) -> int:
        """When it was last pulled. What was never pulled counts as pulled when it was pushed."""
        return max(self.pulled, self.pushed)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is a sentence for people. `rule` is the id of the rule that keeps it, 0 if none does."""

    candidate: Candidate
    keep: bool
    reason: str
    rule: int = 0


def judge(
    rules: Sequence[Rule],
    candidates: Iterable[Candidate],
    *,
    now: int,
    is_immutable: Callable[[Tag], bool] = lambda _: False,
) -> list[Verdict]:
    """Return what becomes of each artifact of a repository that `rules` select, those pushed last first.

    `now` is in ms. Without rules everything is kept.
    """
    ordered = sorted(candidates, key=lambda one: (-one.pushed, one.digest))
    reasons: dict[Digest, list[str]] = {one.digest: [] for one in ordered}
    kept: dict[Digest, tuple[int, str]] = {}
    for place, rule in enumerate(rules, 1):
        chosen = [one for one in ordered if rule.selects_tags(one.tags)]
        told = _apply(rule, chosen, now)
        for one in ordered:
            if one.digest not in told:
                reasons[one.digest].append(f"rule {place} does not select it")
                continue
            keep, reason = told[one.digest]
            reasons[one.digest].append(f"rule {place}: {reason}")
            if keep:
                kept.setdefault(one.digest, (rule.id or place, f"rule {place}: {reason}"))
    return [_verdict(one, kept.get(one.digest), reasons[one.digest], bool(rules), now, is_immutable) for one in ordered]


def _verdict(
    one: Candidate,
    kept: tuple[int, str] | None,
    reasons: Sequence[str],
    any_rule: bool,
    now: int,
    is_immutable: Callable[[Tag], bool],
) -> Verdict:
    if kept is not None:
        return Verdict(one, True, kept[1], kept[0])
    if not any_rule:
        return Verdict(one, True, "no rule selects the repository")
    if immutable := [tag for tag in one.tags if is_immutable(tag)]:
        return Verdict(one, True, f"immutable: a rule of the project keeps the tag {immutable[0]}")
    if not one.tags and one.at > now - YOUNG_MS:
        return Verdict(one, True, "it has no tag and is younger than a day: an index may be about to need it")
    return Verdict(one, False, "; ".join(reasons))


def _apply(rule: Rule, chosen: Sequence[Candidate], now: int) -> dict[Digest, tuple[bool, str]]:
    """Return whether the rule keeps each of those that it selects, and why."""
    most = rule.most
    match rule.template:
        case Template.ALWAYS:
            return {one.digest: (True, "it is always kept") for one in chosen}
        case Template.LATEST_PUSHED:
            return _ranked(chosen, most, "most recently pushed")
        case Template.LATEST_PULLED:
            by_pull = sorted(chosen, key=lambda one: (-one.wanted, one.digest))
            return _ranked(by_pull, most, "most recently pulled")
        case Template.DAYS_SINCE_PUSH:
            return {one.digest: _recent(one.pushed, most, now, 0, "pushed") for one in chosen}
        case Template.DAYS_SINCE_PULL:
            return {one.digest: _recent(one.wanted, most, now, PULL_LAG_MS, "pulled") for one in chosen}
        case Template.NEWEST_VERSIONS:
            return _newest_versions(chosen, most)


def _ranked(ordered: Sequence[Candidate], most: int, what: str) -> dict[Digest, tuple[bool, str]]:
    return {
        one.digest: (rank <= most, f"it is number {rank} of the {what}, of which {most} are kept")
        for rank, one in enumerate(ordered, 1)
    }


def _recent(at: int, days: int, now: int, lag: int, what: str) -> tuple[bool, str]:
    age = max(0, now - at)
    keep = age <= days * DAY_MS + lag
    return keep, f"it was {what} {age / DAY_MS:.1f} days ago, and {days} days are kept"


_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?(?:[+_][0-9A-Za-z.-]+)?", re.ASCII)


def version_of(tag: str) -> tuple[Any, ...] | None:
    """Return a key that orders tags as semantic versions (semver.org 2.0.0, section 11), or None for another tag."""
    found = _VERSION.fullmatch(tag)
    if found is None:
        return None
    numbers = tuple(int(part) for part in found.groups()[:3])
    if found[4] is None:
        return (*numbers, 1, ())
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split("."))
    return (*numbers, 0, parts)


def _newest_versions(chosen: Sequence[Candidate], most: int) -> dict[Digest, tuple[bool, str]]:
    """An artifact with several versions counts in each of their minor versions."""
    minors: dict[tuple[int, int], list[tuple[Any, Candidate]]] = {}
    for one in chosen:
        for version in filter(None, map(version_of, one.tags)):
            minors.setdefault((version[0], version[1]), []).append((version, one))
    told = {one.digest: (False, "none of its tags is a semantic version") for one in chosen}
    ranks: dict[Digest, tuple[int, str]] = {}
    for (major, minor), versions in minors.items():
        versions.sort(key=lambda pair: pair[0], reverse=True)
        rank, seen = 0, set[Digest]()
        for _, one in versions:
            if one.digest in seen:
                continue
            seen.add(one.digest)
            rank += 1
            if one.digest not in ranks or rank < ranks[one.digest][0]:
                ranks[one.digest] = rank, f"{major}.{minor}"
    for digest, (rank, minor_version) in ranks.items():
        told[digest] = (rank <= most, f"it is number {rank} of the versions {minor_version}, of which {most} are kept")
    return told
