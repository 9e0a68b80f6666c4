"""Immutable tags: rules of a project that keep tags from moving and going, as Harbor has them.

A rule selects tags by patterns, in repositories by patterns (of the name without the project). Every selector of a rule
must agree; one matching rule is enough. Tags that a rule selects can be created, and pushed again with the same digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from roadstead.content.accessories import is_accessory
from roadstead.names import RepositoryName, Tag
from roadstead.patterns import matches

MAX_RULES = 100  # of one project
MAX_SELECTORS = 10  # of tags, and of repositories, in one rule


@dataclass(frozen=True, slots=True)
class Selector:
    """Selects names that match a pattern of `roadstead.patterns`; with `excludes`, all others."""

    pattern: str
    excludes: bool = False

    def selects(self, text: str) -> bool:
        return matches(self.pattern, text) != self.excludes

    def __str__(self) -> str:
        return f"except {self.pattern}" if self.excludes else self.pattern


@dataclass(frozen=True, slots=True)
class ImmutableRule:
    """`id` is unique in the project; `priority` is kept for clients and has no effect."""

    id: int
    tags: tuple[Selector, ...]
    repositories: tuple[Selector, ...]
    disabled: bool = False
    priority: int = 0

    def selects(self, repository: RepositoryName, tag: Tag) -> bool:
        name = repository.removeprefix(f"{repository.project}/")
        return all(one.selects(name) for one in self.repositories) and all(one.selects(tag) for one in self.tags)

    def __str__(self) -> str:
        """As a sentence names it: `rule 17 (tags v*, repositories **)`."""
        tags, repositories = (" and ".join(map(str, some)) for some in (self.tags, self.repositories))
        return f"rule {self.id} (tags {tags}, repositories {repositories})"

    def as_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "id": self.id,
            "tags": [_written(one) for one in self.tags],
            "repositories": [_written(one) for one in self.repositories],
        }
        if self.disabled:
            document["disabled"] = True
        if self.priority:
            document["priority"] = self.priority
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            document["id"],
            tuple(map(_read, document["tags"])),
            tuple(map(_read, document["repositories"])),
            document.get("disabled", False),
            document.get("priority", 0),
        )


def rule_for(rules: Iterable[ImmutableRule], repository: RepositoryName, tag: Tag) -> ImmutableRule | None:
    """Return the first enabled rule that keeps a tag, or None.

    A tag in which cosign keeps what belongs to an image (`sha256-….sig`) is never kept: it moves with every signature.
    """
    if is_accessory(tag):
        return None
    return next((rule for rule in rules if not rule.disabled and rule.selects(repository, tag)), None)


def _written(selector: Selector) -> str:
    return f"!{selector.pattern}" if selector.excludes else selector.pattern  # no pattern contains "!"


def _read(text: str) -> Selector:
    return Selector(text.removeprefix("!"), text.startswith("!"))
