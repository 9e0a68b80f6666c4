"""What may forbid a change of a repository's content: the rules of its project.

Everything that sets or removes tags, or adds content, asks the `CommitRules` of its index before its transaction, with
what it has just read: a push, a tag, a copy, a deletion, an undo, retention. The index has them, so that nothing that
can change content can be put together without them; `roadstead.lifecycle` has the implementation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from roadstead.content.governing import Governing
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName, Tag
from roadstead.trail.entries import Actor


class RuleRefused(RegistryError):
    """A rule of the project forbids the change. The message names the rule and what to do: DENIED, status 403."""

    def __init__(self, message: str, **detail: object) -> None:
        super().__init__(ErrorCode.DENIED, message, detail=detail)


class ImmutableTag(RuleRefused):
    """The tag would move to another manifest, or go, although a rule says that it stays."""


class QuotaExceeded(RuleRefused):
    """The project would hold more than its quota."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A commit that is about to be made: `tags` will point to `digest`.

    `moved` are those of them that point to another digest until then. `size` is the manifest's in bytes, and `blobs`
    has the sizes of what it needs, if the manifest is not there yet; otherwise the commit adds no bytes.
    """

    repository: RepositoryName
    digest: Digest
    tags: tuple[Tag, ...]
    actor: Actor
    governing: Governing
    moved: tuple[Tag, ...] = ()
    size: int = 0
    blobs: Mapping[Digest, int] = field(default_factory=dict)
    makes_repository: bool = False
    makes_artifact: bool = False  # one that lists show


class CommitRules(Protocol):
    def check_upload(self, repository: RepositoryName, actor: Actor) -> None:
        """Raises QuotaExceeded if the project's bytes are used up: what is uploaded could not be committed.

        One read, and none if the same process found room in the project within the last minute.
        """
        ...

    def check_commit(self, proposed: Proposed) -> None:
        """Raises ImmutableTag if a tag would move that a rule keeps, QuotaExceeded if the project would hold too much.

        Reads nothing while the project stays within its quota by far.
        """
        ...

    def reserve(self, proposed: Proposed, generation: str) -> bool:
        """Reserve what a commit adds, if the project's limit is hard; whether that was done.

        Called when all that the commit needs is there, and last before it. The same again renews the reservation.
        Raises QuotaExceeded; then nothing is reserved. Reads and writes nothing where no limit is hard.
        """
        ...

    def unreserve(self, repository: RepositoryName, generation: str) -> None:
        """Drop the reservation of a commit that was not made."""
        ...

    def check_removal(self, repository: RepositoryName, tags: Collection[Tag], governing: Governing) -> None:
        """Raises ImmutableTag if a rule keeps one of `tags`, which are about to be removed with or without their
        manifest. Whoever removes several asks for all of them before the first goes."""
        ...
