"""Cold start: what a fresh process does before its first request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.pairs import Comparison, Cost, compared
from bench.table import table
from tests.packages import unpacked

ROOT = Path(__file__).resolve().parents[2]
_PREPARED = "from functions.{function} import handler; handler.prepare()"
# What a function asks of AWS, each thing by a client of boto3's that is made at once: what each of them did before any
# of this was hurried, and what is held against them ever since.
CLIENTS = {
    "registry": ("dynamodb", "s3", "kms", "ssm"),
    "token": ("dynamodb", "kms"),
    "management": ("dynamodb", "ssm"),
    "collector": ("dynamodb", "s3"),
    "indexer": ("dynamodb", "s3", "sqs"),
    "ldap": (),
    "webhook": ("dynamodb", "sqs", "logs", "s3", "ssm"),
}
# What Lambda does, in a process that sees the function's package alone.
_PACKAGED = "import sys; sys.path[:0] = [{directory!r}]; import app"
_TIMED = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
{code}
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds."""

    name: str
    wall: Comparison
    cpu: Comparison


@dataclass(frozen=True, slots=True)
class Variant:
    """Code that starts a function; `options` are the interpreter's."""

    name: str
    code: str
    environment: Mapping[str, str]
    options: tuple[str, ...] = ()


def measure(functions: Iterable[str], environment: Mapping[str, str], *, pairs: int) -> list[Start]:
    """Measure the start of each function; `environment` is that of all of them."""
    starts = []
    with tempfile.TemporaryDirectory(prefix="bench-packages-") as temporary:
        for function in functions:
            directory = unpacked(function, Path(temporary) / function)
            made = ", ".join(f"boto3.client({name!r})" for name in CLIENTS[function])
            base = Variant("", f"import boto3; {made}", environment)
            starts += compared_starts(_variants(function, environment, directory), base, pairs)
    return starts


def compared_starts(variants: Iterable[Variant], base: Variant, pairs: int) -> list[Start]:
    """Measure what each variant adds to `base`."""
    listed = list(variants)
    for one in (base, *listed):
        _run(one)  # compiles the bytecode
    return [_compared(one, base, pairs) for one in listed]


def _variants(function: str, environment: Mapping[str, str], directory: Path) -> list[Variant]:
    prepared = _PREPARED.format(function=function)
    in_lambda = {**environment, "_HANDLER": f"app.{function}"}
    packaged = _PACKAGED.format(directory=str(directory))
    bare = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(directory / "nothing")}
    return [
        Variant(f"{function}: import alone", f"import functions.{function}.handler", environment),
        Variant(f"{function}: import and prepare()", prepared, environment),
        Variant(f"{function}: app.py as in Lambda", "import app", in_lambda),
        Variant(f"{function}: its package", packaged, in_lambda, ("-S",)),
        Variant(f"{function}: without bytecode", "import app", {**in_lambda, **bare}),
    ]


def show(starts: list[Start]) -> str:
    rows = [
        [
            one.name,
            _ms(one.wall.median_ours),
            _ms(one.wall.median_base),
            str(one.wall),
            _ms(one.cpu.median_ours),
            str(one.cpu),
        ]
        for one in starts
    ]
    return table(
        "Cold import of each function",
        "In fresh processes, over `import boto3` and making a client of each service that the function uses, in turn; "
        "the interpreter's own start is not counted. x boto3: median (least-most) of the pairs. Bytecode is compiled "
        "beforehand. prepare() reads the settings and makes the clients that every request needs; Lambda runs app.py, "
        "which does both. `its package` is that from the zip that is deployed, and nothing else; `without bytecode` "
        "is how Lambda starts a zip of sources: it compiles every module, every time.",
        ["function", "wall ms", "boto3 ms", "x boto3", "CPU ms", "x boto3"],
        rows,
    )


def _compared(variant: Variant, base: Variant, pairs: int) -> Start:
    return Start(variant.name, *compared(lambda: _run(variant), lambda: _run(base), pairs))


def _run(variant: Variant) -> Cost:
    """Run and time the code in a new process. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, *variant.options, "-c", _TIMED.format(code=variant.code)],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), **variant.environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
