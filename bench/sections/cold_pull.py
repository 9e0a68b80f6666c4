"""A pull that finds no warm function, against one that does: from the gateway to the last byte."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.content import MIB, Content
from bench.memory import processes
from bench.pairs import Comparison
from bench.servers import Server
from bench.skopeo import Skopeo
from bench.streams import Registry
from bench.table import table

REPOSITORY = "bench/cold"
SIZES = (MIB, 64 * 1024)
_RUNTIME = "local.functions.runtime"


@dataclass(frozen=True, slots=True)
class Pulled:
    """One row: cold over warm, in seconds."""

    name: str
    wall: Comparison


def measure(*, pairs: int) -> Sequence[Pulled]:
    """Pull the same image with every environment of the functions killed, and again. Raises servers.Missing."""
    with tempfile.TemporaryDirectory(prefix="roadstead-bench-") as directory:
        work = Path(directory)
        skopeo, content = Skopeo(work), Content(work / "image", SIZES)
        with servers.roadstead(work) as server:
            skopeo.login(server)
            image = content.renew()
            registry = Registry(server, REPOSITORY)
            registry.push_whole(image)

            def by_skopeo() -> None:
                skopeo.pull(server, f"{REPOSITORY}:bench")

            def by_client() -> None:
                registry.pull(image)

            return [
                Pulled("token, manifest, two blobs by a small client", _compared(server, by_client, pairs)),
                Pulled("the same by skopeo", _compared(server, by_skopeo, pairs)),
            ]


def show(pulled: Sequence[Pulled]) -> str:
    rows = [[one.name, f"{one.wall.median_ours:.2f}", f"{one.wall.median_base:.2f}", str(one.wall)] for one in pulled]
    return table(
        "A first pull from cold functions",
        "Through the whole local stack, after every environment of every function was killed, over the same pull with "
        "warm ones, in turn. A cold pull starts an interpreter and imports the function for each environment that it "
        "needs; not in it is what Lambda adds, to fetch the package and start a machine. Median (least-most) of the "
        "pairs.",
        ["pull", "cold s", "warm s", "x warm"],
        rows,
    )


def _compared(server: Server, pull: Callable[[], None], pairs: int) -> Comparison:
    pull()
    cold, warm = [], []
    for _ in range(pairs):
        _kill_environments(server)
        cold.append(_seconds(pull))
        warm.append(_seconds(pull))
    return Comparison(tuple(cold), tuple(warm))


def _kill_environments(server: Server) -> None:
    """Raises RuntimeError if none runs: the pull would not be a cold one."""
    killed = [one for one in processes(server.pid) if _RUNTIME in _command(one)]
    if not killed:
        raise RuntimeError("no environment of a function runs")
    for one in killed:
        os.kill(one, signal.SIGKILL)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has ended
        return ""


def _seconds(pull: Callable[[], None]) -> float:
    began = time.perf_counter()
    pull()
    return time.perf_counter() - began
