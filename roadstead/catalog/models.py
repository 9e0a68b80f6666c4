"""Model artifacts (CNCF ModelPack): the files of a model, and its README and license.

Source: modelpack/model-spec, docs/spec.md and specs-go/v1 (media types and annotations); the shape of the list of files
is that of Harbor, src/controller/artifact/processor/cnai/parser.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MODEL_CONFIG = "application/vnd.cncf.model.config.v1+json"
README, LICENSE = "readme.md", "license"
RAW, TAR, TAR_GZIP = (f"application/vnd.cncf.model.doc.v1.{form}" for form in ("raw", "tar", "tar+gzip"))
_PATH = "org.cncf.model.filepath"
_DOCUMENTS: Final = {"readme": README, "readme.md": README, "license": LICENSE, "license.txt": LICENSE}
MAX_DEPTH = 32  # directories in a path; a file below more of them is not listed


def documents_of(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return the descriptors of a model's README and license by the names of their additions; those that there are."""
    found: dict[str, Mapping[str, Any]] = {}
    for layer in _layers(document):
        name = _DOCUMENTS.get(_path(layer).lower())
        if name is not None and layer.get("mediaType") in (RAW, TAR, TAR_GZIP):
            found.setdefault(name, layer)
    return found


def files_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the files that the layers of a model say they hold, as a tree: directories first, then by name.

    `size` is that of the layer, in bytes. Of two that claim one path the first is shown.
    """
    root: dict[str, Any] = {}
    for layer in _layers(document):
        path = _path(layer)
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        if not parts or len(parts) > MAX_DEPTH:
            continue
        place: Any = root
        for part in parts[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                break
        if isinstance(place, dict):
            place.setdefault(parts[-1], {} if path.endswith("/") else layer["size"])
    return _tree(root)


def _tree(directory: Mapping[str, Any]) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for name, content in directory.items():
        if isinstance(content, dict):
            shown.append({"name": name, "type": "directory", "children": _tree(content)})
        else:
            shown.append({"name": name, "type": "file", "size": content})
    return sorted(shown, key=lambda one: (one["type"] != "directory", one["name"]))


def _layers(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in document.get("layers") or [] if isinstance(one, dict)]


def _path(layer: Mapping[str, Any]) -> str:
    annotations = layer.get("annotations")
    path = annotations.get(_PATH) if isinstance(annotations, dict) else None
    return path if isinstance(path, str) else ""
