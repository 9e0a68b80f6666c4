"""Cold start: what a fresh process does before its first request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.pairs import Comparison, Cost, compared
from bench.table import table

ROOT = Path(__file__).resolve().parents[1]
_PREPARED = "from functions.{function} import handler; handler.prepare()"
# What a function asks of AWS, each thing by a client of boto3's that is made at once: what each of them did before any
# of this was hurried, and what is held against them ever since.
_CLIENTS = {
    "registry": ("dynamodb", "s3", "kms", "ssm"),
    "token": ("dynamodb", "kms"),
    "management": ("dynamodb", "ssm"),
    "webhook": ("dynamodb", "sqs", "logs", "s3", "ssm"),
}
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


def measure(functions: Iterable[str], environment: Mapping[str, str], *, pairs: int) -> list[Start]:
    """Measure the start of each function; `environment` is that of all of them."""
    starts = []
    for function in functions:
        prepared = _PREPARED.format(function=function)
        made = ", ".join(f"boto3.client({name!r})" for name in _CLIENTS[function])
        base = f"import boto3; {made}"
        variants = {
            f"{function}: import alone": (f"import functions.{function}.handler", environment),
            f"{function}: import and prepare()": (prepared, environment),
            f"{function}: app.py as in Lambda": ("import app", {**environment, "_HANDLER": f"app.{function}"}),
        }
        for code, seen in ((base, environment), *variants.values()):
            _run(_TIMED.format(code=code), seen)  # compiles the byte code
        starts += [_compared(name, code, seen, base, pairs) for name, (code, seen) in variants.items()]
    return starts


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
        "the interpreter's own start is not counted. x boto3: median (least-most) of the pairs. Byte code is compiled "
        "beforehand. prepare() reads the settings and makes the clients that every request needs; Lambda runs app.py, "
        "which does both.",
        ["function", "wall ms", "boto3 ms", "x boto3", "CPU ms", "x boto3"],
        rows,
    )


def _compared(name: str, code: str, environment: Mapping[str, str], base: str, pairs: int) -> Start:
    def timed(code: str) -> Cost:
        return Cost(*_run(_TIMED.format(code=code), environment))

    return Start(name, *compared(lambda: timed(code), lambda: timed(base), pairs))


def _run(code: str, environment: Mapping[str, str]) -> Any:
    """Run Python code in a new process; return the JSON that it prints last. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
