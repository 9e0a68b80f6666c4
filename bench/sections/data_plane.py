"""Push and pull of large layers: Roadstead's edge against distribution on a directory, and against S3 alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import memory, servers
from bench.bare import BUCKET, BareS3, empty
from bench.content import MIB, Content, Image
from bench.pairs import Comparison
from bench.servers import Server
from bench.skopeo import Skopeo
from bench.streams import PARALLEL, Registry
from bench.table import table
from tests import aws

LAYERS = (1, 20)  # into which the same bytes are split
REPOSITORY = "bench/large"

Run = Callable[[Image], object]


@dataclass(frozen=True, slots=True)
class Goals:
    """The ratios that the project aims for; None without a goal."""

    distribution: float | None = None
    bare: float | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """One way of moving an image: ours, distribution's, and to bare S3 if that can be compared."""

    name: str
    ours: Run
    distribution: Run
    bare: Run | None
    goals: Goals
    pushes: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """One row. `size` in bytes; comparisons in seconds; `peaks` in MiB, by part of both servers."""

    name: str
    layers: int
    size: int
    distribution: Comparison
    bare: Comparison | None
    goals: Goals
    peaks: dict[str, float]


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers and clients of the section."""

    own: Server
    peer: Server
    s3: Any
    skopeo: Skopeo
    bare: BareS3

    def ways(self) -> tuple[Way, ...]:
        own, peer = Registry(self.own, REPOSITORY), Registry(self.peer, REPOSITORY)
        name = f"{REPOSITORY}:bench"
        return (
            Way("push, PUT straight to S3", own.push_whole, peer.push_whole, self.bare.put, Goals(0.5, 1.3), True),
            Way(
                "push, PATCH by the relay",
                own.push_chunked,
                peer.push_chunked,
                self.bare.put_parts,
                Goals(None, 1.5),
                True,
            ),
            Way(
                "push by skopeo (relay)",
                lambda image: self.skopeo.push(self.own, image.layout, name),
                lambda image: self.skopeo.push(self.peer, image.layout, name),
                None,
                Goals(),
                True,
            ),
            Way("pull", own.pull, peer.pull, self.bare.get, Goals(None, 1.1), False),
            Way(
                "pull by skopeo",
                lambda _: self.skopeo.pull(self.own, name),
                lambda _: self.skopeo.pull(self.peer, name),
                None,
                Goals(),
                False,
            ),
        )

    def clean(self) -> None:
        """Delete all objects, for the disk's sake."""
        assert self.own.ready is not None
        empty(self.s3, str(self.own.ready["bucket"]), BUCKET)


def measure(*, size: int, pairs: int, only: str = "") -> Iterator[Moved]:
    """Measure every way whose name contains `only`, with `size` bytes in one layer and in twenty.

    Raises servers.Missing.
    """
    with tempfile.TemporaryDirectory(prefix="roadstead-bench-") as directory:
        work = Path(directory)
        with _bench(work) as bench:
            _warm_up(bench, Content(work / "first", [MIB]))
            for layers in LAYERS:
                content = Content(work / f"image-{layers}", [size // layers] * layers)
                for way in bench.ways():
                    if only in way.name:
                        yield _moved(bench, way, content, layers, pairs)


def show(moved: Sequence[Moved]) -> str:
    return "\n".join((_times(moved), _memory(moved)))


def _moved(bench: Bench, way: Way, content: Content, layers: int, pairs: int) -> Moved:
    roots = (bench.own.pid, bench.peer.pid)
    taken: list[tuple[float, ...]] = []
    peaks: dict[str, float] = {}
    image = content.renew()
    runs = [run for run in (way.ours, way.distribution, way.bare) if run is not None]
    if not way.pushes:
        _place(bench, image)
    for _ in range(pairs):
        memory.forget_peaks(roots)
        taken.append(tuple(_seconds(run, image) for run in runs))
        for part, peak in memory.peaks(roots).items():
            peaks[part] = max(peaks.get(part, 0.0), peak)
        if way.pushes:
            bench.clean()
            image = content.renew()
    bench.clean()
    ours, distribution, *bare = (tuple(column) for column in zip(*taken, strict=True))
    return Moved(
        way.name,
        layers,
        image.size,
        Comparison(ours, distribution),
        Comparison(ours, bare[0]) if bare else None,
        way.goals,
        peaks,
    )


def _warm_up(bench: Bench, content: Content) -> None:
    """Run every way once, so that the first request of each process is not measured."""
    for way in bench.ways():
        image = content.renew()
        _place(bench, image)
        if way.pushes:
            image = content.renew()
        for run in (way.ours, way.distribution, way.bare):
            if run is not None:
                run(image)
    bench.clean()


def _place(bench: Bench, image: Image) -> None:
    """Push the image to where it will be pulled from."""
    for server in (bench.own, bench.peer):
        Registry(server, REPOSITORY).push_whole(image)
    bench.bare.put(image)


def _seconds(run: Run, image: Image) -> float:
    began = time.perf_counter()
    run(image)
    return time.perf_counter() - began


@contextmanager
def _bench(work: Path) -> Iterator[Bench]:
    with servers.roadstead(work) as own:
        assert own.ready is not None
        if not own.ready.get("relay"):
            raise servers.Missing("the local stack runs without edge or relay, so nothing accepts a large layer")
        s3 = aws.local_client("s3", own.ready)
        s3.create_bucket(Bucket=BUCKET)
        with servers.distribution(work, servers.filesystem(work), login=False) as peer:
            skopeo = Skopeo(work)
            skopeo.login(own)
            yield Bench(own, peer, s3, skopeo, BareS3(s3))


def _times(moved: Sequence[Moved]) -> str:
    rows = [
        [
            one.name,
            str(one.layers),
            f"{one.distribution.median_ours:.2f}",
            f"{one.size / MIB / one.distribution.median_ours:.0f}",
            str(one.distribution),
            _goal(one.goals.distribution),
            str(one.bare) if one.bare else "-",
            _goal(one.goals.bare),
        ]
        for one in moved
    ]
    return table(
        f"Push and pull of {moved[0].size / MIB:.0f} MiB",
        f"Split into `layers` layers, {PARALLEL} at once (skopeo: 6). x distr.: over distribution by the same client, "
        "without login, on a directory. x bare: over a PUT, a multipart upload with parts of 8 MiB, or a GET "
        "of the same bytes at that S3. Median (least-most) of the pairs. goal: the most that the project aims for.",
        ["way", "layers", "wall s", "MiB/s", "x distr.", "goal", "x bare", "goal"],
        rows,
    )


def _memory(moved: Sequence[Moved]) -> str:
    parts = sorted({part for one in moved for part in one.peaks})
    rows = [
        [one.name, str(one.layers), *(f"{one.peaks[part]:.0f}" if part in one.peaks else "-" for part in parts)]
        for one in moved
    ]
    return table(
        "Peak memory during each row",
        "Resident MiB of each part's largest process.",
        ["way", "layers", *parts],
        rows,
    )


def _goal(goal: float | None) -> str:
    return f"{goal:.1f}" if goal is not None else "-"
