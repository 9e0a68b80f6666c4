"""Search by a part of a name, among what the caller may see."""

from __future__ import annotations

from collections import Counter

from functions.management.call import Call
from functions.management.errors import bad_request
from functions.management.harbor.shapes import owner_ids, project_document
from functions.management.route import HARBOR, Anybody, route
from roadstead.http import Response

MAX_FOUND = 100  # projects, and repositories, of one search
_MAX_QUERY = 255  # characters


def search(call: Call) -> Response:
    """Find projects and repositories.

    Costs the list of projects, the caller's memberships and the catalog; then one read for each 50 repositories and,
    where there are projects among them, the list of users.
    """
    query = (call.request.parameter("q") or "").casefold()
    if len(query) > _MAX_QUERY:
        raise bad_request(f"q has more than {_MAX_QUERY} characters")
    visible = {one.project.name: one for one in call.visible_projects()}
    projects = [one for name, one in visible.items() if query in name][:MAX_FOUND]
    pages = call.services.pages
    names = pages.list_names()
    held = Counter(name.project for name in names)
    named = (name for name in names if query in name and name.project in visible and visible[name.project].shows(name))
    repositories = [name for name, _ in zip(named, range(MAX_FOUND), strict=False)]
    owners = owner_ids(call.services.lists.list_users()) if projects else {}
    totals = pages.totals_of(repositories)
    document = {
        "project": [
            project_document(
                one.project,
                owner_id=owners.get(one.project.created_by, 0),
                role=one.role,
                repositories=held[one.project.name],
            )
            for one in projects
        ],
        "repository": [
            {
                "project_id": visible[name.project].project.id,
                "project_name": name.project,
                "project_public": visible[name.project].project.public,
                "repository_name": name,
                "artifact_count": total.artifacts,
                "pull_count": total.pulls,
            }
            for name, total in totals.items()
        ],
    }
    return Response.json(200, document)


ROUTES = (route("search", "GET", f"{HARBOR}/search", Anybody(), search),)
