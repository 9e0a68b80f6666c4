"""Build the CloudFront functions: their source without comments and layout, within the size that CloudFront takes.

`python -m edge.build` prints the sizes. The CDK app, the local edge and the tests all take the code from here, so they
all run the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

CODE_LIMIT = 10 * 1024  # bytes; "Quotas on CloudFront Functions": maximum function size 10 KB
REQUEST, RESPONSE = "request", "response"
READS = ("function", "api")  # where reads go: to the functions' own URLs, or to the HTTP API
FUNCTIONS = (REQUEST, RESPONSE)

_HERE = Path(__file__).parent


def source(name: str) -> str:
    """Return a function's source as people read it."""
    return (_HERE / f"{name}.js").read_text(encoding="utf-8")


def built(name: str, *, scheme: str = "https", reads: str = READS[0]) -> str:
    """Return a function's code as CloudFront gets it. Raises ValueError if it is larger than CloudFront takes.

    Only whole-line comments, blank lines, indentation, and line breaks that end nothing (after `{`, `,` and `;`) are
    removed, so nothing can change the code's meaning.
    `scheme` is that of the realm in challenges: `http` only on one machine. `reads` is one of `READS`.
    """
    lines = (line.strip() for line in source(name).splitlines())
    code = "".join(f"{line}{_end(line)}" for line in lines if line and not line.startswith("//"))
    if len(code.encode()) > CODE_LIMIT:
        raise ValueError(f"{name}.js has {len(code.encode())} bytes without comments; CloudFront takes {CODE_LIMIT}")
    code = code.replace("const SCHEME = 'https';", f"const SCHEME = '{scheme}';")
    return code.replace("const READS = 'function';", f"const READS = '{reads}';")


def _end(line: str) -> str:
    """Return the line break that is kept. An import has a line of its own: the engines that lack imports replace it."""
    return "" if line.endswith(("{", ",", ";")) and not line.startswith("import ") else "\n"


def main() -> int:
    for name in FUNCTIONS:
        print(f"{name}.js: {len(built(name).encode()):,} of {CODE_LIMIT:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
