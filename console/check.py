"""The console's types and unit tests, on the files that were built: `python -m console.check`.

The types of what the API answers are generated from its OpenAPI document, so a page that asks for what is not there, or
reads a field that is not there, does not pass.
"""

from __future__ import annotations

import subprocess
import sys

from console.build import build
from console.npm import HERE, ConsoleError, command, install, run

TYPES = HERE / "generated"  # what src/api/types.ts imports; never committed, so never stale
_CHECKS = (
    ("typescript/bin/tsc", "--noEmit"),
    ("typescript/bin/tsc", "--noEmit", "--project", "tsconfig.tests.json"),
    ("vitest/vitest.mjs", "run"),
)


def generate_types() -> None:
    """Write the types of the API. Raises ConsoleError."""
    TYPES.mkdir(exist_ok=True)
    words = [sys.executable, "-m", "functions.management.openapi"]
    try:
        with (TYPES / "openapi.json").open("wb") as target:
            subprocess.run(words, cwd=HERE.parent, stdout=target, check=True)  # noqa: S603 - our own words
    except subprocess.CalledProcessError as error:
        raise ConsoleError("the API's OpenAPI document cannot be written") from error
    run("openapi-typescript/bin/cli.js", "generated/openapi.json", "-o", "generated/schema.d.ts")


def main() -> int:
    try:
        build()
        install(with_tests=True)
        generate_types()
        for words in _CHECKS:
            ended = subprocess.run(command(*words), cwd=HERE, check=False)  # noqa: S603 - our own words
            if ended.returncode:
                return ended.returncode
    except ConsoleError as error:
        print(f"roadstead: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
