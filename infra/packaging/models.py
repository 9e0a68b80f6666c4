"""botocore's data, cut to the services and calls of one function.

botocore reads a service's whole model to make a client: 87 KB of compressed JSON for DynamoDB, 250 KB for SSM, of which
a function makes one call. It also looks through the folders of its 430 services to see whether there is one of that
name, and reads a megabyte of endpoints.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore import xform_name

# Read whatever the service is.
_COMMON = ("_retry.json", "partitions.json", "sdk-default-configuration.json")
# What botocore itself asks: the region of a bucket that has moved, and the bucket's session; STS for credentials.
_BY_ITSELF = {"s3": {"head_bucket", "create_session"}}
_ALWAYS_ENDPOINTS = frozenset({"sts"})
_SERVICE, _EXTRAS, _RULES = "service-2", "service-2.sdk-extras", "endpoint-rule-set-1"


class BotocoreData:
    """The directory `botocore/data`, which is only read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def cut(self, services: set[str], words: set[str]) -> dict[str, bytes]:
        """Data enough for clients of `services` and for those of their methods that are among `words`.

        Raises KeyError for a service that botocore does not know.
        """
        made = {name: (self._directory / name).read_bytes() for name in _COMMON}
        prefixes = set(_ALWAYS_ENDPOINTS)
        for service in services:
            version = self._latest(service)
            model = self._read(f"{service}/{version}/{_SERVICE}")
            prefixes |= {service, model["metadata"]["endpointPrefix"]}
            made[f"{service}/{version}/{_SERVICE}.json"] = _json(
                smaller_model(model, words | _BY_ITSELF.get(service, set()))
            )
            for name in (_EXTRAS, _RULES):
                path = f"{service}/{version}/{name}"
                if self._has(path):
                    made[f"{path}.json"] = _json(self._read(path))
        made["endpoints.json"] = _json(_smaller_endpoints(self._read("endpoints"), prefixes))
        return made

    def _latest(self, service: str) -> str:
        """As botocore chooses: the greatest of the API's dates."""
        versions = [path.parent.name for path in self._directory.glob(f"{service}/*/{_SERVICE}.json*")]
        if not versions:
            raise KeyError(f"botocore has no service {service}")
        return max(versions)

    def _has(self, path: str) -> bool:
        return any((self._directory / f"{path}{suffix}").exists() for suffix in (".json", ".json.gz"))

    def _read(self, path: str) -> dict[str, Any]:
        plain = self._directory / f"{path}.json"
        data = plain.read_bytes() if plain.exists() else gzip.decompress(plain.with_suffix(".json.gz").read_bytes())
        document: dict[str, Any] = json.loads(data)
        return document


def smaller_model(model: Mapping[str, Any], words: set[str]) -> dict[str, Any]:
    """A service's model with the operations whose method in Python is among `words`, their shapes, and no prose."""
    operations = {name: one for name, one in model["operations"].items() if xform_name(name) in words}
    shapes: dict[str, Any] = {}
    pending = list(_shapes_named(operations))
    while pending:
        name = pending.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            pending += _shapes_named(shapes[name])
    ordered = {name: shape for name, shape in model["shapes"].items() if name in shapes}
    smaller = {**model, "operations": _without_prose(operations), "shapes": _without_prose(ordered)}
    smaller.pop("documentation", None)
    return smaller


def _shapes_named(node: Any) -> Iterator[str]:
    """The values of `shape`, wherever they are."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "shape" and isinstance(value, str):
                yield value
            else:
                yield from _shapes_named(value)
    elif isinstance(node, list):
        for value in node:
            yield from _shapes_named(value)


def _without_prose(node: Any) -> Any:
    """Without what only botocore's help shows. A member that has that name is an object, and stays."""
    if isinstance(node, dict):
        return {
            name: _without_prose(value)
            for name, value in node.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    if isinstance(node, list):
        return [_without_prose(value) for value in node]
    return node


def _smaller_endpoints(endpoints: Mapping[str, Any], prefixes: set[str]) -> dict[str, Any]:
    partitions = [
        {**one, "services": {name: value for name, value in one["services"].items() if name in prefixes}}
        for one in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
