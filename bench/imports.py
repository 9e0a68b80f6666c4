"""Cold start: what a fresh process pays before its first request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.pairs import Comparison
from bench.table import table

ROOT = Path(__file__).resolve().parents[1]
_CLIENTS = {"registry": ("dynamodb", "s3", "kms", "ssm"), "token": ("dynamodb", "kms")}
_COMPOSE = {
    "registry": "from functions.registry import handler; from functions.registry.settings import Settings; "
    "import os; handler.build(Settings.from_environ(os.environ))",
    "token": "from functions.token import handler; handler.services()",
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


def measure(environment: Mapping[str, str], *, pairs: int) -> list[Start]:
    """`environment` is that of all functions. A first run of each, not counted, compiles and caches what it imports."""
    starts = []
    for function, clients in _CLIENTS.items():
        made = ", ".join(f"boto3.client({name!r})" for name in clients)
        base = f"import boto3; {made}"
        variants = {
            f"{function}: import alone": (f"import functions.{function}.handler", {}),
            f"{function}: import, and put together": (_COMPOSE[function], {}),
            f"{function}: app.py as Lambda imports it": ("import app", {"_HANDLER": f"app.{function}"}),
        }
        for name, (code, extra) in variants.items():
            starts.append(_compared(name, code, base, {**environment, **extra}, pairs))
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
        "In fresh processes, over `import boto3` and making the clients that the function uses, in turn; the "
        "interpreter's own start is not counted. x boto3: median (least-most) of the pairs. Byte code is compiled "
        "beforehand. Putting together makes the function's clients and calls nothing.",
        ["function", "wall ms", "boto3 ms", "x boto3", "CPU ms", "x boto3"],
        rows,
    )


def _compared(name: str, code: str, base: str, environment: Mapping[str, str], pairs: int) -> Start:
    for once in (code, base):
        _run(once, environment)
    taken = [(_run(code, environment), _run(base, environment)) for _ in range(pairs)]
    wall, cpu = (
        Comparison(tuple(ours[place] for ours, _ in taken), tuple(bare[place] for _, bare in taken)) for place in (0, 1)
    )
    return Start(name, wall, cpu)


def _run(code: str, environment: Mapping[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a piece of Python in a new process. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(code=code)],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    wall, cpu = json.loads(done.stdout)
    return wall, cpu


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
