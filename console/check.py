"""The console's types and unit tests, on the files that were built: `python -m console.check`."""

from __future__ import annotations

import subprocess
import sys

from console.build import build
from console.npm import HERE, ConsoleError, command, install

_CHECKS = (
    ("typescript/bin/tsc", "--noEmit"),
    ("typescript/bin/tsc", "--noEmit", "--project", "tsconfig.tests.json"),
    ("vitest/vitest.mjs", "run"),
)


def main() -> int:
    try:
        build()
        install(with_tests=True)
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
