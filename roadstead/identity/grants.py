"""Decides what a token grants: the intersection of what is requested and what is permitted.

`roadstead.identity.rights` says what a caller may do in a project. A system administrator may do everything,
`registry:catalog:*` included. `*` in a scope of a repository requests everything that is permitted.

A push to a project that does not exist creates it, if a system administrator requests `push` by name. `*` is what a
client sends that does not know what it needs, so it creates nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from roadstead.identity.access import ALL, CATALOG_ACCESS, DELETE, PUSH, REPOSITORY, Access
from roadstead.identity.directory import Identity
from roadstead.identity.rights import may_read_catalog, parts_of, permissions_on
from roadstead.identity.roles import oci_actions
from roadstead.identity.tokens.granted import Parts, in_whole_projects, repository_of
from roadstead.names import ProjectName

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grants:
    """`access` has an entry for each requested resource, in that order, without actions where refused.

    `missing_projects` do not exist and must be created before the token is issued. Only a system administrator's
    request has any.
    """

    access: tuple[Access, ...]
    missing_projects: tuple[ProjectName, ...] = ()
    parts: Parts = field(default=in_whole_projects, compare=False, repr=False)  # by which right each action is granted


def projects_of(requested: Iterable[Access]) -> tuple[ProjectName, ...]:
    """Return the projects of the requested repositories, each once."""
    names = (repository_of(access) for access in requested)
    return tuple(dict.fromkeys(name.project for name in names if name is not None))


def grant(
    requested: Iterable[Access], identity: Identity, *, creates_projects: bool = True, read_only: bool = False
) -> Grants:
    """Decide what to grant of `requested`. `identity` is what the store has of the caller and of the projects.

    Without `creates_projects`, nobody may push to a project that does not exist. While the registry is `read_only`,
    nobody may push or delete.
    """
    withheld = frozenset({PUSH, DELETE}) if read_only else _NOTHING
    granted = tuple(
        Access(access.type, access.name, _granted(access, identity, creates_projects) - withheld)
        for access in requested
    )
    pushed = projects_of(access for access in granted if PUSH in access.actions)
    missing = tuple(name for name in pushed if name not in identity.projects)
    return Grants(granted, missing, lambda repository, actions: parts_of(repository, actions, identity))


def _granted(access: Access, identity: Identity, creates_projects: bool) -> frozenset[str]:
    if access.type != REPOSITORY:
        is_catalog = (access.type, access.name) == (CATALOG_ACCESS.type, CATALOG_ACCESS.name)
        return access.actions & CATALOG_ACCESS.actions if is_catalog and may_read_catalog(identity) else _NOTHING
    repository = repository_of(access)
    if repository is None:
        return _NOTHING
    permitted = oci_actions(permissions_on(repository, identity))
    if repository.project not in identity.projects and not (creates_projects and PUSH in access.actions):
        permitted -= {PUSH}
    return permitted if ALL in access.actions else access.actions & permitted
