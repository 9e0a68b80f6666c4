"""JSON documents: reading them so that they have one meaning, and writing them without spaces.

JSON leaves open what an object with a repeated key means, and Go's `encoding/json` matches keys to fields without
regard to case (`SUBJECT` is `subject` to it, and so is one with a long s, U+017F). A document that two readers
understand differently would carry content that was never checked, so neither is accepted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

# `json.dumps` makes an encoder for each document, which takes as long as it does to write a short one.
_ASCII = json.JSONEncoder(separators=(",", ":"))
_UNICODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class AmbiguousDocument(ValueError):
    """The document means different things to different readers; the message says which key it is."""


def read(data: bytes) -> Any:
    """Return the JSON document in `data`, which is UTF-8.

    Raises AmbiguousDocument if an object repeats a key, ValueError if `data` is not JSON (`NaN` and its like are not)
    or is nested too deeply.
    """
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_object)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def check_spelling(document: Mapping[str, Any], fields: Collection[str]) -> None:
    """Raises AmbiguousDocument if a key differs from one of `fields` by case only (Unicode case folding)."""
    folded = {field.casefold(): field for field in fields}
    for key in document:
        field = folded.get(key.casefold())
        if field is not None and key != field:
            raise AmbiguousDocument(f"the key {key[:40]!a} would be read as {field!r} by some clients: spell it so")


def compact(document: Any, *, ascii_only: bool = True) -> str:
    """Return the document as JSON without spaces. `ascii_only` escapes every other character."""
    return (_ASCII if ascii_only else _UNICODE).encode(document)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise AmbiguousDocument(f"the key {repeated[:40]!a} stands twice in one object: send it once")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
