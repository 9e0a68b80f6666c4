"""JSON documents as this registry writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def compact(document: Any, *, ascii_only: bool = True, default: Callable[[Any], Any] | None = None) -> str:
    """Return the document as JSON without spaces.

    `ascii_only` escapes every other character; `default` converts what JSON does not know, as in `json.dumps`.
    """
    return json.dumps(document, ensure_ascii=ascii_only, separators=(",", ":"), default=default)
