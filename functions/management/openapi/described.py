"""What the document says of an operation, and short names for JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str = "", **more: Any) -> Schema:
    return _said({"type": "string", **more}, description)


def number(description: str = "", **more: Any) -> Schema:
    return _said({"type": "integer", **more}, description)


def flag(description: str = "") -> Schema:
    return _said({"type": "boolean"}, description)


def time(description: str = "") -> Schema:
    return text(description, format="date-time")


def one_of(*values: str, description: str = "") -> Schema:
    return text(description, enum=list(values))


def array(items: Schema, description: str = "") -> Schema:
    return _said({"type": "array", "items": items}, description)


def nullable(schema: Schema) -> Schema:
    """`schema`, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def mapping(values: Schema, description: str = "") -> Schema:
    """An object with any keys."""
    return _said({"type": "object", "additionalProperties": values}, description)


def obj(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, description: str = "") -> Schema:
    """An object with some properties that are always there and some that may be."""
    properties = {**required, **(optional or {})}
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return _said(schema, description)


def _said(schema: dict[str, Any], description: str) -> Schema:
    return {**schema, "description": description} if description else schema


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query, or a header of a request."""

    name: str
    schema: Schema
    description: str = ""
    place: str = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """`answer` is the schema of the body with `status`, None for a response without one. `body` is the request's.

    `also` are statuses of errors beyond those that the row's needs and the parameters bring. `paged` operations take
    `page`, `page_size`, `q` and `sort`, and respond with `X-Total-Count` and `Link`.
    """

    summary: str
    answer: Schema | None = None
    status: int = 200
    body: Schema | None = None
    query: Sequence[Parameter] = ()
    also: Sequence[int] = ()
    paged: bool = False
    media_type: str = "application/json"
    goes_on: str = ""  # 202 with `Location` instead, where something goes on behind the response
    errors: Mapping[int, Schema] = field(default_factory=dict)  # bodies of errors that are not the common one
    errors_media_type: str = "application/json"  # of these
    creates: bool = False  # 201 with `Location`, and no body unless `answer` says one


def created(
    summary: str,
    body: Schema,
    answer: Schema | None = None,
    *,
    also: Sequence[int] = (400, 409),
    query: Sequence[Parameter] = (),
) -> Described:
    """An operation that creates something: 201, with its path in `Location`."""
    return Described(summary, answer, 201, body, query, also, creates=True)


def page_of(summary: str, item: Schema, *query: Parameter, also: Sequence[int] = ()) -> Described:
    """An operation that lists something, page by page."""
    return Described(summary, array(item), query=query, also=also, paged=True)
