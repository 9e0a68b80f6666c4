"""Access as data: what a request needs, and what a scope asks for.

Source: the Docker registry token documentation, "Token Scope Documentation" (`type:name:actions`) and "JWT
implementation" (the `access` claim).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from roadstead.names import RepositoryName

PULL, PUSH, DELETE = "pull", "push", "delete"
ALL = "*"
REPOSITORY, REGISTRY = "repository", "registry"
CATALOG = "catalog"

# The order of actions in scopes and tokens, so that equal access is written in one way.
_ORDER = {PULL: 0, PUSH: 1, DELETE: 2, ALL: 3}


def _ordered(actions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(actions), key=lambda action: (_ORDER.get(action, 9), action)))


@dataclass(frozen=True, slots=True)
class Access:
    """Actions on one resource. `name` is as the client wrote it, and may not be a valid name."""

    type: str
    name: str
    actions: frozenset[str]

    @classmethod
    def to(cls, repository: str, *actions: str) -> Access:
        """Return access to a repository."""
        return cls(REPOSITORY, repository, frozenset(actions))

    def scope(self) -> str:
        """Return the scope that asks for this access."""
        return f"{self.type}:{self.name}:{','.join(_ordered(self.actions))}"

    def as_claim(self) -> dict[str, Any]:
        """Return an element of the `access` claim."""
        return {"type": self.type, "name": self.name, "actions": list(_ordered(self.actions))}

    @classmethod
    def from_claim(cls, claim: Mapping[str, Any]) -> Access:
        """Raises ValueError if `claim` does not have the documented shape."""
        type_, name, actions = claim.get("type"), claim.get("name"), claim.get("actions")
        if not (isinstance(type_, str) and isinstance(name, str) and isinstance(actions, list)):
            raise ValueError("an access entry needs type, name and actions")
        if not all(isinstance(action, str) for action in actions):
            raise ValueError("actions are strings")
        return cls(type_, name, frozenset(actions))


CATALOG_ACCESS = Access(REGISTRY, CATALOG, frozenset({ALL}))


def parse_scope(text: str) -> Access:
    """Parse one scope, `type:name:actions`; the name may contain colons. Raises ValueError.

    A resource class (`repository(plugin)`) is accepted and ignored.
    """
    type_, first, rest = text.partition(":")
    name, last, actions = rest.rpartition(":")
    if not (first and last and type_ and name):
        raise ValueError(f"{text[:300]!r} is not a scope: expected type:name:action,action")
    type_ = type_.partition("(")[0]
    return Access(type_, _canonical(type_, name), frozenset(action for action in actions.split(",") if action))


def _canonical(type_: str, name: str) -> str:
    """Return a repository's name in its canonical form, and any other name unchanged."""
    try:
        return RepositoryName.parse(name) if type_ == REPOSITORY else name
    except ValueError:
        return name


def parse_scopes(parameters: Iterable[str]) -> tuple[Access, ...]:
    """Parse repeated and space-separated scopes, merged by resource, in the order of first mention."""
    merged: dict[tuple[str, str], frozenset[str]] = {}
    for parameter in parameters:
        for text in parameter.split():
            access = parse_scope(text)
            key = (access.type, access.name)
            merged[key] = merged.get(key, frozenset()) | access.actions
    return tuple(Access(type_, name, actions) for (type_, name), actions in merged.items())
