"""What the console's first page shows, in one answer: counts, what needs attention, what was pushed and done last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.management.call import Call
from functions.management.handlers.content.repositories import repository_document
from functions.management.handlers.system.attention import governed, looked_at, warnings
from functions.management.handlers.system.audit_logs import newest_entries
from functions.management.harbor.audit import audit_log_ext_document
from functions.management.route import OWN, Anybody, route
from roadstead.administration.statistics import count
from roadstead.http import Response
from roadstead.identity.directory import Role
from roadstead.identity.lists import VisibleProject
from roadstead.identity.providers.oidc_settings import is_configured
from roadstead.names import RepositoryName

SHOWN = 8  # repositories, and entries of the trail
_PUSHERS = (Role.ADMIN, Role.MAINTAINER, Role.DEVELOPER)


def get_home(call: Call) -> Response:
    """Costs the list of projects, one Query for each MB of repositories' names, and two reads for those pushed last,
    or a Query for each project where there are more than 100 repositories.

    For who is signed in also their roles, but not a system administrator's; a read of usage and quotas for each 50
    projects; warnings (`attention.warnings`); the end of the trail, which for who is no system administrator is a Query
    for each project whose log they may list.
    """
    services, caller = call.services, call.caller
    projects = call.visible_projects(roles=False)
    visible = {one.project.name: one for one in projects}
    names = [
        name for name in services.pages.list_names() if name.project in visible and visible[name.project].shows(name)
    ]
    document: dict[str, Any] = {
        "read_only": services.configuration.read().flag("read_only"),
        "repositories": _pushed(call, projects, names),
        "push_to": _push_to(call, projects) if not names else None,
        "statistics": None,
        "attention": None,
        "activity": [],
        "providers": None,
    }
    if caller.is_signed_in:
        found = governed(call, projects)
        used = {name: bytes_ for name, (_, bytes_) in found.items()}
        if caller.is_admin:
            used |= services.pages.usage([one.project.name for one in projects if one.project.name not in used])
        counted = count(projects, names, used)
        document |= {
            "statistics": {
                "projects": counted.public_projects + counted.private_projects,
                "repositories": counted.public_repositories + counted.private_repositories,
                "storage": counted.bytes if caller.is_admin else None,
            },
            "attention": warnings(call, projects, found),
            "activity": [audit_log_ext_document(one) for one in newest_entries(call, projects, SHOWN)],
        }
    if caller.is_admin:
        settings = services.configuration.read()
        document["providers"] = {
            "oidc_endpoint": settings.text("oidc_endpoint") if is_configured(settings) else "",
            "ldap_url": settings.text("ldap_url"),
        }
    return Response.json(200, document)


def _pushed(call: Call, projects: Sequence[VisibleProject], names: Sequence[RepositoryName]) -> dict[str, Any]:
    """The repositories that were pushed to last, of the projects that are looked at."""
    ids = {one.project.name: one.project.id for one in looked_at(projects)}
    found = call.services.pages.last_updated([name for name in names if name.project in ids], limit=SHOWN)
    return {
        "total": len(names),
        "last": [repository_document(one, ids[one.name.project]) for one in found],
        "projects": {"looked_at": len(ids), "all": len(projects)},
    }


def _push_to(call: Call, projects: Sequence[VisibleProject]) -> str | None:
    """A project that a person may push a first image to."""
    pushed = (one.project.name for one in projects if call.caller.is_admin or one.role in _PUSHERS)
    return next(pushed, None)


ROUTES = (route("getHome", "GET", f"{OWN}/home", Anybody(), get_home),)
