"""What a project's rules and usage say to a commit. They ride in the read that a commit makes anyway.

The rules are a document of the wing that makes them (immutability, quota), kept and versioned here as text. `used` is
what the indexer has counted: blobs of the project once each, and its manifests; what was pushed within the last seconds
may be missing from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from roadstead.names import ProjectName
from roadstead.trail.entries import Event

MAX_RULES = 32 * 1024  # bytes of a project's rules: each commit reads them


@dataclass(frozen=True, slots=True)
class Governing:
    """`rules` is a JSON document, empty if the project has none; `used` in bytes."""

    rules: str = ""
    used: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    document: str
    version: int


class RulesTooLarge(ValueError):
    """A project's rules take more than MAX_RULES bytes. The message is a sentence for a person."""

    def __init__(self, project: ProjectName) -> None:
        super().__init__(f"the rules of {project} take more than {MAX_RULES} bytes")


class ProjectRules(Protocol):
    def find_rules(self, project: ProjectName) -> Rules | None:
        """Return a project's rules, or None. One read, strongly consistent."""
        ...

    def read_governing(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, Governing]:
        """Return what governs each project; one without rules and usage too. One read for each 50."""
        ...

    def put_rules(self, project: ProjectName, document: str, *, replaces: int, event: Event) -> Rules:
        """Keep rules and their event if those there have the version `replaces` (0: there are none).

        One transaction. They bind every commit that begins afterwards. Raises Conflict, RulesTooLarge.
        """
        ...
