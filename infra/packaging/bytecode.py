"""Bytecode for packages that nobody can write to: without it every start compiles every module anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.packaging.wheels import UV

TASK_ROOT = "/var/task"  # where Lambda unpacks a package: what tracebacks name


class BytecodeError(Exception):
    """The bytecode cannot be compiled; the message is the compiler's."""


def compile_all(directory: Path, compiler: Sequence[str], *, seen_at: str = "") -> None:
    """Compile each module in `directory`, which the compiler sees at `seen_at`. Raises BytecodeError.

    Unchecked bytecode: it is not compared with the source, whose dates a zip of ours does not keep.
    """
    seen = seen_at or str(directory)
    command = [
        *compiler,
        *("-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", seen, "-p", TASK_ROOT, seen),
    ]
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"}
    )
    if done.returncode:
        raise BytecodeError(f"the bytecode cannot be compiled: {done.stdout.strip()} {done.stderr.strip()}")


def compiler_on_this_machine(version: str) -> tuple[str, ...] | None:
    """Return the command of a Python of a version like `3.13`, or None. Bytecode does not depend on the processor."""
    if version == ".".join(map(str, sys.version_info[:2])):
        return (sys.executable,)
    managed = _run(str(UV), "python", "find", "--managed-python", "--no-python-downloads", "--no-project", version)
    for found in (shutil.which(f"python{version}"), managed):
        if found and _run(found, "-c", "import sys; print(*sys.version_info[:2], sep='.')") == version:
            return (found,)
    return None


def _run(*command: str) -> str:
    """Return what a command prints, or nothing if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    return done.stdout.strip() if done.returncode == 0 else ""
