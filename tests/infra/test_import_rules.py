"""Who may import whom, held by reading the source.

roadstead/*.py         the standard library and each other
roadstead/services/    no implementation of a store, no boto3
roadstead/stores/      the only place of the product with boto3 and botocore
roadstead/             never functions/, chalice, local/
functions/<one>/       never another function's package, never chalice
app.py                 the only place with Chalice
cli/                   boto3 in aws.py only, implementations of stores there and in composition.py; local/ for its audit
                       trail only
cli/doctor/            what looks from outside: the standard library and itself
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("app.py", "roadstead", "functions", "cli")
COMPOSITION = ("cli.aws", "cli.composition")
FROM_OUTSIDE = ("entrance", "examination", "images", "report", "session", "uploads", "wire")
IMPLEMENTATION = re.compile(r"roadstead\.stores\.(dynamodb_\w+|memory_\w+|s3|kms|ssm|table|aws)(\.|$)")


def imported(source: str, module: str, *, package: bool = False) -> set[str]:
    """The dotted names that a module imports, anywhere in it; of `from a import b` both `a` and `a.b`."""
    names: set[str] = set()
    parents = module.split(".") if package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names |= {origin, *(f"{origin}.{alias.name}" for alias in node.names)}
    return names


def violations(module: str, names: set[str]) -> list[str]:
    """What of `names` the module `module` may not import."""
    top = {name.partition(".")[0] for name in names}
    bad: list[str] = []
    if not module.startswith("roadstead.stores") and module != "cli.aws":
        bad += sorted(top & {"boto3", "botocore"})
    if module != "app":
        bad += sorted(top & {"chalice"})
    outside = {"local", "tests", "bench", "infra", "app"} - ({"local"} if module == "cli.audit_commands" else set())
    bad += sorted(top & outside)
    if not module.startswith("cli"):
        bad += sorted(top & {"cli"})
    if module.startswith("roadstead"):
        bad += sorted(top & {"functions"})
        bad += [name for name in sorted(names) if is_outside(module, name)]
    if module.startswith("roadstead.services") or (module.startswith("cli.") and module not in COMPOSITION):
        bad += [name for name in sorted(names) if IMPLEMENTATION.match(name)]
    if module.startswith("cli.doctor.") and module.rpartition(".")[2] in FROM_OUTSIDE:
        own = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
        bad += sorted(name for name in own if not name.startswith("cli.doctor"))
    function = re.match(r"functions\.(\w+)\.", module)
    if function:
        bad += [name for name in sorted(names) if is_another_function(function[1], name)]
    return bad


def is_outside(module: str, name: str) -> bool:
    """Whether a top-level module of `roadstead` imports more than the standard library and its like."""
    if module.count(".") > 1 or (ROOT / module.replace(".", "/")).is_dir():
        return False
    parts = name.split(".")
    if parts[0] == "roadstead":
        return len(parts) > 1 and (ROOT / "roadstead" / parts[1]).is_dir()
    return parts[0] not in sys.stdlib_module_names


def is_another_function(own: str, name: str) -> bool:
    parts = name.split(".")
    return parts[0] == "functions" and len(parts) > 1 and parts[1] != own and (ROOT / "functions" / parts[1]).is_dir()


def modules() -> Iterator[tuple[str, Path]]:
    for entry in PRODUCT:
        path = ROOT / entry
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            yield ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), file


MODULES = dict(modules())


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_it_may(module: str) -> None:
    file = MODULES[module]
    names = imported(file.read_text(), module, package=file.name == "__init__.py")
    assert violations(module, names) == []


def test_the_walk_finds_the_product() -> None:
    assert {"app", "roadstead.names", "roadstead.aws.s3", "functions.registry.handler"} <= set(MODULES)


@pytest.mark.parametrize(
    ("module", "source", "bad"),
    [
        ("roadstead.services.pull", "import boto3.session", ["boto3"]),
        ("roadstead.services.pull", "def f():\n  from botocore import config", ["botocore"]),
        ("functions.registry.handler", "from botocore.exceptions import ClientError", ["botocore"]),
        ("roadstead.aws.s3", "import botocore", []),
        ("roadstead.services.pull", "from roadstead.stores import s3", ["roadstead.aws.s3"]),
        ("roadstead.services.pull", "from ..stores import table", ["roadstead.aws.table"]),
        (
            "roadstead.services.pull",
            "from roadstead.aws.dynamodb_blobs import X",
            ["roadstead.aws.dynamodb_blobs", "roadstead.aws.dynamodb_blobs.X"],
        ),
        ("roadstead.services.pull", "from roadstead.content.blob_index import BlobIndex", []),
        ("roadstead.services.pull", "from functions.registry import settings", ["functions"]),
        ("roadstead.names", "import jwt", ["jwt"]),
        ("roadstead.names", "from roadstead.services import pull", ["roadstead.services", "roadstead.services.pull"]),
        ("roadstead.names", "import re\nfrom roadstead.digest import Digest", []),
        ("roadstead.aws.s3", "import chalice", ["chalice"]),
        ("functions.token.handler", "from chalice.app import Chalice", ["chalice"]),
        ("functions.token.handler", "import local.aws", ["local"]),
        (
            "functions.token.handler",
            "from functions.distribution.routes import ROUTES",
            ["functions.distribution.routes", "functions.distribution.routes.ROUTES"],
        ),
        ("functions.token.handler", "from functions.hosting.boundary import answer", []),
        ("app", "from chalice.app import Chalice", []),
        ("cli.key_commands", "import boto3", ["boto3"]),
        ("cli.aws", "import boto3", []),
        ("cli.key_commands", "from roadstead.stores import ssm", ["roadstead.aws.ssm"]),
        ("cli.composition", "from roadstead.stores import ssm", []),
        ("cli.status_commands", "import local.audit", ["local"]),
        ("cli.audit_commands", "import local.audit", []),
        ("cli.doctor.wire", "from roadstead import digest", ["roadstead", "roadstead.digest"]),
        ("cli.doctor.wire", "import http.client", []),
        ("roadstead.services.pull", "import cli.wire", ["cli"]),
    ],
)
def test_the_rules_see_what_breaks_them(module: str, source: str, bad: list[str]) -> None:
    assert violations(module, imported(source, module)) == bad
