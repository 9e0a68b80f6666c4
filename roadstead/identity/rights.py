"""What a caller may do in a project, and on one of its repositories: one decision, for tokens and the management API.

A right may be limited to repositories by patterns. In the project as a whole, such a right only lets its holder see the
project, its labels, and the repositories that match.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from roadstead.identity.directory import Identity, Patterns
from roadstead.identity.limits import matches_any
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.identity.robots.robots import permissions_of_grants
from roadstead.identity.roles import PERMISSIONS, PUBLIC_PERMISSIONS, oci_actions, permissions_of
from roadstead.names import ProjectName, RepositoryName

LIST_REPOSITORIES = Permission(Resource.REPOSITORY, Action.LIST)
_READ_CATALOG = Permission(Resource.CATALOG, Action.READ)
_SEEN = frozenset(
    {
        LIST_REPOSITORIES,  # of which lists then show those that match
        Permission(Resource.PROJECT, Action.READ),
        Permission(Resource.QUOTA, Action.READ),
        Permission(Resource.CONFIGURATION, Action.READ),
        Permission(Resource.LABEL, Action.READ),
        Permission(Resource.LABEL, Action.LIST),
    }
)


@dataclass(frozen=True, slots=True)
class LimitedRight:
    """Permissions on the repositories of a project that match one of `patterns`."""

    permissions: frozenset[Permission]
    patterns: Patterns


def permissions_in(project: ProjectName, identity: Identity) -> frozenset[Permission]:
    """Return what the caller of `identity` may do in a project, which was read with it, as a whole.

    With a limited right, that is to see it, and to list the repositories that match. Only a system administrator may do
    anything in a project that does not exist.
    """
    seen = frozenset(one for right in limited_rights(project, identity) for one in right.permissions)
    return whole_permissions(project, identity) | (seen & _SEEN)


def permissions_on(repository: RepositoryName, identity: Identity) -> frozenset[Permission]:
    """Return what the caller may do on a repository, which need not exist, and in its project."""
    found = permissions_in(repository.project, identity)
    for right in limited_rights(repository.project, identity):
        if matches_any(right.patterns, repository):
            found |= right.permissions
    if LIST_REPOSITORIES in found and not sees(repository, identity):
        found -= {LIST_REPOSITORIES}
    return found


def sees(repository: RepositoryName, identity: Identity) -> bool:
    """Whether the caller may see that a repository exists."""
    if LIST_REPOSITORIES in whole_permissions(repository.project, identity):
        return True
    return any(
        LIST_REPOSITORIES in right.permissions and matches_any(right.patterns, repository)
        for right in limited_rights(repository.project, identity)
    )


def whole_permissions(project: ProjectName, identity: Identity) -> frozenset[Permission]:
    """Return what the caller may do everywhere in a project, by no limited right."""
    known = identity.projects.get(project)
    is_public = known is not None and known.public
    if identity.robot is not None:
        own = identity.robot.permissions_in(project, known.id) if known is not None else frozenset()
        return own | PUBLIC_PERMISSIONS if is_public else own
    user = identity.user
    is_admin = user is not None and user.admin
    if known is None and not is_admin:
        return frozenset()
    role = identity.roles.get(project) if user is not None else None
    permissions = _carried(project, identity, permissions_of(role, public=is_public, admin=is_admin))
    return permissions | PUBLIC_PERMISSIONS if is_public else permissions


def limited_rights(project: ProjectName, identity: Identity) -> Iterator[LimitedRight]:
    """Yield the caller's rights in a project that are limited to some of its repositories."""
    known = identity.projects.get(project)
    if known is None:
        return
    if identity.robot is not None:
        for grant in identity.robot.grants_in(project, known.id):
            if grant.patterns:
                yield LimitedRight(permissions_of_grants([grant]), grant.patterns)
    elif identity.user is not None:
        for held in identity.limited_roles.get(project, ()):
            yield LimitedRight(_carried(project, identity, PERMISSIONS[held.role]), held.patterns)


def parts_of(
    repository: RepositoryName, actions: frozenset[str], identity: Identity
) -> Iterator[tuple[frozenset[str], Patterns]]:
    """Yield `actions` of an OCI scope, which the caller may do on a repository, by the right that each comes from.

    Actions without patterns are permitted in the whole project; the others on every repository that matches.
    """
    whole = actions & oci_actions(whole_permissions(repository.project, identity))
    if whole or not actions:
        yield whole, ()
    left = actions - whole
    for right in limited_rights(repository.project, identity):
        part = left & oci_actions(right.permissions)
        if part and matches_any(right.patterns, repository):
            yield part, right.patterns
            left -= part


def may_read_catalog(identity: Identity) -> bool:
    """Whether the caller may list the repositories of all projects."""
    if identity.robot is not None:
        return _READ_CATALOG in identity.robot.system_permissions
    return identity.user is not None and identity.user.admin


def _carried(project: ProjectName, identity: Identity, permissions: frozenset[Permission]) -> frozenset[Permission]:
    """Return what of a user's permissions their access token carries; all without one."""
    token, known = identity.access_token, identity.projects.get(project)
    if token is None:
        return permissions
    return token.limited(permissions) if token.reaches(project, known.id if known is not None else 0) else frozenset()
