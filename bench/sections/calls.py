"""Counts the calls to AWS per operation in the real handlers."""

from __future__ import annotations

from collections import Counter

from bench.operations import Operation, operations
from bench.rig import Rig
from bench.table import table

SERVICES = ("dynamodb", "s3", "kms", "ssm")
_FIRST = ("GET manifest by tag", "POST upload", "GET token, password known")

Counts = dict[str, tuple[str, ...]]


def count(rig: Rig) -> Counts:
    """Return the calls of each operation in order; for some also as the first request of an environment."""
    rows = {operation.name: operation for operation in operations(rig)}
    counts = {name: calls_of(rig, operation) for name, operation in rows.items()}
    return counts | {f"{name} (first)": calls_of(rig, rows[name], first=True) for name in _FIRST}


def show(counts: Counts) -> str:
    rows = []
    for name, calls in counts.items():
        by_service = Counter(call.partition(".")[0] for call in calls)
        numbers = [str(by_service[service] or "-") for service in SERVICES]
        rows.append([name, *numbers, listed(calls)])
    return table(
        "Calls to AWS for each operation",
        "Counted in the real handlers, on an emulator. Presigning a URL and verifying a token make no call. (first): "
        "the first request of an execution environment, which reads keys that later requests find in memory.",
        ["operation", "DynamoDB", "S3", "KMS", "SSM", "in order"],
        rows,
        prose=True,
    )


def calls_of(rig: Rig, operation: Operation, *, first: bool = False) -> tuple[str, ...]:
    """Return the calls of one such request, behind another one."""
    operation.prepare()()
    invocation = operation.prepare()
    if first:
        rig.forget()
    return rig.calls_of(invocation)


def listed(calls: tuple[str, ...]) -> str:
    """Return `GetItem x2, PutObject`: adjacent equal calls are counted together."""
    runs: list[tuple[str, int]] = []
    for call in calls:
        name = call.partition(".")[2]
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + 1)
        else:
            runs.append((name, 1))
    return ", ".join(name if number == 1 else f"{name} x{number}" for name, number in runs) or "none"
