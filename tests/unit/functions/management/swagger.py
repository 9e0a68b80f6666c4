"""Harbor's own description of its API, to which every response is held.

The description is data that is not part of this repository. Where it is absent the tests that need it are skipped, but
never in CI.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft4Validator, FormatChecker

FILE = Path(__file__).parents[4].parent / "shared" / "data" / "harbor-v2.0-swagger.yaml"
PREFIX = "/api/v2.0"


# What Harbor does not respond with: docs/management-content.md says why we do.
BEYOND = frozenset({("deleteRepository", 202), ("CopyArtifact", 202)})


def require() -> None:
    if not FILE.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{FILE} is absent")
        pytest.skip(f"{FILE} is absent: responses are not held to Harbor's description")


@cache
def description() -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(FILE.read_text(), yaml.CSafeLoader)
    # "object" is any value here: the generator of Harbor's server makes `interface{}` of it, and Harbor sends strings.
    document["definitions"]["ExtraAttrs"]["additionalProperties"] = {}
    document["definitions"]["RetentionRule"]["properties"]["params"]["additionalProperties"] = {}
    return document


@cache
def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """By operationId: the method, the path, and the operation."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "put", "post", "delete", "patch", "head")
    }


def problems(operation: str, status: int, body: bytes) -> list[str]:
    """Return what of a response Harbor's description does not have.

    An error without a schema of its own is held to `Errors`: the description leaves out statuses that Harbor itself
    responds with.
    """
    if (operation, status) in BEYOND:
        return []
    responses = operations()[operation][2]["responses"]
    if status >= 400:
        own = _resolved(responses.get(str(status), {})).get("schema")
        return _violations(own or {"$ref": "#/definitions/Errors"}, body)
    if str(status) not in responses:
        return [f"{operation} has no {status}"]
    schema = _resolved(responses[str(status)]).get("schema")
    if schema is None or schema == {"type": "string"} or "text/plain" in operations()[operation][2].get("produces", ()):
        return []
    return _violations(schema, body)


def _violations(schema: dict[str, Any], body: bytes) -> list[str]:
    whole = {"allOf": [schema], "definitions": description()["definitions"]}
    validator = Draft4Validator(whole, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(json.loads(body))]


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    found: Any = description()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)
