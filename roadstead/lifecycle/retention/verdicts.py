"""What retention rules make of the artifacts of a repository: which stay, which go, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from roadstead.digest import Digest
from roadstead.lifecycle.retention.rules import Policy, Rule, Template
from roadstead.names import RepositoryName, Tag

DAY_MS = 86_400_000
YOUNG_MS = DAY_MS  # an untagged artifact may be the child of an index that is still being pushed
PULL_LAG_MS = 3_600_000  # a pull is told by a log line, which may come as late


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


def judge_repository(
    policy: Policy,
    repository: RepositoryName,
    candidates: Iterable[Candidate],
    *,
    now: int,
    is_immutable: Callable[[RepositoryName, Tag], bool],
) -> list[Verdict]:
    """Return what becomes of each artifact of a repository; see `judge`."""
    rules = policy.selecting(repository)
    return judge(rules, candidates, now=now, is_immutable=lambda tag: is_immutable(repository, tag))


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
