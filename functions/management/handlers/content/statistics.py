"""Counts over everything that the caller may see."""

from __future__ import annotations

from functions.management.call import Call
from functions.management.route import HARBOR, SignedIn, route
from roadstead.administration.statistics import count
from roadstead.http import Response


def get_statistics(call: Call) -> Response:
    """Totals and bytes are shown to system administrators, as in Harbor; others get 0 there.

    Costs the list of projects, a Query for each MB of names, and for bytes a read for each 100 projects.
    """
    pages, totals = call.services.pages, call.caller.is_admin
    projects = call.visible_projects()
    used = pages.usage([one.project.name for one in projects]) if totals else {}
    found = count(projects, pages.list_names(), used)
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
