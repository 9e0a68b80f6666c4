"""Artifacts of a repository or a project: lists, one artifact, its tags, accessories and additions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from functions.management.call import Call
from functions.management.content_names import reference_in, repository_in
from functions.management.errors import ManagementCode, ManagementError, bad_request, not_found
from functions.management.handlers.content.additions import json_addition
from functions.management.handlers.content.labels import labels_in
from functions.management.harbor import artifacts as shapes
from functions.management.harbor.paging import Page, page_response, requested_page
from functions.management.harbor.query import Exact, Query, Sort, Term, flag, parse_query
from functions.management.route import HARBOR, in_project, route
from roadstead.catalog.artifacts import Artifact, BeingIndexed, TooMany, examinable
from roadstead.catalog.extraction import CONFIG
from roadstead.catalog.labels import Label, assigned_labels
from roadstead.catalog.pages import ArtifactTag
from roadstead.content.relatives import Accessory
from roadstead.digest import Digest
from roadstead.http import Response
from roadstead.lifecycle.policy.changes import IsImmutable
from roadstead.names import RepositoryName, Tag

_MAX_CURSOR = 160  # characters
_BY_PUSH = "push_time"

_FIELDS: Mapping[str, Callable[[Artifact], Any]] = {
    "id": lambda one: shapes.artifact_id(one.repository, one.digest),
    "digest": lambda one: one.digest,
    "push_time": lambda one: _time(one.at),
    "repository_name": lambda one: one.repository,
    "tags": lambda one: [tag.tag for tag in one.tags] or None,
    "labels": lambda one: sorted(one.labels),
    "pull_time": lambda one: _time(one.pulls.last if one.pulls is not None else 0),
    "type": lambda one: shapes.type_of(one.known),
    "media_type": lambda one: shapes.media_type(one.known),
    "manifest_media_type": lambda one: one.known.media_type,
    "artifact_type": lambda one: one.known.artifact_type or one.known.media_type,
    "size": lambda one: one.known.size,
}
_OF_SUMMARY = frozenset({"type", "media_type", "manifest_media_type", "artifact_type", "size"})
_TAG_FIELDS: Mapping[str, Callable[[ArtifactTag], Any]] = {
    "name": lambda one: one.tag,
    "push_time": lambda one: _time(one.at),
}
_ACCESSORY_FIELDS: Mapping[str, Callable[[Accessory], Any]] = {
    "digest": lambda one: one.digest,
    "type": shapes.accessory_type,
    "size": lambda one: one.size,
    "creation_time": lambda one: _time(one.at),
}


def list_artifacts(call: Call, project_name: str, repository: str) -> Response:
    """A page of artifacts, the last pushed first unless told otherwise.

    Costs by push one Query for the page, one for the count and one batch read of the details for each 50; for
    everything else what `Artifacts.examine` costs.
    """
    name, page, query = repository_in(call, repository), requested_page(call.request), _query(call)
    artifacts = call.services.artifacts
    if not _is_by_push(query):
        return _respond(call, page, _examined(call, name, query))
    oldest_first, after = query.sorts == (Sort(_BY_PUSH),), _cursor(call)
    try:
        shown = artifacts.page(name, start=page.start, size=page.size, after=after, oldest_first=oldest_first)
    except TooMany as error:
        raise bad_request(str(error)) from error
    total = artifacts.count(name)
    if not total and not artifacts.exists(name):
        raise not_found(f"there is no repository {name}")
    documents = _documents(call, shown)
    return page_response(call.request, page, total, documents, after=shown[-1].place if shown else None)


def get_artifact(call: Call, project_name: str, repository: str, reference: str) -> Response:
    """Costs two reads and a batch read, one read more for a tag, and a GET of the configuration's copy."""
    name = repository_in(call, repository)
    found = call.services.artifacts.find(name, reference_in(reference), **_shown(call))
    summary = found.artifact.known
    config = json_addition(call, name, summary) if CONFIG in summary.additions else None
    project_id = call.project.project.id
    labels = _labels(call, [(name, found.artifact.digest)]).get((name, found.artifact.digest), ())
    shown = shapes.artifact_document(
        found.artifact,
        project_id=project_id,
        is_immutable=_immutable(call),
        labels=labels,
        document=found.document,
        config=config,
    )
    return Response.json(200, shown)


def list_tags(call: Call, project_name: str, repository: str, reference: str) -> Response:
    """Costs one read, and one Query. At most 10,000 tags of one artifact."""
    name, page = repository_in(call, repository), requested_page(call.request)
    query = parse_query(call.request.parameter("q"), call.request.parameter("sort"))
    artifacts = call.services.artifacts
    digest = artifacts.digest_of(name, reference_in(reference))
    try:
        tags = artifacts.tags(name, digest)
    except TooMany as error:
        raise bad_request(str(error)) from error
    found = query.sorted(query.filtered(tags, _TAG_FIELDS), _TAG_FIELDS, (Sort("name"),))
    pulls = call.services.pages.details(name, [digest])[digest].pulls
    pulled = pulls.last if pulls is not None else 0
    is_immutable = _immutable(call)
    documents = [
        shapes.tag_document(name, digest, tag, pulled=pulled, immutable=is_immutable(name, tag.tag))
        for tag in page.of(found)
    ]
    return page_response(call.request, page, len(found), documents)


def list_accessories(call: Call, project_name: str, repository: str, reference: str) -> Response:
    """Costs one read for the artifact, and what `find_accessories` costs."""
    name, page = repository_in(call, repository), requested_page(call.request)
    query = parse_query(call.request.parameter("q"), call.request.parameter("sort"))
    artifacts = call.services.artifacts
    digest = artifacts.digest_of(name, reference_in(reference))
    try:
        accessories = artifacts.accessories(name, digest)
    except TooMany as error:
        raise bad_request(str(error)) from error
    found = query.filtered(accessories, _ACCESSORY_FIELDS)
    found = query.sorted(found, _ACCESSORY_FIELDS, (Sort("creation_time", descending=True),))
    documents = [shapes.accessory_document(name, digest, one) for one in page.of(found)]
    return page_response(call.request, page, len(found), documents)


def list_artifacts_of_project(call: Call, project: str) -> Response:
    """A page of a project's artifacts: by repository and push, or what a filter and an order make of all of them.

    Without either, costs three Queries for the repositories, one for each repository of the page, and the details.
    With `latest_in_repository` only the last pushed artifact of each repository is there.
    """
    page, query = requested_page(call.request), _query(call)
    latest, services = flag(call.request, "latest_in_repository", False), call.services
    listed = [one for one in services.pages.list_repositories(call.project.project.name) if one.artifacts]
    try:
        if not query.sorts and not _known(query):
            counts = [(one.name, 1 if latest else one.artifacts) for one in listed]
            shown = _slice(call, counts, page)
            return page_response(call.request, page, sum(count for _, count in counts), _documents(call, shown))
        found: list[Artifact] = []
        named = query.filtered(listed, {"repository_name": lambda one: one.name})
        for name in examinable([(one.name, one.artifacts) for one in named]):
            own = _examine(call, name, query)
            found += own[:1] if latest else own
    except TooMany as error:
        raise bad_request(str(error)) from error
    return _respond(call, page, _chosen(found, query))


def _slice(call: Call, counts: Sequence[tuple[RepositoryName, int]], page: Page) -> list[Artifact]:
    """The page's part of all repositories' artifacts, put one behind the other."""
    shown: list[Artifact] = []
    before = 0
    for name, count in counts:
        start = max(0, page.start - before)
        wanted = min(count - start, page.size - len(shown))
        if wanted > 0:
            shown += call.services.artifacts.page(name, start=start, size=wanted, after=None)
        before += count
        if len(shown) == page.size:
            break
    return shown


def _query(call: Call) -> Query:
    query = parse_query(call.request.parameter("q"), call.request.parameter("sort"))
    if "base" in query.terms and query.terms["base"] != Exact("*"):
        raise bad_request("base takes the value * only: q=base=* lists children of indexes too")
    return query


def _known(query: Query) -> dict[str, Term]:
    """The terms that mean something to this list; others are ignored, as Harbor ignores them."""
    return {key: term for key, term in query.terms.items() if key in _FIELDS or key == "base"}


def _is_by_push(query: Query) -> bool:
    sorts = [sort for sort in query.sorts if sort.key in _FIELDS]
    return not _known(query) and (not sorts or [sort.key for sort in sorts] == [_BY_PUSH])


def _examined(call: Call, name: RepositoryName, query: Query) -> list[Artifact]:
    """Raises 400 for a repository that is too large, 404 for one that does not exist."""
    try:
        found = _examine(call, name, query)
    except TooMany as error:
        raise bad_request(str(error)) from error
    if not found and not call.services.artifacts.exists(name):
        raise not_found(f"there is no repository {name}")
    return _chosen(found, query)


def _examine(call: Call, name: RepositoryName, query: Query) -> list[Artifact]:
    """What a query has to choose from, with the values that it asks for. Raises TooMany; 503 while it is indexed."""
    try:
        return _examined_by(call, name, query)
    except BeingIndexed as error:
        raise ManagementError(ManagementCode.UNAVAILABLE, str(error), headers=[("Retry-After", "5")]) from error


def _examined_by(call: Call, name: RepositoryName, query: Query) -> list[Artifact]:
    artifacts, terms = call.services.artifacts, _known(query)
    keys = terms.keys() | {sort.key for sort in query.sorts}
    only = _only(terms)
    if only is None:
        found = artifacts.examine(
            name,
            children="base" in terms,
            summaries=bool(keys & _OF_SUMMARY),
            tags="tags" in keys,
            pulls="pull_time" in keys,
        )
    else:
        found = artifacts.detailed(artifacts.named(name, only, children="base" in terms), tags="tags" in keys)
    if "labels" not in terms:
        return found
    known, assigned = {one.id for one in labels_in(call)}, call.services.labels.list_assigned(name)
    return [replace(one, labels=assigned.get(one.digest, frozenset()) & known) for one in found]


def _only(terms: Mapping[str, Term]) -> Digest | Tag | None:
    """The digest or tag that a query names: then one artifact is all that has to be looked at."""
    for key, parse in (("digest", Digest.parse), ("tags", Tag.parse)):
        term = terms.get(key)
        if isinstance(term, Exact) and not (key == "tags" and term.value in ("nil", "*")):
            try:
                return parse(term.value)
            except ValueError:
                continue
    return None


def _chosen(found: Sequence[Artifact], query: Query) -> list[Artifact]:
    if query.terms.get("tags") == Exact("*"):
        found = [one for one in found if one.tags]
        query = Query({key: term for key, term in query.terms.items() if key != "tags"}, query.sorts)
    return query.sorted(query.filtered(found, _FIELDS), _FIELDS, (Sort(_BY_PUSH, descending=True),))


def _immutable(call: Call) -> IsImmutable:
    """Whether a rule of the project keeps a tag. Costs one read."""
    return call.services.policies.immutable_tags(call.project.project.name)


def _respond(call: Call, page: Page, found: Sequence[Artifact]) -> Response:
    return page_response(call.request, page, len(found), _documents(call, page.of(found)))


def _documents(call: Call, artifacts: Collection[Artifact]) -> list[dict[str, Any]]:
    shown = call.services.artifacts.detailed(list(artifacts), **_shown(call))
    project_id, labels = call.project.project.id, _labels(call, [(one.repository, one.digest) for one in shown])
    is_immutable = _immutable(call)
    return [
        shapes.artifact_document(
            one,
            project_id=project_id,
            is_immutable=is_immutable,
            labels=labels.get((one.repository, one.digest), ()),
        )
        for one in shown
    ]


def _labels(
    call: Call, artifacts: Sequence[tuple[RepositoryName, Digest]]
) -> Mapping[tuple[RepositoryName, Digest], Sequence[Label]]:
    """The labels of artifacts, if the caller wants them. Costs two Queries, and a batch read for each repository."""
    if not artifacts or not flag(call.request, "with_label", False):
        return {}
    known, store = labels_in(call), call.services.labels
    return {
        (name, digest): assigned_labels(known, ids)
        for name in dict.fromkeys(name for name, _ in artifacts)
        for digest, ids in store.find_assigned(name, [one for own, one in artifacts if own == name]).items()
    }


def _shown(call: Call) -> dict[str, bool]:
    """What is shown of artifacts beside themselves: both unless the caller says otherwise."""
    request = call.request
    return {"tags": flag(request, "with_tag", True), "accessories": flag(request, "with_accessory", True)}


def _cursor(call: Call) -> str | None:
    after = call.request.parameter("after")
    if after is not None and len(after) > _MAX_CURSOR:
        raise bad_request("after is not the cursor of a page")
    return after


def _time(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


_REPOSITORY = f"{HARBOR}/projects/{{project_name}}/repositories/{{repository}}"
_ARTIFACTS = f"{_REPOSITORY}/artifacts"
_ARTIFACT = f"{_ARTIFACTS}/{{reference}}"
_OF_PROJECT = f"{HARBOR}/projects/{{project}}/artifacts"
ROUTES = (
    route("listArtifacts", "GET", _ARTIFACTS, in_project("artifact", "list"), list_artifacts),
    route("getArtifact", "GET", _ARTIFACT, in_project("artifact", "read"), get_artifact),
    route("listTags", "GET", f"{_ARTIFACT}/tags", in_project("tag", "list"), list_tags),
    route("listAccessories", "GET", f"{_ARTIFACT}/accessories", in_project("accessory", "list"), list_accessories),
    route("listArtifactsOfProject", "GET", _OF_PROJECT, in_project("artifact", "list"), list_artifacts_of_project),
)
