"""Repositories of a project, and pages of a repository's tags."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from functions.management.call import Call, text
from functions.management.content_names import repository_in
from functions.management.errors import bad_request, not_found
from functions.management.harbor.paging import page_response, requested_page
from functions.management.harbor.query import Exact, Sort, Term, parse_query
from functions.management.harbor.shapes import milliseconds
from functions.management.route import HARBOR, OWN, Anybody, in_project, route
from roadstead.catalog.pages import Counts, Details, RepositorySummary, TagRow
from roadstead.content.repositories import MAX_DESCRIPTION, UnknownRepository
from roadstead.digest import Digest
from roadstead.http import Response
from roadstead.ids import hashed_id
from roadstead.lifecycle.deletion.repositories import KIND
from roadstead.lifecycle.executions.executions import Running
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Operation
from roadstead.trail.events import EventMaker

DELETION_SECONDS = 15.0  # for which a request deletes by itself; the gateway waits for 30
MAX_PROJECTS = 100  # that a filter over all repositories looks through
MAX_TAGS = 50  # tags of one page
_MAX_CURSOR = 160  # characters

_FIELDS: Mapping[str, Callable[[RepositorySummary], Any]] = {
    "name": lambda one: one.name,
    "description": lambda one: one.description,
    "creation_time": lambda one: one.created,
    "update_time": lambda one: one.updated,
    "artifact_count": lambda one: one.artifacts,
    "pull_count": lambda one: one.pulls,
}


def list_repositories(call: Call, project_name: str) -> Response:
    """Costs three Queries for a project of up to about 5,000 repositories. Sorted by name unless told otherwise."""
    request, access = call.request, call.project
    page, query = requested_page(request), parse_query(request.parameter("q"), request.parameter("sort"))
    listed = [one for one in call.services.pages.list_repositories(access.project.name) if access.sees(one.name)]
    found = query.sorted(query.filtered(listed, _FIELDS), _FIELDS, (Sort("name"),))
    documents = [repository_document(one, access.project.id) for one in page.of(found)]
    return page_response(request, page, len(found), documents)


def get_repository(call: Call, project_name: str, repository: str) -> Response:
    return Response.json(200, repository_document(_found(call, repository), call.project.project.id))


def list_all_repositories(call: Call) -> Response:
    """Those of all projects that the caller may see, by name unless told otherwise; `q=blob_digest=`: with a blob.

    Costs the list of projects, one Query for each MB of names, and three Queries for each project that is shown; a
    filter or an order by counts or by update looks through up to MAX_PROJECTS projects. Raises 400 beyond.
    """
    request, services = call.request, call.services
    page, query = requested_page(request), parse_query(request.parameter("q"), request.parameter("sort"))
    visible = {one.project.name: one for one in call.visible_projects()}
    ids = {name: one.project.id for name, one in visible.items()}
    names = [name for name in services.pages.list_names() if name.project in ids and visible[name.project].shows(name)]
    if "blob_digest" in query.terms:
        holders = services.pages.find_repositories_with(_digest(query.terms["blob_digest"]))
        names = [name for name in names if name in holders]
    keys = {key for key in (*query.terms, *(sort.key for sort in query.sorts)) if key in _FIELDS}
    if keys <= {"name"}:
        fields: Mapping[str, Callable[[RepositoryName], Any]] = {"name": lambda one: one}
        chosen = query.sorted(query.filtered(names, fields), fields, (Sort("name"),))
        shown, total = list(page.of(chosen)), len(chosen)
        found = {one.name: one for project in _projects(shown) for one in services.pages.list_repositories(project)}
        listed = [found[name] for name in shown if name in found]
    else:
        projects = _projects(names)
        if len(projects) > MAX_PROJECTS:
            raise bad_request(
                f"a filter or an order by more than the name looks through {MAX_PROJECTS} projects, and these are "
                f"{len(projects)}: list the repositories of one project"
            )
        all_of_them = (one for project in projects for one in services.pages.list_repositories(project))
        every = [one for one in all_of_them if visible[one.name.project].shows(one.name)]
        ordered = query.sorted(query.filtered(every, _FIELDS), _FIELDS, (Sort("name"),))
        listed, total = list(page.of(ordered)), len(ordered)
    return page_response(request, page, total, [repository_document(one, ids[one.name.project]) for one in listed])


def _digest(term: Term) -> Digest:
    """Raises 400."""
    if not isinstance(term, Exact):
        raise bad_request("blob_digest must be one digest")
    try:
        return Digest.parse(term.value)
    except ValueError as error:
        raise bad_request(str(error)) from error


def update_repository(call: Call, project_name: str, repository: str) -> Response:
    """Set the description; everything else in the document is ignored. Raises 400, 404."""
    name = repository_in(call, repository)
    description = text(call.document(), "description", "", most=MAX_DESCRIPTION)
    event = EventMaker(call.services.clock).make(Operation.CHANGE_REPOSITORY, call.actor, name)
    try:
        call.services.content.repositories.describe(name, description, event=event)
    except UnknownRepository as error:
        raise not_found(f"there is no repository {name}") from error
    return Response(200)


def delete_repository(call: Call, project_name: str, repository: str) -> Response:
    """Delete a repository with everything in it: 200 when it is gone.

    What takes longer than a request is gone on with by an execution: 202, with its path in `Location`. Raises 404, 412
    if a tag is immutable.
    """
    name, deletion = repository_in(call, repository), call.services.content.repository_deletion
    mark = deletion.begin(name, call.actor)
    end = time.monotonic() + DELETION_SECONDS
    swept = deletion.sweep(name, mark, call.actor, go_on=lambda: time.monotonic() < end)
    if swept.complete and not swept.kept:
        return Response(200)
    try:
        started = call.services.starter.start(
            KIND, name.project, {"repository": name, **mark.as_fields()}, actor=call.actor, exclusive=f"{KIND}#{name}"
        ).id
    except Running as error:
        started = error.id
    return Response(202, (("Location", f"{OWN}/executions/{started}"),))


def list_tags(call: Call, project: str, repository: str) -> Response:
    """A page of tags by `sort`: `-pushed` (the last push first), `pushed`, `name` or `-name`.

    `prefix` keeps names that begin so, and needs a sort by name. `Link` leads to the next page at the same cost as to
    this one, however many tags there are. Costs one Query for the page, one for the counts, one read of the details.
    """
    name = repository_in(call, repository)
    sort, after = call.request.parameter("sort") or "-pushed", call.request.parameter("after")
    prefix, limit = call.request.parameter("prefix") or "", _limit(call)
    if after is not None and len(after) > _MAX_CURSOR:
        raise bad_request("after is not the cursor of a page")
    if sort not in ("name", "-name", "pushed", "-pushed"):
        raise bad_request("sort must be name, -name, pushed or -pushed")
    if prefix and sort.endswith("pushed"):
        raise bad_request("a prefix is found by name only: add sort=name")
    pages = call.services.pages
    if sort.endswith("name"):
        rows = pages.tags_by_name(name, after=after, limit=limit, prefix=prefix, backward=sort == "-name")
    else:
        rows = pages.tags_by_push(name, after=after, limit=limit, oldest_first=sort == "pushed")
    counts = pages.count(name)
    if counts == Counts(0, 0) and not rows:
        raise not_found(f"there is no repository {name}")
    details = pages.details(name, {row.digest for row in rows}) if rows else {}
    headers = [] if prefix else [("X-Total-Count", str(counts.tags))]
    # A page by name may be short before the end: tags that are not shown stand between the others.
    if len(rows) == limit or (rows and sort.endswith("name")):
        cursor = rows[-1].tag if sort.endswith("name") else rows[-1].place
        query = {"sort": sort, "limit": str(limit), **({"prefix": prefix} if prefix else {}), "after": cursor}
        headers.append(("Link", f'<{quote(call.request.path, safe="/%")}?{urlencode(query)}>; rel="next"'))
    is_immutable = call.services.policies.immutable_tags(call.project.project.name)
    documents = [_tag_document(row, details.get(row.digest), immutable=is_immutable(name, row.tag)) for row in rows]
    return Response.json(200, documents, headers)


def _limit(call: Call) -> int:
    text = call.request.parameter("limit") or str(MAX_TAGS)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= MAX_TAGS and len(text) <= 2):
        raise bad_request(f"limit must be from 1 to {MAX_TAGS}")
    return int(text)


def _found(call: Call, text: str) -> RepositorySummary:
    """Raises 404."""
    name = repository_in(call, text)
    listed = call.services.pages.list_repositories(call.project.project.name)
    summary = next((one for one in listed if one.name == name), None)
    if summary is None:
        raise not_found(f"there is no repository {name}")
    return summary


def _projects(names: Iterable[RepositoryName]) -> list[ProjectName]:
    return list(dict.fromkeys(name.project for name in names))


def repository_document(one: RepositorySummary, project_id: int) -> dict[str, Any]:
    return {
        "id": hashed_id("repository", one.name),
        "project_id": project_id,
        "name": one.name,
        "description": one.description,
        "artifact_count": one.artifacts,
        "pull_count": one.pulls,
        "creation_time": milliseconds(one.created),
        "update_time": milliseconds(one.updated),
    }


def _tag_document(row: TagRow, details: Details | None, *, immutable: bool) -> dict[str, Any]:
    """`details` is None, or has no summary, until the indexer has come to the artifact."""
    summary = details.summary if details is not None else None
    pulls = details.pulls if details is not None else None
    return {
        "name": row.tag,
        "digest": row.digest,
        "media_type": row.media_type,
        "push_time": milliseconds(row.at),
        "pushed_by": row.by,
        "immutable": immutable,
        "size": summary.size if summary is not None else None,
        "artifact_type": summary.artifact_type if summary is not None else "",
        "platforms": list(summary.platforms) if summary is not None else [],
        "signed": summary.signed if summary is not None else False,
        "sbom": summary.has_sbom if summary is not None else False,
        "pull_count": pulls.count if pulls is not None else 0,
        "pull_time": milliseconds(pulls.last) if pulls is not None and pulls.last else None,
    }


_REPOSITORIES = f"{HARBOR}/projects/{{project_name}}/repositories"
_REPOSITORY = f"{_REPOSITORIES}/{{repository}}"
_DELETE = in_project("repository", "delete")
_UPDATE, _EVERY = in_project("repository", "update"), f"{HARBOR}/repositories"
_TAGS = f"{OWN}/projects/{{project}}/repositories/{{repository}}/tags"
ROUTES = (
    route("listRepositories", "GET", _REPOSITORIES, in_project("repository", "list"), list_repositories),
    route("getRepository", "GET", _REPOSITORY, in_project("repository", "list"), get_repository),
    route("updateRepository", "PUT", _REPOSITORY, _UPDATE, update_repository),
    route("deleteRepository", "DELETE", _REPOSITORY, _DELETE, delete_repository),
    route("listAllRepositories", "GET", _EVERY, Anybody(), list_all_repositories),
    route("listTagsOfRepository", "GET", _TAGS, in_project("tag", "list"), list_tags),
)
