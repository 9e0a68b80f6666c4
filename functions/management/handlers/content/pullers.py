"""Who pulled an artifact."""

from __future__ import annotations

from typing import Any

from functions.management.call import Call
from functions.management.content_names import reference_in, repository_in
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.shapes import milliseconds
from functions.management.route import OWN, in_project, route
from roadstead.http import Response
from roadstead.trail.pull_counts import Pulls


def list_pullers(call: Call, project: str, repository: str, reference: str) -> Response:
    """List who pulled an artifact within PULLER_DAYS, the last one first.

    Pulls from a project of the same name that was deleted before are left out. Costs one read for the artifact, and
    one Query for each MB of pullers, about 7,000. Raises 404.
    """
    name, page = repository_in(call, repository), requested_page(call.request)
    digest = call.services.artifacts.digest_of(name, reference_in(reference))
    since = call.project.project.created * 1000
    found = call.services.pulls.find_pullers(name, digest)
    own = [(actor, pulls) for actor, pulls in found.items() if pulls.last >= since]
    ordered = sorted(own, key=lambda one: (-one[1].last, one[0]))
    return page_response(call.request, page, len(ordered), [_document(*one) for one in page.of(ordered)])


def _document(actor: str, pulls: Pulls) -> dict[str, Any]:
    return {"name": actor or None, "pull_count": pulls.count, "last_pull": milliseconds(pulls.last)}


_PULLERS = f"{OWN}/projects/{{project}}/repositories/{{repository}}/artifacts/{{reference}}/pullers"
ROUTES = (route("listPullers", "GET", _PULLERS, in_project("log", "list"), list_pullers),)
