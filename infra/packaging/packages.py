"""The package of each function: what it imports, what it calls, and the bytecode of that.

Chalice makes one package for all functions. From it a function gets `app.py`, Chalice's own part, and the modules of
ours that its handler imports, now or later. Beside them go the wheels of its lock file, with botocore's data cut to the
services and calls of those modules.
"""

from __future__ import annotations

import ast
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infra.packaging.models import BotocoreData

OWN = ("functions", "roadstead")
_BEGINNING = ("functions.hosting.lines",)  # what app.py imports by its name, beside the handler
_ALWAYS = ("app.py", "chalice/")
# What a library calls by itself.
_CALLS_OF_OTHERS = {"aws_xray_sdk": ("xray", {"get_sampling_rules", "get_sampling_targets"})}
_DATA = Path("botocore", "data")


@dataclass(frozen=True, slots=True)
class Module:
    """What the source of a module names.

    `imports` has dotted names; of `from a import b` both `a` and `a.b`. Our modules have no relative imports.
    `services` has the first argument of each call of `client`. `words` has every name after a dot and every string:
    each method of a client that is called is among them.
    """

    imports: frozenset[str]
    services: frozenset[str]
    words: frozenset[str]


def lay_out(function: str, chalice: Path, wheels: Path, directory: Path) -> None:
    """Lay out in `directory`, which is not there yet, what the function runs on; without bytecode.

    `chalice` is Chalice's zip, `wheels` a directory with the wheels of the function's lock file, which is only read.
    Raises KeyError for a function that is not in the zip.
    """
    with zipfile.ZipFile(chalice) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    modules = imported_modules(files, (f"functions.{function}.handler", *_BEGINNING))
    shutil.copytree(wheels, directory, ignore=_left_out(wheels))
    for path, source in files.items():
        if path.startswith(_ALWAYS) or _module(path) in modules:
            _write(directory / path, source)
    if (wheels / _DATA).is_dir():
        for name, content in BotocoreData(wheels / _DATA).cut(*calls(modules.values(), directory)).items():
            _write(directory / _DATA / name, content)


def imported_modules(sources: Mapping[str, bytes], roots: Iterable[str]) -> dict[str, Module]:
    """Return our modules that the roots import, directly or not. Raises KeyError for a root.

    `sources` are files by their path in the zip. An import inside a function counts like any other.
    """
    paths = {_module(path): path for path in sources if path.endswith(".py") and path.startswith(OWN)}
    modules: dict[str, Module] = {}
    pending = list(roots)
    for root in pending:
        if root not in paths:
            raise KeyError(f"there is no module {root} in the package")
    while pending:
        name = pending.pop()
        if name in modules:
            continue
        modules[name] = read(sources[paths[name]])
        for imported in (name, *modules[name].imports):
            pending += [part for part in _with_parents(imported) if part in paths]
    return modules


def calls(modules: Iterable[Module], directory: Path) -> tuple[set[str], set[str]]:
    """Return the services that the modules make clients of, and every word that may be a method of a client."""
    services, words = set[str](), set[str]()
    for module in modules:
        services |= module.services
        words |= module.words
    for package, (service, methods) in _CALLS_OF_OTHERS.items():
        if (directory / package).is_dir():
            services, words = services | {service}, words | methods
    return services, words


@cache
def read(source: bytes) -> Module:
    """Read a module. Remembered, since most functions import the same ones."""
    imports, services, words = set[str](), set[str](), set[str]()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                imports |= {alias.name for alias in node.names}
            case ast.ImportFrom(module=str(module)):
                imports |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
            case ast.Attribute():
                words.add(node.attr)
            case ast.Constant(value=str(value)):
                words.add(value)
            case ast.Call(func=ast.Name(id="client") | ast.Attribute(attr="client"), args=[first, *_]):
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    services.add(first.value)
    return Module(frozenset(imports), frozenset(services), frozenset(words))


def _left_out(wheels: Path) -> Callable[[str, list[str]], set[str]]:
    """Choose what is not copied: bytecode, stubs, and botocore's data, which is cut."""
    by_name = shutil.ignore_patterns("__pycache__", "*.pyi")

    def chosen(directory: str, names: list[str]) -> set[str]:
        data = {_DATA.name} if Path(directory) == wheels / _DATA.parent else set[str]()
        return {*by_name(directory, names), *data}

    return chosen


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
