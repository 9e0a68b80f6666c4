"""`python -m infra.packaging.package relay.zip`: builds the package of a relay that is a web function.

    index.js            what Lambda starts
    python/             CPython without its tests and tools
    lib/                the shared libraries that it and the wheels need; libcrypto, which roadstead loads by name
    app/                the relay and its wheels

The same input gives the same bytes, so an unchanged relay is not deployed again. Execution environments cannot write to
the package, so its bytecode is compiled here.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from infra.configuration.settings import PYTHONS
from infra.packaging.bytecode import BytecodeError, compile_all
from infra.packaging.interpreter import Interpreter, InterpreterError, of_lambda
from infra.packaging.source import RELAY_SOURCE, ROOT, copy_source
from infra.packaging.wheels import WheelsError, wheels

LIMIT = 512 * 1024**2  # bytes of a package ("Lambda quotas", web functions)
ENTRY = ROOT / "functions" / "relay" / "web_function" / "index.js"
PYTHON = "python/bin/python3"
SERVICES = frozenset({"dynamodb", "kms", "s3", "ssm", "sts"})  # that the relay calls: botocore has data of 400 more
_TOOLS = (
    *("__pycache__", "config-*", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "test", "tests"),
    *("tkinter", "turtledemo", "unittest", "_ctypes_test*", "_test*", "_tkinter*", "_xx*", "xxlimited*", "*.a"),
    # With them go libraries that the relay has no use for: terminals, databases, NIS, passwords.
    *(
        "curses",
        "dbm",
        "sqlite3",
        "_crypt.*",
        "_curses*",
        "_dbm*",
        "_gdbm*",
        "_sqlite3*",
        "nis.*",
        "readline.*",
        "spwd.*",
    ),
)
# Of glibc and gcc: every system has them, Node.js needs them, and another version must not be loaded beside them.
SYSTEM = frozenset(
    {"ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2", "libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6"}
) | {"libpthread.so.0", "libresolv.so.2", "librt.so.1", "libstdc++.so.6", "libutil.so.1"}
_LOADED_BY_NAME = ("libcrypto.so.3",)


class PackageError(Exception):
    """The package cannot be built; the message says why."""


def build(interpreter: Interpreter, directory: Path) -> None:
    """Lay the package out in `directory`. Raises BytecodeError, PackageError, WheelsError."""
    shutil.copy(ENTRY, directory / "index.js")
    _python(interpreter, directory / "python")
    app = directory / "app"
    lock = ROOT / "requirements" / "relay.txt"
    kept = wheels(lock, python=interpreter.version, platform=interpreter.wheels)
    shutil.copytree(kept, app, ignore=_other_services)
    copy_source(RELAY_SOURCE, app)
    _libraries(interpreter, directory)
    compile_all(directory, interpreter.compiler, seen_at=interpreter.seen_at)


def write(directory: Path, package: Path) -> None:
    """Zip what is in `directory`, without dates and owners. Raises PackageError above Lambda's limit."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    if size > LIMIT:
        raise PackageError(f"the package has {size:,} bytes; a web function's may have {LIMIT:,}")
    with zipfile.ZipFile(package, "w", compresslevel=3) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(directory).as_posix())
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
            archive.writestr(entry, path.read_bytes())


def check_package(package: Path) -> None:
    """Raises PackageError if it is not a zip that `build_for_lambda` wrote."""
    try:
        with zipfile.ZipFile(package) as archive:
            missing = {"index.js", PYTHON} - set(archive.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise PackageError(f"relay.package: {package} cannot be read: {error}") from error
    if missing:
        raise PackageError(f"relay.package: {package} has no {' and no '.join(sorted(missing))}")


def build_for_lambda(version: str, package: Path) -> None:
    """Write the package with AWS's interpreter. Raises BytecodeError, InterpreterError, PackageError, WheelsError."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary, "package")
        directory.mkdir()
        build(of_lambda(version, Path(temporary, "interpreter"), directory), directory)
        write(directory, package)


def _python(interpreter: Interpreter, target: Path) -> None:
    name = f"python{interpreter.version}"
    (target / "bin").mkdir(parents=True)
    shutil.copy(interpreter.prefix / "bin" / name, target / "bin" / "python3")
    shutil.copytree(
        interpreter.prefix / "lib" / name, target / "lib" / name, ignore=shutil.ignore_patterns(*_TOOLS, "*.pyc")
    )


def _other_services(directory: str, names: list[str]) -> set[str]:
    """Choose what of the wheels is not copied: botocore's data of services that the relay does not call."""
    if Path(directory).parts[-2:] != ("botocore", "data"):
        return set()
    return {name for name in names if "." not in name and name not in SERVICES}


def _libraries(interpreter: Interpreter, directory: Path) -> None:
    """Copy the libraries that the package's files need, and theirs. Raises PackageError if one is missing."""
    target = directory / "lib"
    target.mkdir()
    wanted = list(_LOADED_BY_NAME)
    for path in directory.rglob("*"):
        if path.is_file():
            wanted += needed(path)
    present = {path.name for path in directory.rglob("*.so*")}
    while wanted:
        name = wanted.pop()
        if name in SYSTEM or name in present:
            continue
        found = next((place / name for place in interpreter.libraries if (place / name).is_file()), None)
        if found is None:
            raise PackageError(f"the library {name} is not in {', '.join(map(str, interpreter.libraries))}")
        shutil.copy(found, target / name)
        present.add(name)
        wanted += needed(target / name)


def needed(path: Path) -> Iterator[str]:
    """Yield the names of the shared libraries that a file needs; nothing for one that is not an ELF file."""
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            return
        try:
            for section in ELFFile(file).iter_sections():
                if isinstance(section, DynamicSection):
                    for tag in section.iter_tags("DT_NEEDED"):
                        yield str(tag.needed)
        except ELFError as error:
            raise PackageError(f"{path} cannot be read: {error}") from error


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2) or (len(arguments) == 2 and arguments[1] not in PYTHONS):
        print(f"python -m infra.packaging.package FILE.zip [{'|'.join(PYTHONS)}]", file=sys.stderr)
        return 2
    package = Path(arguments[0])
    try:
        build_for_lambda(arguments[1] if len(arguments) == 2 else PYTHONS[0], package)
    except (BytecodeError, InterpreterError, PackageError, WheelsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{package}: {package.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
