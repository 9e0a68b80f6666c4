"""The layers of an image, with what its history says of each (image-spec 1.1.1, config.md, "history").

The history has an entry for every instruction; those with `empty_layer` made no layer. So the entries that are left
stand for the layers, in order, where there are as many of them as layers. Where there are not, nothing says which
entry made which layer, and none is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roadstead.content.manifest_document import INDEX_TYPES

MAX_TEXT = 4_096  # characters of an instruction


@dataclass(frozen=True, slots=True)
class Layer:
    """`size` is that of the compressed blob, in bytes. The rest is what the history says, empty if it does not."""

    digest: str
    media_type: str
    size: int
    created_by: str = ""
    created: str = ""
    comment: str = ""


def layers_of(document: Mapping[str, Any], config: Mapping[str, Any]) -> list[Layer]:
    """Return a manifest's layers, the lowest first, by its stored document and its configuration.

    `config` is what somebody pushed, and empty where there is none. An index has no layers.
    """
    if document.get("mediaType") in INDEX_TYPES or "manifests" in document:
        return []
    layers = document.get("layers") or []
    history = config.get("history")
    made = [one for one in history if _made_a_layer(one)] if isinstance(history, list) else []
    if len(made) != len(layers):
        made = [{}] * len(layers)
    return [
        Layer(
            one["digest"],
            one["mediaType"],
            one["size"],
            _text(entry, "created_by"),
            _text(entry, "created"),
            _text(entry, "comment"),
        )
        for one, entry in zip(layers, made, strict=True)
    ]


def _made_a_layer(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("empty_layer") is not True


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) else ""
