"""Retention rules: what of a project's repositories is kept. Whatever no rule keeps goes, in repositories that a rule
selects; other repositories are left alone. `verdicts` applies them.

Rules are Harbor's (`or`: one rule that keeps an artifact is enough), with `newestVersionsOfMinor` and the selectors of
the kind `regexp` beyond. The unit is the artifact with all its tags: one of them that matches keeps it.
Source: Harbor, src/pkg/retention (policy, rule) and src/lib/selector/selectors/doublestar.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from roadstead.documents import compact
from roadstead.expressions import check_expression, expression_matches
from roadstead.lifecycle.executions.cron import Cron
from roadstead.names import RepositoryName, Tag
from roadstead.patterns import check_pattern, matches

MAX_RULES = 15
MAX_SELECTORS = 10  # of tags or of repositories, in one rule
MAX_NUMBER = 100_000  # of artifacts or days

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

    def selecting(self, repository: RepositoryName) -> dict[int, Rule]:
        """Return the rules that select a repository, by their places among all of them, the first of which is 1."""
        return {place: rule for place, rule in enumerate(self.rules, 1) if rule.selects_repository(repository)}

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
