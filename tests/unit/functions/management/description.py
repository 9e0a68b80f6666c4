"""Our own OpenAPI document, to which every response in these tests is held."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from functions.management.openapi.document import document
from functions.management.route import Route
from functions.management.routes import ROUTES
from roadstead.http import Response


@cache
def whole() -> dict[str, Any]:
    # As clients get it: tuples are lists, enumerations are text.
    found: dict[str, Any] = json.loads(json.dumps(document(ROUTES)))
    return found


def problems(route: Route, response: Response) -> list[str]:
    """Return what of a response to a request for `route` the document does not have."""
    operation = whole()["paths"][route.template.text][route.method.lower()]
    said = operation["responses"].get(str(response.status))
    if said is None:
        return [f"the document has no {response.status} for {route.operation}"]
    found = [f"{name} is absent" for name in said.get("headers", {}) if name in _ALWAYS and not _has(response, name)]
    content = said.get("content", {})
    if not content:
        return [*found, *(["there is a body, and the document has none"] if response.body else [])]
    ((media_type, media),) = content.items()
    sent = next((value for name, value in response.headers if name.lower() == "content-type"), "")
    if media_type != "*/*" and not sent.startswith(media_type):
        return [*found, f"the body is {sent!r}, and {media_type} in the document"]
    return found + (violations(media["schema"], json.loads(response.body)) if "json" in media_type else [])


_ALWAYS = frozenset({"X-Total-Count", "Location"})


def violations(schema: dict[str, Any], value: Any) -> list[str]:
    validator = Draft202012Validator(
        {"allOf": [schema], "components": whole()["components"]}, format_checker=FormatChecker()
    )
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def _has(response: Response, name: str) -> bool:
    return any(one.lower() == name.lower() for one, _ in response.headers)
