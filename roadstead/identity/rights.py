"""What a caller may do in a project: one decision, for tokens and for the management API."""

from __future__ import annotations

from roadstead.identity.directory import Identity
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.identity.roles import PUBLIC_PERMISSIONS, permissions_of
from roadstead.names import ProjectName

_READ_CATALOG = Permission(Resource.CATALOG, Action.READ)


def permissions_in(project: ProjectName, identity: Identity) -> frozenset[Permission]:
    """Return what the user, the robot or the anonymous caller of `identity` may do in a project that was read with it.

    Only a system administrator may do anything in a project that does not exist.
    """
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
    permissions = permissions_of(role, public=is_public, admin=is_admin)
    token = identity.access_token
    if token is None:
        return permissions
    limited = (
        token.limited(permissions) if token.reaches(project, known.id if known is not None else 0) else frozenset()
    )
    return limited | PUBLIC_PERMISSIONS if is_public else limited


def may_read_catalog(identity: Identity) -> bool:
    """Whether the caller may list the repositories of all projects."""
    if identity.robot is not None:
        return _READ_CATALOG in identity.robot.system_permissions
    return identity.user is not None and identity.user.admin
