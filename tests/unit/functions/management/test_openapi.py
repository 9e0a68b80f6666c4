"""The OpenAPI document: complete, valid, and served."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from functions.management.openapi.document import RESOURCES, described
from functions.management.routes import ROUTES
from roadstead.http import Response
from tests.unit.functions.management import description
from tests.unit.functions.management.client import Browser, Desk


def test_every_route_is_described_and_nothing_else() -> None:
    assert set(described()) == {route.operation for route in ROUTES}


def test_no_two_resources_describe_the_same() -> None:
    for names in (
        [name for one in RESOURCES for name in one.OPERATIONS],
        [n for one in RESOURCES for n in one.SCHEMAS],
    ):
        assert [name for name, times in Counter(names).items() if times > 1] == []


def test_every_schema_is_valid_and_every_reference_leads_somewhere() -> None:
    schemas = description.whole()["components"]["schemas"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    references = set(_references(description.whole()))
    assert references == {f"#/components/schemas/{name}" for name in schemas}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def test_no_two_paths_differ_in_the_names_of_their_parameters_alone() -> None:
    paths = [re.sub(r"\{\w+\}", "{}", path) for path in description.whole()["paths"]]
    assert len(paths) == len(set(paths))


def test_the_document_is_served_to_everybody() -> None:
    status, document, headers = Browser(Desk()).ask("GET", "/api/openapi.json")
    assert (status, document) == (200, description.whole())
    assert headers["cache-control"] == "public, max-age=300"


def test_the_check_sees_a_wrong_response() -> None:
    (route,) = [one for one in ROUTES if one.operation == "getSession"]
    assert description.problems(route, Response.json(200, {"user": None})) == []
    assert description.problems(route, Response.json(200, {})) == ["$: 'user' is a required property"]
    assert description.problems(route, Response.json(418, {})) == ["the document has no 418 for getSession"]
    assert description.problems(route, Response(200, (("Content-Type", "text/plain"),), b"x")) != []
