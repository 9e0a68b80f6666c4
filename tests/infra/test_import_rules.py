"""Every module imports only what its room may (floors.py), and imports form no cycle."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.infra.floors import EXCEPTIONS, ROOMS, VOCABULARY

ROOT = Path(__file__).parents[2]
AWS = "roadstead/aws"
TOPS = {room.partition("/")[0] for room in ROOMS}
OWN = TOPS | {"app", "bench", "tests"}


def room_of(module: str) -> str:
    """Return the innermost room of `module` (dotted), or its first part if it is in no room."""
    parts = module.split(".")
    if module == "app":
        return "app.py"
    rooms = ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((room for room in rooms if room in ROOMS), parts[0])


def imported(source: str, module: str, *, package: bool = False) -> set[str]:
    """Return the dotted names that a module imports anywhere; `from a import b` counts as `a.b`."""
    names: set[str] = set()
    parents = module.split(".") if package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{origin}.{alias.name}" for alias in node.names}
    return names


def violations(module: str, names: set[str]) -> list[str]:
    """Return the names that `module` must not import."""
    own = room_of(module)
    room = ROOMS[own]
    extra = EXCEPTIONS.get(module, ())
    bad = []
    for name in sorted(names):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names:
            continue
        if top not in OWN:
            allowed = top in room.packages or top in extra
        else:
            target = room_of(name)
            allowed = target in (own, *room.rooms, *extra) or (target == AWS and module in room.roots)
            allowed = allowed or (own == "local" and target.startswith("local"))
        if not allowed:
            bad.append(name)
    return bad


def modules() -> Iterator[tuple[str, Path]]:
    for top in sorted(TOPS):
        path = ROOT / top
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if not {"cdk.out", "node_modules"} & set(file.parts):
                yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), file


MODULES = dict(modules())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    file = MODULES[module]
    names = imported(file.read_text(), module, package=file.name == "__init__.py")
    assert violations(module, names) == []


def test_a_room_imports_only_rooms_above_it_in_the_table() -> None:
    order = list(ROOMS)
    for name, room in ROOMS.items():
        lower = [other for other in room.rooms if order.index(other) >= order.index(name)]
        assert not lower, f"{name} would import {lower}"


def test_every_folder_with_modules_belongs_to_a_room() -> None:
    assert {room_of(module) for module in MODULES} == set(ROOMS)


def test_imports_form_no_cycle() -> None:
    graph = {
        module: {target for name in imported(file.read_text(), module) if (target := module_named(name)) != module}
        for module, file in MODULES.items()
    }
    assert circle_in(graph) is None


def module_named(name: str) -> str:
    """Return the module of the dotted `name`: itself or its parent; empty for third-party packages."""
    if name in MODULES:
        return name
    parent = name.rpartition(".")[0]
    return parent if parent in MODULES else ""


def circle_in(graph: Mapping[str, set[str]]) -> list[str] | None:
    """Return a path that ends where it begins, or None."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str] | None:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return None
        for target in sorted(graph.get(module, ())):
            found = visit(target, [*path, module])
            if found:
                return found
        done.add(module)
        return None

    return next(filter(None, (visit(module, []) for module in graph)), None)


def test_a_cycle_is_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None


def test_the_architecture_page_has_the_same_table() -> None:
    """Each row: | `folder` | what is in it | what it may import, with rooms and packages in backquotes |."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.partition("## The rooms")[2].partition("\n## ")[0]
    rows = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 3 and cells[0].startswith("`"):
            rows[cells[0].strip("`").removesuffix("/")] = set(re.findall(r"`([^`]+)`", cells[2]))
    expected = {name: {*room.rooms, *room.packages, *({AWS} if room.roots else ())} for name, room in ROOMS.items()}
    assert rows == expected


@pytest.mark.parametrize(
    ("module", "source", "bad"),
    [
        ("roadstead.content.pull", "import boto3.session", ["boto3.session"]),
        ("roadstead.content.pull", "def f():\n  from botocore import config", ["botocore.config"]),
        ("roadstead.content.pull", "from roadstead.aws.content import s3", ["roadstead.aws.content.s3"]),
        ("roadstead.content.pull", "from ..aws import table", ["roadstead.aws.table"]),
        ("roadstead.content.pull", "from roadstead.identity import grants", ["roadstead.identity.grants"]),
        ("roadstead.content.pull", "from roadstead.trail.entries import Actor", []),
        ("roadstead.content.pull", "import functions.registry", ["functions.registry"]),
        ("roadstead.trail.entries", "from roadstead.content import push", ["roadstead.content.push"]),
        ("roadstead.names", "import jwt", ["jwt"]),
        ("roadstead.names", "from roadstead.content import pull", ["roadstead.content.pull"]),
        ("roadstead.names", "import re\nfrom roadstead.digest import Digest", []),
        ("roadstead.aws.content.s3", "import botocore", []),
        ("roadstead.aws.content.s3", "import chalice", ["chalice"]),
        (
            "functions.registry.handler",
            "from botocore.exceptions import ClientError",
            ["botocore.exceptions.ClientError"],
        ),
        ("functions.token.handler", "from chalice.app import Chalice", ["chalice.app.Chalice"]),
        ("functions.token.handler", "import local.aws", ["local.aws"]),
        (
            "functions.token.handler",
            "from functions.registry.handler import handle",
            ["functions.registry.handler.handle"],
        ),
        ("functions.token.composition", "from roadstead.aws.identity import kms", []),
        ("functions.token.handlers.keys", "from roadstead.aws.identity import kms", ["roadstead.aws.identity.kms"]),
        ("functions.token.handler", "from functions.hosting.boundary import response_of", []),
        ("cli.key_commands", "import boto3", ["boto3"]),
        ("cli.aws", "import boto3", []),
        ("cli.key_commands", "from roadstead.aws import ssm", ["roadstead.aws.ssm"]),
        ("cli.composition", "from roadstead.aws import ssm", []),
        ("cli.status_commands", "import local.audit", ["local.audit"]),
        ("cli.audit_commands", "import local.audit", []),
        ("cli.doctor.wire", "from roadstead import digest", ["roadstead.digest"]),
        ("infra.api", "from local import stack", ["local.stack"]),
        ("app", "from chalice.app import Chalice", []),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str, bad: list[str]) -> None:
    assert violations(module, imported(source, module)) == bad


def test_the_vocabulary_imports_no_room() -> None:
    assert next(iter(ROOMS)) == VOCABULARY
    assert ROOMS[VOCABULARY].rooms == ROOMS[VOCABULARY].packages == ()
