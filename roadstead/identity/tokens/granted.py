"""What a token grants, and its form in the token's claims.

A token lists each resource that was asked for, in the `access` claim of the Docker registry's documentation. Beyond
MAX_ACCESS bytes, repositories are listed as sets instead, in a claim of our own; `access` then holds only the rest:

    "sets": [["acme", 3, "<base64url>"], …]

Each set has a project, the granted actions (1 pull, 2 push, 4 delete; 0 for repositories that were refused) and the
names, each as the first 4 bytes of its SHA-256. Another repository whose name has the same 4 bytes is in the set, too,
with a probability of 1 in 8.6 million for a set of 500. The caller's role permits these actions in the whole project,
so nobody gains a right by it. docs/adr/0011-compact-tokens.md has the reasons.

Where the right is limited to repositories by patterns, the set has them as a fourth member, and a name must match one
of them as well (docs/adr/0017-limits-below-a-project.md):

    ["acme", 3, "<base64url>", ["team-a/**"]]
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from roadstead import base64url
from roadstead.documents import compact
from roadstead.identity.access import ALL, DELETE, PULL, PUSH, REPOSITORY, Access
from roadstead.identity.limits import matches_any
from roadstead.names import MAX_REPOSITORY_NAME, ProjectName, RepositoryName

MAX_ACCESS = 1_900  # bytes of the `access` claim: about 20 repositories with names of 40 characters
MAX_SETS = 4_000  # bytes of the `sets` claim: 700 repositories in one project, 500 in 35
MAX_PROJECTS = 48  # of one token: the store reads them, and a role in each, in one request
SURELY_FIT = MAX_SETS // (MAX_REPOSITORY_NAME + 20)  # scopes, were each a set of its own: a project and 20 bytes

_NAME = 4  # bytes of a name's SHA-256
_BITS = {PULL: 1, PUSH: 2, DELETE: 4}
_ACTIONS = frozenset(_BITS)


# The actions that are granted on a repository, by the patterns to which the right that grants them is limited.
Parts = Callable[[RepositoryName, frozenset[str]], Iterable[tuple[frozenset[str], tuple[str, ...]]]]


def in_whole_projects(
    repository: RepositoryName, actions: frozenset[str]
) -> Iterable[tuple[frozenset[str], tuple[str, ...]]]:
    """Return all actions as parts of rights in the whole project."""
    return ((actions, ()),)


@dataclass(frozen=True, slots=True)
class RepositorySet:
    """Actions on some repositories of one project; `names` are the first bytes of the SHA-256 of their names.

    With `patterns` a repository must match one of them, too.
    """

    project: ProjectName
    actions: frozenset[str]
    names: frozenset[bytes]
    patterns: tuple[str, ...] = ()

    def has(self, repository: RepositoryName) -> bool:
        if repository.project != self.project or _short(repository) not in self.names:
            return False
        return not self.patterns or matches_any(self.patterns, repository)

    def as_claim(self) -> list[Any]:
        bits = sum(_BITS[action] for action in self.actions)
        claim = [self.project, bits, base64url.encode(b"".join(sorted(self.names)))]
        return [*claim, list(self.patterns)] if self.patterns else claim

    @classmethod
    def from_claim(cls, claim: object) -> RepositorySet:
        """Raises ValueError if `claim` does not have the documented shape."""
        if not isinstance(claim, list) or len(claim) not in (3, 4):
            raise ValueError("a set of repositories has three members, or four")
        project, bits, text = claim[:3]
        patterns = claim[3] if len(claim) == 4 else ()
        if not (isinstance(project, str) and isinstance(text, str)):
            raise ValueError("a set of repositories has a project and names")
        if not isinstance(bits, int) or isinstance(bits, bool) or not 0 <= bits < 8:
            raise ValueError("the actions of a set of repositories are a number from 0 to 7")
        if len(claim) == 4 and not (
            isinstance(patterns, list) and patterns and all(isinstance(pattern, str) for pattern in patterns)
        ):
            raise ValueError("the patterns of a set of repositories are a list of texts")
        data = base64url.decode(text)
        if len(data) % _NAME:
            raise ValueError(f"a name in a set of repositories has {_NAME} bytes")
        return cls(
            ProjectName.parse(project),
            frozenset(action for action, bit in _BITS.items() if bits & bit),
            frozenset(data[start : start + _NAME] for start in range(0, len(data), _NAME)),
            tuple(patterns),
        )


@dataclass(frozen=True, slots=True)
class Granted:
    """The access that a token grants. Resources that were asked for and refused are listed without actions."""

    access: tuple[Access, ...] = ()
    sets: tuple[RepositorySet, ...] = ()

    @classmethod
    def of(cls, access: Iterable[Access], parts: Parts = in_whole_projects) -> Granted:
        """Return the grant in the shortest documented form: by name, or as sets once the names exceed MAX_ACCESS.

        `parts` says by which rights the actions on a repository are granted.
        """
        by_name = tuple(access)
        if _size([one.as_claim() for one in by_name]) <= MAX_ACCESS:
            return cls(by_name)
        return cls._compact(by_name, parts)

    @classmethod
    def _compact(cls, access: Iterable[Access], parts: Parts) -> Granted:
        names: dict[tuple[ProjectName, frozenset[str], tuple[str, ...]], set[bytes]] = {}
        rest = []
        for one in access:
            repository = repository_of(one)
            if repository is not None:
                for actions, patterns in parts(repository, one.actions & _ACTIONS):
                    names.setdefault((repository.project, actions, patterns), set()).add(_short(repository))
            elif one.actions:
                rest.append(one)
        sets = (
            RepositorySet(project, actions, frozenset(some), patterns)
            for (project, actions, patterns), some in names.items()
        )
        return cls(tuple(rest), tuple(sets))

    @property
    def fits(self) -> bool:
        """Whether a token can hold the grant. Only patterns can make it larger than what `fits` was asked about."""
        return not self.sets or _size([one.as_claim() for one in self.sets]) <= MAX_SETS

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
        return (some for some in self.sets if some.has(repository))

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


def fits(requested: Sequence[Access]) -> bool:
    """Whether a token can hold everything requested, if all of it is granted.

    What is granted is never larger: within a project, equal requests are granted equal actions.
    """
    if len(requested) <= SURELY_FIT:
        return True
    expanded = (replace(one, actions=one.actions | _ACTIONS) if ALL in one.actions else one for one in requested)
    sets = Granted._compact(expanded, in_whole_projects).sets
    projects = {some.project for some in sets}
    return len(projects) <= MAX_PROJECTS and _size([some.as_claim() for some in sets]) <= MAX_SETS


def repository_of(access: Access) -> RepositoryName | None:
    """Return the repository that `access` is about, or None if it is not about a well-named one."""
    if access.type != REPOSITORY:
        return None
    if isinstance(access.name, RepositoryName):  # `parse_scope` has read it
        return access.name
    try:
        return RepositoryName.parse(access.name)
    except ValueError:
        return None


def _short(repository: RepositoryName) -> bytes:
    return hashlib.sha256(repository.encode()).digest()[:_NAME]


def _size(claim: list[Any]) -> int:
    return len(compact(claim))
