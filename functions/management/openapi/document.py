"""Puts the document together: the route table says paths, methods and needs, the resources' modules everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from functions.management.errors import ManagementCode
from functions.management.openapi.described import Described, Parameter, Schema, array, number, obj, one_of, ref, text
from functions.management.openapi.resources import (
    absent,
    artifacts,
    audit,
    collections,
    executions,
    find,
    labels,
    ldap,
    oidc,
    policies,
    projects,
    repositories,
    retentions,
    robots,
    statistics,
    system,
    tokens,
    trash,
    usergroups,
    users,
    webhooks,
)
from functions.management.route import Anybody, InProject, Nothing, Route, in_words

RESOURCES = (
    absent,
    artifacts,
    audit,
    collections,
    executions,
    find,
    labels,
    ldap,
    oidc,
    policies,
    projects,
    repositories,
    retentions,
    robots,
    statistics,
    system,
    tokens,
    trash,
    usergroups,
    users,
    webhooks,
)

_ERRORS = "Errors"
_PAGES = (
    Parameter("page", number(minimum=1, default=1)),
    Parameter("page_size", number(minimum=1, maximum=100, default=10)),
    Parameter("q", text(maxLength=2_048), "filters, as in Harbor: `name=~web`, `creation_time=[a~b]`, `tags={a b}`"),
    Parameter("sort", text(), "such as `-creation_time`"),
)
_PATH: Mapping[str, tuple[Schema, str]] = {
    "project": (text(), "the project's id, or its name; with `X-Is-Resource-Name: true` always its name"),
    "project_name": (text(), "the project's name"),
    "reference": (text(), "a digest, or a tag"),
    "repository": (text(), "the repository's name without the project's; slashes are written as %2F or %252F"),
}
_BEARER = (
    "a personal access token, or an id token that a configured provider of OpenID Connect issued for this registry"
)
_SECURITY: list[dict[str, list[str]]] = [{"basic": []}, {"bearer": []}, {"session": [], "csrf": []}]


def described() -> dict[str, Described]:
    """Return what is said of each operation."""
    return {name: one for resource in RESOURCES for name, one in resource.OPERATIONS.items()}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the document of a route table, anew each time."""
    known = described()
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, known.get(route.operation, Described(route.operation)))
        paths.setdefault(route.template.text, {})[route.method.lower()] = operation
    schemas = {name: schema for resource in RESOURCES for name, schema in resource.SCHEMAS.items()}
    codes = sorted({code.code for code in ManagementCode})
    error = obj({"code": one_of(*codes), "message": text("a sentence for a person")})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Roadstead",
            "version": "2.0",
            "description": "The management API: Harbor's below /api/v2.0, our own below /api/roadstead/v1.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {_ERRORS: obj({"errors": array(error)}), **schemas},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer", "description": _BEARER},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-roadstead"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-Harbor-CSRF-Token"},
            },
        },
    }


def _operation(route: Route, said: Described) -> dict[str, Any]:
    query = (*said.query, *(_PAGES if said.paged else ()))
    parameters = [_path_parameter(name) for name in route.template.parameters]
    parameters += [_parameter(one) for one in {one.name: one for one in query}.values()]
    found: dict[str, Any] = {
        "operationId": route.operation,
        "summary": said.summary,
        "description": f"Needs {in_words(route.needs)}.",
        "tags": [_tag(route)],
        "responses": _responses(route, said),
    }
    if parameters:
        found["parameters"] = parameters
    if said.body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": said.body}}}
    match route.needs:
        case Nothing():
            found["security"] = []
        case Anybody():
            found["security"] = [{}, *_SECURITY]
        case _:
            found["security"] = _SECURITY
    return found


def _responses(route: Route, said: Described) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Success"}
    if said.answer is not None:
        success["content"] = {said.media_type: {"schema": said.answer}}
    headers: dict[str, Any] = {}
    if said.paged:
        headers["X-Total-Count"] = {"schema": {"type": "integer"}, "description": "how many there are on all pages"}
        headers["Link"] = {"schema": {"type": "string"}, "description": "the previous and the next page"}
    if said.creates:
        headers["Location"] = {"schema": {"type": "string"}, "description": "the path of what was created"}
    if headers:
        success["headers"] = headers
    named: dict[str, Any] = {str(status): _error(status, said) for status in sorted(_statuses(route, said))}
    later: dict[str, Any] = {}
    if said.goes_on:
        location = {"schema": {"type": "string"}, "description": "the path of the execution"}
        later["202"] = {"description": said.goes_on, "headers": {"Location": location}}
    if said.query or said.paged:
        named["414"] = {"description": "The URL is longer than 8,192 bytes: the edge responds"}
    return {str(said.status): success, **later, **named}


def _error(status: int, said: Described) -> dict[str, Any]:
    media_type = said.errors_media_type if status in said.errors else "application/json"
    schema = said.errors.get(status, ref(_ERRORS))
    return {"description": _MEANINGS[status], "content": {media_type: {"schema": schema}}}


def _statuses(route: Route, said: Described) -> set[int]:
    statuses = {*said.also, 500}
    if not isinstance(route.needs, Nothing):
        statuses |= {401, 429, 503}
    if not isinstance(route.needs, Nothing | Anybody):
        statuses.add(403)
    if route.method not in ("GET", "HEAD"):
        statuses.add(403)  # without a CSRF token, or while the registry is read-only
    if route.template.parameters or isinstance(route.needs, InProject):
        statuses |= {400, 404}
    if said.paged:
        statuses |= {400, 422}
    if said.body is not None:
        statuses.add(400)
    return statuses


_MEANINGS = {
    400: "The request is malformed, or asks for what is not supported",
    401: "Sign in",
    403: "The caller may not do this, or the project does not exist",
    404: "There is no such thing",
    409: "It exists already",
    412: "A precondition does not hold",
    413: "The body is too large",
    422: "A page is out of range",
    429: "Too many attempts; `Retry-After` says when to try again",
    500: "The registry failed; the log has the reason",
    503: "AWS asks for fewer requests, or the directory that knows the account is down; `Retry-After` says when to try",
}


def _path_parameter(name: str) -> dict[str, Any]:
    schema, description = _PATH.get(name, (text(), ""))
    found = {"name": name, "in": "path", "required": True, "schema": schema}
    return {**found, "description": description} if description else found


def _parameter(one: Parameter) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "in": one.place, "schema": one.schema}
    if one.description:
        found["description"] = one.description
    if one.required:
        found["required"] = True
    return found


def _tag(route: Route) -> str:
    """The module of the handler names the resource."""
    return route.handler.__module__.rpartition(".")[2]
