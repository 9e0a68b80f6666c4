"""A chunked push that starts the relay, and one that finds it there, against a relay that always runs."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.content import MIB, Content
from bench.pairs import Comparison
from bench.servers import Server
from bench.streams import Registry
from bench.table import table

REPOSITORY = "bench/zero"
IDLE = 1.0  # seconds after which an environment of the relay ends
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Pushed:
    """One row: a push to a relay that is a web function, over one to a relay on Fargate. In seconds."""

    name: str
    wall: Comparison


def measure(*, pairs: int, size: int = 8 * MIB) -> Sequence[Pushed]:
    """Push `size` bytes in one layer: after idling, at once again, and to a relay that always runs."""
    cold: list[float] = []
    warm: list[float] = []
    always: list[float] = []
    with tempfile.TemporaryDirectory(prefix="roadstead-bench-") as directory:
        work = Path(directory)
        content = Content(work / "image", [size])
        with _stacks(work) as (zero, fargate):
            for place in range(pairs + 1):
                _wait_until_idle(zero)
                taken = [_seconds(server, content) for server in (zero, zero, fargate)]
                if place:  # the first round makes connections and compiles byte code
                    for times, seconds in zip((cold, warm, always), taken, strict=True):
                        times.append(seconds)
    return (
        Pushed("first push after idling", Comparison(tuple(cold), tuple(always))),
        Pushed("next push", Comparison(tuple(warm), tuple(always))),
    )


def show(pushed: Sequence[Pushed]) -> str:
    rows = [[one.name, f"{one.wall.median_ours:.2f}", f"{one.wall.median_base:.2f}", str(one.wall)] for one in pushed]
    return table(
        "A relay that scales from zero",
        "8 MiB by one PATCH, on this machine: a start in Lambda also unpacks the package, on another processor. "
        "fargate: the same push to a relay that always runs. Median (least-most) of the pairs.",
        ["push", "wall s", "fargate s", "x fargate"],
        rows,
    )


@contextmanager
def _stacks(work: Path) -> Iterator[tuple[Server, Server]]:
    with (
        servers.roadstead(work, "--relay-idle", str(IDLE), name="zero") as zero,
        servers.roadstead(work, "--relay", "fargate", name="fargate") as fargate,
    ):
        yield zero, fargate


def _seconds(server: Server, content: Content) -> float:
    image = content.renew()
    began = time.perf_counter()
    Registry(server, REPOSITORY).push_chunked(image)
    return time.perf_counter() - began


def _wait_until_idle(server: Server) -> None:
    """Raises RuntimeError if an environment does not end."""
    assert server.ready is not None
    state = Path(str(server.ready["password_file"])).with_name("ready.json")
    deadline = time.monotonic() + _PATIENCE
    while "relay" in json.loads(state.read_text())["pids"]:
        if time.monotonic() > deadline:
            raise RuntimeError("the relay does not end when it idles")
        time.sleep(0.05)
