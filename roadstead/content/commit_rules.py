"""What may forbid a change of a repository's content: the rules of its project.

Everything that sets or removes tags, or adds content, asks the `CommitRules` of its index before its transaction, with
what it has just read: a push, a tag, a copy, a deletion, an undo, retention. The index has them, so that nothing that
can change content can be put together without them; `roadstead.lifecycle` has the implementation.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from roadstead.content.governing import Governing
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName, Tag


class RuleRefused(RegistryError):
    """A rule of the project forbids the change. The message names the rule and what to do: DENIED, status 403."""

    def __init__(self, message: str, **detail: object) -> None:
        super().__init__(ErrorCode.DENIED, message, detail=detail)


class ImmutableTag(RuleRefused):
    """The tag would move to another manifest, or go, although a rule says that it stays."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A commit that is about to be made. `moved` are tags that point to another digest than `digest` until then."""

    repository: RepositoryName
    digest: Digest
    moved: tuple[Tag, ...]
    governing: Governing


class CommitRules(Protocol):
    def check_commit(self, proposed: Proposed) -> None:
        """Raises ImmutableTag if a tag would move that a rule keeps. Setting it to the same digest is no move."""
        ...

    def check_removal(self, repository: RepositoryName, tags: Collection[Tag], governing: Governing) -> None:
        """Raises ImmutableTag if a rule keeps one of `tags`, which are about to be removed with or without their
        manifest. Whoever removes several asks for all of them before the first goes."""
        ...
