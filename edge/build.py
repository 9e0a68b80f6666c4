"""What is deployed of the CloudFront functions: their source without comments, held to the size that CloudFront takes.

`python -m edge.build` prints the sizes. The CDK app, the local edge and the tests all take the code from here, so what
runs in one is what runs in the others.
"""

from __future__ import annotations

import sys
from pathlib import Path

CODE_LIMIT = 10 * 1024  # bytes; "Quotas on CloudFront Functions": maximum function size 10 KB
REQUEST, RESPONSE = "request", "response"
FUNCTIONS = (REQUEST, RESPONSE)

_HERE = Path(__file__).parent


def source(name: str) -> str:
    """A function's source as people read it."""
    return (_HERE / f"{name}.js").read_text(encoding="utf-8")


def built(name: str) -> str:
    """A function's code as CloudFront gets it. Raises ValueError when that is larger than CloudFront takes.

    Only lines that are comments as a whole, blank lines and indentation go: line numbers aside, what is left reads as
    the source does, and no rewriting can change what it means.
    """
    lines = (line.strip() for line in source(name).splitlines())
    code = "".join(f"{line}\n" for line in lines if line and not line.startswith("//"))
    if len(code.encode()) > CODE_LIMIT:
        raise ValueError(f"{name}.js has {len(code.encode())} bytes without comments; CloudFront takes {CODE_LIMIT}")
    return code


def main() -> int:
    for name in FUNCTIONS:
        print(f"{name}.js: {len(built(name).encode()):,} of {CODE_LIMIT:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
