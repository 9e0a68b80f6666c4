"""The package of each function: what it imports, what it calls, and the bytecode of that.

Chalice makes one package for all functions. From it a function gets `app.py`, Chalice's own part, and the modules of
ours that its handler imports, now or later. Beside them go the wheels of its lock file, with botocore's data cut to the
services and calls of those modules.
"""

from __future__ import annotations

import ast
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from infra.packaging.models import BotocoreData

OWN = ("functions", "roadstead")
_BEGINNING = ("functions.hosting.lines",)  # what app.py imports by its name, beside the handler
_ALWAYS = ("app.py", "chalice/")
# What a library calls by itself.
_CALLS_OF_OTHERS = {"aws_xray_sdk": ("xray", {"get_sampling_rules", "get_sampling_targets"})}


def lay_out(function: str, chalice: Path, wheels: Path, directory: Path) -> None:
    """Lay out in `directory`, which is not there yet, what the function runs on; without bytecode.

    `chalice` is Chalice's zip, `wheels` a directory with the wheels of the function's lock file. Raises KeyError for a
    function that is not in the zip.
    """
    with zipfile.ZipFile(chalice) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    modules = imported_modules(files, (f"functions.{function}.handler", *_BEGINNING))
    shutil.copytree(wheels, directory, ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    for path, source in files.items():
        if path.startswith(_ALWAYS) or _module(path) in modules:
            _write(directory / path, source)
    data = directory / "botocore" / "data"
    if data.is_dir():
        whole = {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}
        shutil.rmtree(data)
        for name, content in BotocoreData(whole).cut(*calls(modules.values(), directory)).items():
            _write(data / name, content)


def imported_modules(sources: Mapping[str, bytes], roots: Iterable[str]) -> dict[str, ast.Module]:
    """Return our modules that the roots import, directly or not, each parsed. Raises KeyError for a root.

    `sources` are files by their path in the zip. An import inside a function counts like any other.
    """
    paths = {_module(path): path for path in sources if path.endswith(".py") and path.startswith(OWN)}
    trees: dict[str, ast.Module] = {}
    pending = list(roots)
    for root in pending:
        if root not in paths:
            raise KeyError(f"there is no module {root} in the package")
    while pending:
        name = pending.pop()
        if name in trees:
            continue
        trees[name] = ast.parse(sources[paths[name]])
        for imported in (name, *_imports(trees[name])):
            pending += [part for part in _with_parents(imported) if part in paths]
    return trees


def calls(trees: Iterable[ast.Module], directory: Path) -> tuple[set[str], set[str]]:
    """Return the services that the modules make clients of, and every word that may be a method of a client."""
    trees = tuple(trees)
    services, words = services_of(trees), words_of(trees)
    for package, (service, methods) in _CALLS_OF_OTHERS.items():
        if (directory / package).is_dir():
            services, words = services | {service}, words | methods
    return services, words


def services_of(trees: Iterable[ast.Module]) -> set[str]:
    """Return the first argument of each call of `client`."""
    return {
        node.args[0].value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) == "client"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def words_of(trees: Iterable[ast.Module]) -> set[str]:
    """Return every name after a dot and every string: each method of a client that is called is among them."""
    return {
        word
        for tree in trees
        for node in ast.walk(tree)
        for word in ([node.attr] if isinstance(node, ast.Attribute) else [getattr(node, "value", None)])
        if isinstance(word, str)
    }


def _imports(tree: ast.Module) -> Iterator[str]:
    """Yield dotted names; of `from a import b` both `a` and `a.b`. Our modules have no relative imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
