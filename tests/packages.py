"""The functions' packages, with the distributions of this environment, so that they run on this machine."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import zipfile
from pathlib import Path

from infra.packaging.bytecode import compile_all
from infra.packaging.packages import lay_out

ROOT = Path(__file__).parents[1]
_SOURCES = ("functions", "roadstead")
_DATA = ("botocore", "data")  # linked as a whole: it has thousands of files, of which a package keeps a few
_CHALICE = ("__init__.py", "app.py")  # what Chalice packages of itself


def chalice_package(target: Path) -> Path:
    """Zip what Chalice packages where no wheels are vendored."""
    with zipfile.ZipFile(target, "w") as archive:
        archive.write(ROOT / "app.py", "app.py")
        for top in _SOURCES:
            for file in sorted((ROOT / top).rglob("*.py")):
                archive.write(file, str(file.relative_to(ROOT)))
        chalice = importlib.metadata.distribution("chalice")
        for name in _CHALICE:
            archive.write(str(chalice.locate_file(f"chalice/{name}")), f"chalice/{name}")
    return target


def unpacked(function: str, directory: Path) -> Path:
    """Write to `directory` the package of a function, as Lambda unpacks it."""
    chalice = chalice_package(directory.with_suffix(".chalice.zip"))
    wheels = directory.with_suffix(".wheels")
    lock = (ROOT / "requirements" / f"{function}.txt").read_text()
    for name, version in re.findall(r"^([a-z0-9][a-z0-9.-]*)==(\S+) ", lock, re.MULTILINE):
        distribution = importlib.metadata.distribution(name)
        assert distribution.version == version, f"{name} is not the version that {function} has"
        for path in distribution.files or ():
            file = Path(str(path.locate()))
            if ".." in path.parts or "__pycache__" in path.parts or path.parts[:2] == _DATA or not file.is_file():
                continue
            (wheels / path).parent.mkdir(parents=True, exist_ok=True)
            (wheels / path).symlink_to(file)
    if (wheels / _DATA[0]).is_dir():
        data = importlib.metadata.distribution(_DATA[0]).locate_file("/".join(_DATA))
        (wheels / "/".join(_DATA)).symlink_to(str(data))
    lay_out(function, chalice, wheels, directory)
    compile_all(directory, (sys.executable,))
    return directory
