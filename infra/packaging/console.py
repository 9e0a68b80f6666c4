"""The console's built files in the package of the management function, where it looks for them."""

from __future__ import annotations

import shutil
from pathlib import Path

from console.build import DIST, is_current
from console.npm import ConsoleError


def built_console() -> Path:
    """Return the directory of the built files. Raises ConsoleError if they are missing or older than their source."""
    if not is_current():
        raise ConsoleError(
            "The console's built files are missing or older than their source: run `make console`, or"
            " set `console = false` to deploy without a console."
        )
    return DIST


def copy_built(built: Path, package: Path) -> None:
    """Copy the files of `built` into a function's package, at the place that functions/management/console.py reads."""
    shutil.copytree(built, package / "console" / "dist")
