"""Build the console's files into `console/dist`: `python -m console.build`.

Nothing is done when they are there already and their source is the same: `dist/key` has its hash. A release carries
them, so it needs no npm.
"""

from __future__ import annotations

import fcntl
import hashlib
import sys
from collections.abc import Iterator

from console.npm import HERE, ConsoleError, install, run

DIST = HERE / "dist"
_SOURCE = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "src")
_KEY = DIST / "key"


def is_current() -> bool:
    """Return whether the built files are there and made of the source as it is."""
    try:
        return _KEY.read_text() == key()
    except OSError:
        return False


def key() -> str:
    """Return the hash of everything that the built files are made of."""
    found = hashlib.sha256()
    for name in _files():
        found.update(f"{name}\0".encode())
        found.update(hashlib.sha256((HERE / name).read_bytes()).digest())
    return found.hexdigest()


def build() -> None:
    """Build unless the files are current. Waits for another process that builds. Raises ConsoleError."""
    with (HERE / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current():
            return
        wanted = key()
        install()
        print("Building the console …", flush=True)
        run("vite/bin/vite.js", "build", "--logLevel", "warn", environment={"NODE_ENV": "production"})
        _KEY.write_text(wanted)


def _files() -> Iterator[str]:
    for name in _SOURCE:
        path = HERE / name
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        yield from (one.relative_to(HERE).as_posix() for one in files)


def main() -> int:
    try:
        build()
    except ConsoleError as error:
        print(f"roadstead: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
