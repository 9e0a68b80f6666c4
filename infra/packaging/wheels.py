"""Installs a lock file's wheels for another machine: the Python and the processor that run them in AWS.

pip evaluates a lock file's markers for the Python that runs pip; uv does it for the one that is named.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.packaging.source import ROOT

LAMBDA = "aarch64-manylinux_2_28"  # Amazon Linux 2023 has glibc 2.34
UV = Path(sys.executable).with_name("uv")
_CACHE = ROOT / "build" / "wheels"


class WheelsError(Exception):
    """The wheels cannot be installed; the message is uv's."""


def wheels(lock: Path, *, python: str, platform: str = LAMBDA) -> Path:
    """Return a directory with the wheels of `lock` for a version of Python like `3.13`; it must only be read.

    Every wheel is checked against its hash. They are kept in build/wheels: only a changed lock file needs the network.
    Raises WheelsError.
    """
    key = hashlib.sha256(b"\0".join([lock.read_bytes(), python.encode(), platform.encode()])).hexdigest()[:32]
    kept = _CACHE / key
    if not kept.is_dir():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE, prefix=".") as directory:
            made = Path(directory, "wheels")
            _uv(lock, made, python, platform)
            _publish(made, kept)
    return kept


def _uv(lock: Path, target: Path, python: str, platform: str) -> None:
    command = [
        str(UV),
        *(
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--link-mode",
            "copy",
        ),
        *("--python", sys.executable, "--python-version", python, "--python-platform", platform),
        *("--target", str(target), "--requirements", str(lock)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        raise WheelsError(f"{lock.name} cannot be installed for Python {python} on {platform}: {done.stderr.strip()}")
    shutil.rmtree(target / "bin", ignore_errors=True)  # scripts, which start this machine's Python
    # They name the directory that the wheels were installed to, and the time.
    for record in [*target.rglob("RECORD"), *target.rglob("INSTALLER"), *target.rglob("REQUESTED"), target / ".lock"]:
        record.unlink(missing_ok=True)


def _publish(made: Path, kept: Path) -> None:
    """Rename in one step: another synthesis may do the same."""
    try:
        made.rename(kept)
    except OSError:
        if not kept.is_dir():
            raise
