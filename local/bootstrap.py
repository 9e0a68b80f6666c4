"""Make a virtual environment with the installer in it: `python local/bootstrap.py DIRECTORY REQUIREMENTS`.

Run by the Makefile with whatever Python there is, so of the standard library alone. The environment gets no pip of its
own, which would take seconds: uv comes in by the pip that Python carries for that purpose, held to the hashes of
REQUIREMENTS, and installs everything else.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

OLDEST = (3, 11)


def main(directory: str, requirements: str) -> int:
    name = Path(sys.executable).name
    if sys.version_info < OLDEST:
        print(f"Python 3.11 or newer is needed, as {name}; choose another: make PYTHON=python3.12 …", file=sys.stderr)
        return 1
    wheel = _pip()
    if wheel is None:
        print(f"{name} cannot make a virtual environment; on Debian: apt-get install python3-venv", file=sys.stderr)
        return 1
    environment = Path(directory)
    venv.EnvBuilder(with_pip=False, symlinks=True).create(environment)
    command = [str(environment / "bin" / "python"), str(wheel / "pip"), "install", "--quiet", "--require-hashes"]
    options = ["--disable-pip-version-check", "--no-warn-script-location", "--requirement", requirements]
    return subprocess.run([*command, *options], check=False).returncode  # noqa: S603 - of our own making


def _pip() -> Path | None:
    """The wheel of pip that ensurepip would install; pip runs from it as it is."""
    try:
        import ensurepip
    except ModuleNotFoundError:  # Debian's python3 without python3-venv
        return None
    bundled = Path(ensurepip.__file__).parent / "_bundled"
    packaged = Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels")
    return next((wheel for place in (bundled, packaged) for wheel in place.glob("pip-*.whl")), None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
