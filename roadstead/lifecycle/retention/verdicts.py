"""What retention rules make of the artifacts of a repository: which stay, which go, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

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


class Cause(StrEnum):
    """Why an artifact stays or goes, for programs that say it in their own words."""

    NO_RULE = "no-rule"
    IMMUTABLE = "immutable"
    YOUNG = "young"
    NOT_SELECTED = "not-selected"
    ALWAYS = "always"
    PUSH_RANK = "push-rank"
    PULL_RANK = "pull-rank"
    PUSH_AGE = "push-age"
    PULL_AGE = "pull-age"
    VERSION_RANK = "version-rank"
    NO_VERSION = "no-version"


_SENTENCES: Mapping[Cause, str] = {
    Cause.NO_RULE: "no rule selects the repository",
    Cause.IMMUTABLE: "immutable: a rule of the project keeps the tag {tag}",
    Cause.YOUNG: "it has no tag and is younger than a day: an index may be about to need it",
    Cause.NOT_SELECTED: "rule {rule} does not select it",
    Cause.ALWAYS: "rule {rule}: it is always kept",
    Cause.PUSH_RANK: "rule {rule}: it is number {rank} of the most recently pushed, of which {most} are kept",
    Cause.PULL_RANK: "rule {rule}: it is number {rank} of the most recently pulled, of which {most} are kept",
    Cause.PUSH_AGE: "rule {rule}: it was pushed {days:.1f} days ago, and {most} days are kept",
    Cause.PULL_AGE: "rule {rule}: it was pulled {days:.1f} days ago, and {most} days are kept",
    Cause.VERSION_RANK: "rule {rule}: it is number {rank} of the versions {versions}, of which {most} are kept",
    Cause.NO_VERSION: "rule {rule}: none of its tags is a semantic version",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """A cause, with what its sentence names: the place of a rule, ranks, days, a tag."""

    cause: Cause
    values: Mapping[str, int | float | str] = field(default_factory=dict)

    def __str__(self) -> str:
        return _SENTENCES[self.cause].format(**self.values)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` is the id of the rule that keeps it, 0 if none does. `spared` says why a run has left it after all."""

    candidate: Candidate
    keep: bool
    reasons: tuple[Reason, ...]
    rule: int = 0
    spared: str = ""

    @property
    def reason(self) -> str:
        """The reasons as a sentence for people."""
        return self.spared or "; ".join(map(str, self.reasons))


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
    rules: Mapping[int, Rule],
    candidates: Iterable[Candidate],
    *,
    now: int,
    is_immutable: Callable[[Tag], bool] = lambda _: False,
) -> list[Verdict]:
    """Return what becomes of each artifact of a repository that `rules` select, those pushed last first.

    Reasons name the rules by their keys. `now` is in ms. Without rules everything is kept.
    """
    ordered = sorted(candidates, key=lambda one: (-one.pushed, one.digest))
    reasons: dict[Digest, list[Reason]] = {one.digest: [] for one in ordered}
    kept: dict[Digest, tuple[int, Reason]] = {}
    for place, rule in rules.items():
        chosen = [one for one in ordered if rule.selects_tags(one.tags)]
        told = _apply(rule, chosen, now)
        for one in ordered:
            keep, cause, values = told.get(one.digest, (False, Cause.NOT_SELECTED, {}))
            reason = Reason(cause, {"rule": place, **values})
            reasons[one.digest].append(reason)
            if keep:
                kept.setdefault(one.digest, (rule.id or place, reason))
    return [_verdict(one, kept.get(one.digest), reasons[one.digest], bool(rules), now, is_immutable) for one in ordered]


def _verdict(
    one: Candidate,
    kept: tuple[int, Reason] | None,
    reasons: Sequence[Reason],
    any_rule: bool,
    now: int,
    is_immutable: Callable[[Tag], bool],
) -> Verdict:
    if kept is not None:
        return Verdict(one, True, (kept[1],), kept[0])
    if not any_rule:
        return Verdict(one, True, (Reason(Cause.NO_RULE),))
    if immutable := [tag for tag in one.tags if is_immutable(tag)]:
        return Verdict(one, True, (Reason(Cause.IMMUTABLE, {"tag": immutable[0]}),))
    if not one.tags and one.at > now - YOUNG_MS:
        return Verdict(one, True, (Reason(Cause.YOUNG),))
    return Verdict(one, False, tuple(reasons))


_Told: TypeAlias = tuple[bool, Cause, Mapping[str, int | float | str]]  # whether a rule keeps it, and why


def _apply(rule: Rule, chosen: Sequence[Candidate], now: int) -> dict[Digest, _Told]:
    """Return whether the rule keeps each of those that it selects, and why."""
    most = rule.most
    match rule.template:
        case Template.ALWAYS:
            return {one.digest: (True, Cause.ALWAYS, {}) for one in chosen}
        case Template.LATEST_PUSHED:
            return _ranked(chosen, most, Cause.PUSH_RANK)
        case Template.LATEST_PULLED:
            by_pull = sorted(chosen, key=lambda one: (-one.wanted, one.digest))
            return _ranked(by_pull, most, Cause.PULL_RANK)
        case Template.DAYS_SINCE_PUSH:
            return {one.digest: _recent(one.pushed, most, now, 0, Cause.PUSH_AGE) for one in chosen}
        case Template.DAYS_SINCE_PULL:
            return {one.digest: _recent(one.wanted, most, now, PULL_LAG_MS, Cause.PULL_AGE) for one in chosen}
        case Template.NEWEST_VERSIONS:
            return _newest_versions(chosen, most)


def _ranked(ordered: Sequence[Candidate], most: int, cause: Cause) -> dict[Digest, _Told]:
    return {one.digest: (rank <= most, cause, {"rank": rank, "most": most}) for rank, one in enumerate(ordered, 1)}


def _recent(at: int, most: int, now: int, lag: int, cause: Cause) -> _Told:
    age = max(0, now - at)
    return age <= most * DAY_MS + lag, cause, {"days": round(age / DAY_MS, 1), "most": most}


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


def _newest_versions(chosen: Sequence[Candidate], most: int) -> dict[Digest, _Told]:
    """An artifact with several versions counts in each of their minor versions."""
    minors: dict[tuple[int, int], list[tuple[Any, Candidate]]] = {}
    for one in chosen:
        for version in filter(None, map(version_of, one.tags)):
            minors.setdefault((version[0], version[1]), []).append((version, one))
    told: dict[Digest, _Told] = {one.digest: (False, Cause.NO_VERSION, {}) for one in chosen}
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
        told[digest] = rank <= most, Cause.VERSION_RANK, {"rank": rank, "versions": minor_version, "most": most}
    return told
