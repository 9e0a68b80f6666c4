"""Counts over everything that the caller may see."""

from __future__ import annotations

from functions.management.call import Call
from functions.management.route import HARBOR, SignedIn, route
from roadstead.administration.statistics import count
from roadstead.http import Response


def get_statistics(call: Call) -> Response:
    """Totals and bytes are shown to system administrators, as in Harbor; others get 0 there."""
    services, caller = call.services, call.caller
    projects = call.visible_projects()
    found = count(services.pages, projects, with_bytes=caller.is_admin)
    totals = caller.is_admin
    document = {
        "private_project_count": found.private_projects,
        "private_repo_count": found.private_repositories,
        "public_project_count": found.public_projects,
        "public_repo_count": found.public_repositories,
        "total_project_count": found.private_projects + found.public_projects if totals else 0,
        "total_repo_count": found.private_repositories + found.public_repositories if totals else 0,
        "total_storage_consumption": found.bytes,
    }
    return Response.json(200, document)


ROUTES = (route("getStatistic", "GET", f"{HARBOR}/statistics", SignedIn(), get_statistics),)
