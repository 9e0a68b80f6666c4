"""What was extracted of an artifact: additions, as Harbor calls them, and the layers of an image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from functions.management.call import Call
from functions.management.content_names import reference_in, repository_in
from functions.management.errors import bad_request, not_found
from functions.management.harbor import artifacts as shapes
from functions.management.route import HARBOR, OWN, in_project, route
from roadstead.catalog.artifacts import WholeArtifact
from roadstead.catalog.extraction import CONFIG, HARBOR_SBOM, SBOM, derived_key
from roadstead.catalog.layers import layers_of
from roadstead.catalog.models import README, files_of
from roadstead.catalog.summaries import Summary
from roadstead.digest import Digest
from roadstead.http import Response
from roadstead.names import RepositoryName

_JSON = ("application/spdx+json", "application/vnd.cyclonedx+json", "application/vnd.syft+json")


def get_vulnerabilities(call: Call, project_name: str, repository: str, reference: str) -> Response:
    """No scanner exists, so there is never a report: an empty object, as Harbor responds before the first scan."""
    call.services.artifacts.digest_of(repository_in(call, repository), reference_in(reference))
    return Response.json(200, {})


def get_addition(call: Call, project_name: str, repository: str, reference: str, addition: str) -> Response:
    """Costs what one artifact costs, and a GET of the text that the indexer extracted; the SBOM of an image what its
    accessories cost besides. Raises 400, 404."""
    name, addition = repository_in(call, repository), addition.lower()
    found = call.services.artifacts.find(name, reference_in(reference), accessories=addition == SBOM)
    summary = found.artifact.known
    type_, own = shapes.type_of(summary), shapes.additions_of(summary)
    if addition not in (*own, *shapes.POSSIBLE.get(type_, ())):
        raise bad_request(f"an artifact of type {type_} has no addition {addition[:40]!r}")
    if addition == SBOM:
        return _sbom(call, name, found)
    if addition not in own:
        raise not_found(f"this artifact has no {addition}, or the registry has not extracted it yet")
    if addition == shapes.FILES:
        return Response.json(200, files_of(found.document))
    if addition == shapes.BUILD_HISTORY:
        return Response.json(200, shapes.build_history(json_addition(call, name, summary)))
    if addition == shapes.DEPENDENCIES:
        return Response.json(200, shapes.dependencies(json_addition(call, name, summary)))
    kind = "text/markdown; charset=utf-8" if addition == README else "text/plain; charset=utf-8"
    return Response(200, (("Content-Type", kind),), _addition(call, name, summary, addition))


def list_layers(call: Call, project_name: str, repository: str, reference: str) -> Response:
    """The layers of an artifact with their sizes, the lowest first; of an index none. Costs what one artifact costs."""
    name = repository_in(call, repository)
    found = call.services.artifacts.find(name, reference_in(reference))
    summary = found.artifact.known
    config = json_addition(call, name, summary) if CONFIG in summary.additions else {}
    return Response.json(200, [shapes.layer_document(one) for one in layers_of(found.document, config)])


def _sbom(call: Call, repository: RepositoryName, found: WholeArtifact) -> Response:
    """The artifact's own document, or that of the last pushed accessory that has one. Raises 404."""
    summary = found.artifact.known
    candidates = [summary] if SBOM in summary.additions else []
    if not candidates:
        digests = [Digest(one.digest) for one in found.artifact.accessories if shapes.is_sbom(one)]
        known = call.services.pages.details(repository, digests[: shapes.MAX_SBOMS]) if digests else {}
        there = [one.summary for one in known.values() if one.summary is not None and SBOM in one.summary.additions]
        candidates = sorted(there, key=lambda one: one.at, reverse=True)
    if not candidates:
        raise not_found("this artifact has no SBOM, or the registry has not extracted it yet")
    chosen = candidates[0]
    types = (chosen.artifact_type, chosen.config_type)
    known_type = next((one for one in types if one in (HARBOR_SBOM, *_JSON)), "text/plain; charset=utf-8")
    return Response(200, (("Content-Type", known_type),), _addition(call, repository, chosen, SBOM))


def _addition(call: Call, repository: RepositoryName, summary: Summary, name: str) -> bytes:
    data = call.services.objects.get(derived_key(repository, summary.digest, summary.generation, name))
    if data is None:
        raise not_found("the artifact was deleted or pushed anew a moment ago")
    return data


def json_addition(call: Call, repository: RepositoryName, summary: Summary) -> Mapping[str, Any]:
    """The configuration; empty if it is not a JSON object."""
    try:
        document = json.loads(_addition(call, repository, summary, CONFIG))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


_ARTIFACT = "projects/{project_name}/repositories/{repository}/artifacts/{reference}"
_ADDITIONS = f"{HARBOR}/{_ARTIFACT}/additions"
_READ = in_project("artifact-addition", "read")
ROUTES = (
    route("getVulnerabilitiesAddition", "GET", f"{_ADDITIONS}/vulnerabilities", _READ, get_vulnerabilities),
    route("getAddition", "GET", f"{_ADDITIONS}/{{addition}}", _READ, get_addition),
    route("listLayers", "GET", f"{OWN}/{_ARTIFACT}/layers", _READ, list_layers),
)
