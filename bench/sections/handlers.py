"""What a handler costs, against one bare `get_item` of boto3, and against its own calls sent again by bare boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import boto3

from bench.operations import REPOSITORY, Operation
from bench.pairs import Comparison, Cost, compared, cost
from bench.replay import Replay, kept
from bench.rig import Rig
from bench.table import table


@dataclass(frozen=True, slots=True)
class Handled:
    """Seconds for one request."""

    name: str
    wall: Comparison
    cpu: Comparison
    calls: Comparison | None  # CPU, over the same calls; None if there are none


def measure(rig: Rig, measured: Iterable[Operation], *, pairs: int, repeat: int) -> Iterator[Handled]:
    """Measure operations. A sample is the mean of `repeat` requests, against as many reads right after them."""
    bare = _bare_read(rig)
    for operation in measured:
        yield _against(rig, bare, operation, pairs=pairs, repeat=repeat)


def show(handled: list[Handled]) -> str:
    rows = [
        [
            one.name,
            _ms(one.wall.median_ours),
            str(one.wall),
            _ms(one.cpu.median_ours),
            str(one.cpu),
            *([_ms(one.calls.median_base), str(one.calls)] if one.calls else ["-", "-"]),
        ]
        for one in handled
    ]
    base = handled[0]
    return table(
        "Handlers over a bare get_item",
        "Each handler is called in this process with an API Gateway event, and compared with a bare boto3 get_item of "
        "the same emulator, in turn. x get_item: median (least-most) of the pairs. Wall time includes the emulator, "
        "which does not take what AWS takes; CPU is this process's only. x calls: over the same requests to AWS, sent "
        "again by bare boto3 clients, which is the least for an operation that makes them. "
        f"The bare read took {_ms(base.wall.median_base)} ms, {_ms(base.cpu.median_base)} ms of CPU.",
        ["operation", "wall ms", "x get_item", "CPU ms", "x get_item", "calls ms", "x calls"],
        rows,
    )


def _against(rig: Rig, bare: Callable[[], object], operation: Operation, *, pairs: int, repeat: int) -> Handled:
    operation.prepare()()  # reads keys, opens connections, checks the response
    invocation = operation.prepare()
    with kept(rig) as requests:
        invocation()
    replay = Replay(requests)
    replay()

    def ours() -> Cost:
        invocations = [operation.prepare() for _ in range(repeat)]
        return cost(lambda: [one.run() for one in invocations], of=repeat)

    def base() -> Cost:
        return cost(lambda: [bare() for _ in range(repeat)], of=repeat)

    def again() -> None:
        for _ in range(repeat):
            replay()

    def same() -> Cost:
        return cost(again, of=repeat)

    wall, cpu = compared(ours, base, pairs)
    return Handled(operation.name, wall, cpu, compared(ours, same, pairs)[1] if replay.number else None)


def _bare_read(rig: Rig) -> Callable[[], object]:
    """Return a strongly consistent read of a tag's item."""
    dynamodb = boto3.client("dynamodb")
    key = {"pk": {"S": f"repo#{REPOSITORY}"}, "sk": {"S": "tag#latest"}}
    return lambda: dynamodb.get_item(TableName=rig.resources.index_table, Key=key, ConsistentRead=True)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f}"
