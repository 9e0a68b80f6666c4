"""What a token grants, and its form in the token's claims.

A token lists each resource that was asked for, in the `access` claim of the Docker registry's documentation. Beyond
MAX_ACCESS bytes, repositories are listed as sets instead, in a claim of our own; `access` then holds only the rest:

    "sets": [["acme", 3, "<base64url>"], …]

Each set has a project, the granted actions (1 pull, 2 push, 4 delete; 0 for repositories that were refused) and the
names, each as the first 4 bytes of its SHA-256. Another repository whose name has the same 4 bytes is in the set, too,
with a probability of 1 in 8.6 million for a set of 500. The caller's role permits these actions in the whole project,
so nobody gains a right by it. docs/adr/0011-compact-tokens.md has the reasons.

A set has exactly three members: a token with a fourth (patterns that limit a role, say) is refused by a registry that
does not know it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from roadstead import base64url
from roadstead.documents import compact
from roadstead.identity.access import ALL, DELETE, PULL, PUSH, REPOSITORY, Access
from roadstead.names import ProjectName, RepositoryName

MAX_ACCESS = 1_900  # bytes of the `access` claim: about 20 repositories with names of 40 characters
MAX_SETS = 4_000  # bytes of the `sets` claim: 700 repositories in one project, 500 in 35
MAX_PROJECTS = 48  # of one token: the store reads them, and a role in each, in one request

_NAME = 4  # bytes of a name's SHA-256
_BITS = {PULL: 1, PUSH: 2, DELETE: 4}
_ACTIONS = frozenset(_BITS)


@dataclass(frozen=True, slots=True)
class RepositorySet:
    """Actions on some repositories of one project; `names` are the first bytes of the SHA-256 of their names."""

    project: ProjectName
    actions: frozenset[str]
    names: frozenset[bytes]

    def as_claim(self) -> list[Any]:
        bits = sum(_BITS[action] for action in self.actions)
        return [self.project, bits, base64url.encode(b"".join(sorted(self.names)))]

    @classmethod
    def from_claim(cls, claim: object) -> RepositorySet:
        """Raises ValueError if `claim` does not have the documented shape."""
        if not isinstance(claim, list) or len(claim) != 3:
            raise ValueError("a set of repositories has three members")
        project, bits, text = claim
        if not (isinstance(project, str) and isinstance(text, str)):
            raise ValueError("a set of repositories has a project and names")
        if not isinstance(bits, int) or isinstance(bits, bool) or not 0 <= bits < 8:
            raise ValueError("the actions of a set of repositories are a number from 0 to 7")
        data = base64url.decode(text)
        if len(data) % _NAME:
            raise ValueError(f"a name in a set of repositories has {_NAME} bytes")
        return cls(
            ProjectName.parse(project),
            frozenset(action for action, bit in _BITS.items() if bits & bit),
            frozenset(data[start : start + _NAME] for start in range(0, len(data), _NAME)),
        )


@dataclass(frozen=True, slots=True)
class Granted:
    """The access that a token grants. Resources that were asked for and refused are listed without actions."""

    access: tuple[Access, ...] = ()
    sets: tuple[RepositorySet, ...] = ()

    @classmethod
    def of(cls, access: Iterable[Access]) -> Granted:
        """Return the grant in the shortest documented form: by name, or as sets once the names exceed MAX_ACCESS."""
        by_name = tuple(access)
        return cls(by_name) if _size([one.as_claim() for one in by_name]) <= MAX_ACCESS else cls._compact(by_name)

    @classmethod
    def _compact(cls, access: Iterable[Access]) -> Granted:
        names: dict[tuple[ProjectName, frozenset[str]], set[bytes]] = {}
        rest = []
        for one in access:
            repository = repository_of(one)
            if repository is not None:
                names.setdefault((repository.project, one.actions & _ACTIONS), set()).add(_short(repository))
            elif one.actions:
                rest.append(one)
        sets = (RepositorySet(project, actions, frozenset(some)) for (project, actions), some in names.items())
        return cls(tuple(rest), tuple(sets))

    def permits(self, needed: Access) -> bool:
        """Whether every action of `needed` is granted on that resource."""
        held: set[str] = set()
        for access in self.access:
            if access.type == needed.type and access.name == needed.name:
                held |= access.actions
        if self.sets and (repository := repository_of(needed)) is not None:
            held.update(action for some in self._sets_with(repository) for action in some.actions)
        return needed.actions <= held

    def mentions(self, repository: RepositoryName) -> bool:
        """Whether the token was asked for access to this repository, granted or not."""
        by_name = any(access.type == REPOSITORY and access.name == repository for access in self.access)
        return by_name or any(True for _ in self._sets_with(repository))

    def repositories(self, project: ProjectName) -> Iterator[RepositoryName]:
        """Yield the project's repositories that are listed by name. Sets do not tell the names in them."""
        for access in self.access:
            repository = repository_of(access)
            if repository is not None and repository.project == project:
                yield repository

    def _sets_with(self, repository: RepositoryName) -> Iterator[RepositorySet]:
        project, name = repository.project, _short(repository)
        return (some for some in self.sets if some.project == project and name in some.names)

    def as_claims(self) -> dict[str, Any]:
        claims: dict[str, Any] = {"access": [one.as_claim() for one in self.access]}
        if self.sets:
            claims["sets"] = [one.as_claim() for one in self.sets]
        return claims

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Granted:
        """Raises ValueError if `access` or `sets` do not have the documented shape. `sets` may be absent."""
        access, sets = claims.get("access"), claims.get("sets", [])
        if not (isinstance(access, list) and isinstance(sets, list)):
            raise ValueError("access and sets are lists")
        if not all(isinstance(claim, dict) for claim in access):
            raise ValueError("an access entry is an object")
        return cls(
            tuple(Access.from_claim(claim) for claim in access),
            tuple(RepositorySet.from_claim(claim) for claim in sets),
        )


NOTHING_GRANTED = Granted()


def fits(requested: Iterable[Access]) -> bool:
    """Whether a token can hold everything requested, if all of it is granted.

    What is granted is never larger: within a project, equal requests are granted equal actions.
    """
    expanded = (replace(one, actions=one.actions | _ACTIONS) if ALL in one.actions else one for one in requested)
    sets = Granted._compact(expanded).sets
    projects = {some.project for some in sets}
    return len(projects) <= MAX_PROJECTS and _size([some.as_claim() for some in sets]) <= MAX_SETS


def repository_of(access: Access) -> RepositoryName | None:
    """Return the repository that `access` is about, or None if it is not about a well-named one."""
    if access.type != REPOSITORY:
        return None
    try:
        return RepositoryName.parse(access.name)
    except ValueError:
        return None


def _short(repository: RepositoryName) -> bytes:
    return hashlib.sha256(repository.encode()).digest()[:_NAME]


def _size(claim: list[Any]) -> int:
    return len(compact(claim))
