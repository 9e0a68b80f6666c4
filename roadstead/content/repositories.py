"""Repositories as wholes: what people write about them."""

from __future__ import annotations

from typing import Protocol

from roadstead.names import RepositoryName
from roadstead.trail.entries import Event

MAX_DESCRIPTION = 2_048  # characters: lists of repositories read them all


class UnknownRepository(Exception):
    """There is no such repository."""


class Repositories(Protocol):
    def describe(self, repository: RepositoryName, description: str, *, event: Event) -> None:
        """Set a repository's description: one transaction. Raises UnknownRepository."""
        ...
