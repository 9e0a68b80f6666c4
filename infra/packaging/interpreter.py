"""A CPython to put into the relay's package: AWS's for arm64, copied from its Lambda image, or this machine's."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.packaging.wheels import LAMBDA

_IMAGE = "public.ecr.aws/lambda/python"  # Amazon Linux 2023, like the execution environments of web functions
_PREFIX = "/var/lang"
_MOUNT = "/package"
_HOST = {"x86_64": "amd64", "aarch64": "arm64"}  # machines by Docker's names


class InterpreterError(Exception):
    """The interpreter cannot be had; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """`prefix` has bin/ and lib/; `libraries` have the shared libraries that it needs; `wheels` is uv's platform name.

    `compiler` is the command of a Python of the same version on this machine, to which arguments are added. It sees the
    package at `seen_at`, or where it is if that is empty.
    """

    version: str
    prefix: Path
    libraries: tuple[Path, ...]
    wheels: str
    compiler: tuple[str, ...]
    seen_at: str = ""


def of_this_machine() -> Interpreter:
    """Return the interpreter that runs this, for tests on this machine."""
    prefix = Path(sys.base_prefix)
    machine = platform.machine()
    libraries = (
        prefix / "lib",
        Path(f"/lib/{machine}-linux-gnu"),
        Path(f"/usr/lib/{machine}-linux-gnu"),
        Path("/lib64"),
    )
    version = ".".join(map(str, sys.version_info[:2]))
    found = tuple(path for path in libraries if path.is_dir())
    return Interpreter(version, prefix, found, f"{machine}-manylinux_2_28", (str(prefix / "bin" / f"python{version}"),))


def of_lambda(version: str, directory: Path, package: Path) -> Interpreter:
    """Copy AWS's interpreter for arm64 to `directory`. Raises InterpreterError without Docker.

    The container that files are copied from never runs, so an x86 machine needs no emulation. Bytecode does not depend
    on the processor: the image for this machine's compiles it.
    """
    docker = shutil.which("docker")
    if docker is None:
        raise InterpreterError(
            f"The relay's package holds CPython from the image {_IMAGE}, which Docker copies, and there is no docker "
            "command. Install Docker; or run `python -m infra.packaging.package relay.zip` on a machine that has it, "
            'and set relay.package = "relay.zip"; or set relay.kind to "fargate" with an image, or to "none".'
        )
    image = f"{_IMAGE}:{version}"
    container = _run([docker, "create", "--platform", "linux/arm64", image]).strip()
    try:
        for source, target in (
            (f"{_PREFIX}/bin/python{version}", "bin"),
            (f"{_PREFIX}/lib", "lib"),
            ("/usr/lib64", "lib64"),
        ):
            place = directory / target
            if target == "bin":
                place.mkdir(parents=True)
            _run([docker, "cp", "--quiet", f"{container}:{source}", str(place)])
    finally:
        _run([docker, "rm", container])
    return Interpreter(
        version, directory, (directory / "lib", directory / "lib64"), LAMBDA, *lambda_compiler(docker, version, package)
    )


def lambda_compiler(docker: str, version: str, package: Path) -> tuple[tuple[str, ...], str]:
    """Return the command of a Python in AWS's image for this machine's processor, and where it sees `package`."""
    host = _HOST.get(platform.machine(), "amd64")
    command = (
        *(docker, "run", "--rm", "--platform", f"linux/{host}", "--volume", f"{package}:{_MOUNT}"),
        *("--user", f"{os.getuid()}:{os.getgid()}"),  # or only root could delete what it writes
        *("--env", "PYTHONHASHSEED=0", "--entrypoint", f"{_PREFIX}/bin/python{version}", f"{_IMAGE}:{version}"),
    )
    return command, _MOUNT


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        raise InterpreterError(f"{' '.join(command[:2])} failed: {done.stderr.strip()}")
    return done.stdout
