"""What a token grants: what is asked for, as far as it is permitted.

`roadstead.identity.roles` says what a role may do. Anybody may pull from a public project. A system administrator may
do everything, `registry:catalog:*` included. `*` in a scope of repositories asks for all that is permitted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from roadstead.identity.access import ALL, CATALOG_ACCESS, PUSH, REPOSITORY, Access
from roadstead.identity.directory import Identity
from roadstead.identity.roles import oci_actions, permissions_of
from roadstead.names import ProjectName, RepositoryName

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Grants:
    """`access` has an entry for every resource asked for, in that order, with no actions where refused.

    `missing_projects` are those that a granted push would need and that do not exist: to be created before the token
    is given out. Only a system administrator's request has any.
    """

    access: tuple[Access, ...]
    missing_projects: tuple[ProjectName, ...] = ()


def projects_of(requested: Iterable[Access]) -> tuple[ProjectName, ...]:
    """The projects whose rules decide about `requested`, each once."""
    names = (_repository(access) for access in requested)
    return tuple(dict.fromkeys(name.project for name in names if name is not None))


def grant(requested: Iterable[Access], identity: Identity) -> Grants:
    """Decides; `identity` is what the store knows of the caller (its `user` is None for nobody) and of the projects."""
    granted = tuple(Access(access.type, access.name, _granted(access, identity)) for access in requested)
    pushed = projects_of(access for access in granted if PUSH in access.actions)
    return Grants(granted, tuple(name for name in pushed if name not in identity.projects))


def _granted(access: Access, identity: Identity) -> frozenset[str]:
    if access.type != REPOSITORY:
        is_admin = identity.user is not None and identity.user.admin
        is_catalog = (access.type, access.name) == (CATALOG_ACCESS.type, CATALOG_ACCESS.name)
        return access.actions & CATALOG_ACCESS.actions if is_admin and is_catalog else _NOTHING
    repository = _repository(access)
    permitted = _permitted(repository.project, identity) if repository is not None else _NOTHING
    return permitted if ALL in access.actions else access.actions & permitted


def _permitted(project: ProjectName, identity: Identity) -> frozenset[str]:
    user, known = identity.user, identity.projects.get(project)
    admin = user is not None and user.admin
    if known is None and not admin:
        return _NOTHING
    role = identity.roles.get(project) if user is not None else None
    return oci_actions(permissions_of(role, public=known is not None and known.public, admin=admin))


def _repository(access: Access) -> RepositoryName | None:
    if access.type != REPOSITORY:
        return None
    try:
        return RepositoryName.parse(access.name)
    except ValueError:
        return None
