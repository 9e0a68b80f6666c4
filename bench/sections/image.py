"""Login, push and pull of one image by skopeo: the local stack against Debian's distribution."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.content import MIB, Content
from bench.pairs import Comparison
from bench.servers import Server
from bench.skopeo import Skopeo
from bench.table import table

# 16 MiB together: a typical small service, where requests cost more than bytes.
SIZES = (3 * MIB, 3 * MIB, 3 * MIB, 3 * MIB, 3 * MIB, MIB - 64 * 1024, 48 * 1024, 16 * 1024)
STEPS = ("login", "push", "pull")


@dataclass(frozen=True, slots=True)
class Step:
    """Wall time of a command, in seconds."""

    name: str
    seconds: Comparison


def measure(*, pairs: int) -> list[Step]:
    """Measure the three commands. Raises servers.Missing if a program is not installed."""
    with tempfile.TemporaryDirectory(prefix="roadstead-bench-") as directory:
        work = Path(directory)
        skopeo, content = Skopeo(work), Content(work / "image", SIZES)
        with servers.distribution(work, servers.filesystem(work), login=True) as peer, servers.roadstead(work) as own:
            _trip(skopeo, own, content, "bench/first:1")
            _trip(skopeo, peer, content, "bench/first:1")
            taken = [
                (_trip(skopeo, own, content, name), _trip(skopeo, peer, content, name))
                for name in (f"bench/image:{number}" for number in range(pairs))
            ]
    steps = [
        Step(step, Comparison(tuple(ours[place] for ours, _ in taken), tuple(base[place] for _, base in taken)))
        for place, step in enumerate(STEPS)
    ]
    whole = Comparison(tuple(sum(ours) for ours, _ in taken), tuple(sum(base) for _, base in taken))
    return [*steps, Step("all three", whole)]


def show(steps: list[Step]) -> str:
    rows = [
        [step.name, f"{step.seconds.median_ours:.3f}", f"{step.seconds.median_base:.3f}", str(step.seconds)]
        for step in steps
    ]
    return table(
        "Login, push and pull of one image",
        f"skopeo; {len(SIZES)} layers of random bytes, {sum(SIZES) / MIB:.0f} MiB together. Roadstead's whole local "
        "stack (CloudFront, API Gateway and AWS emulated; the real functions, handlers and relay) over Debian's "
        "distribution on a local directory with htpasswd, in turn, with a new image each time. x distribution: median "
        "(least-most) of the pairs.",
        ["command", "wall s", "distribution s", "x distribution"],
        rows,
    )


def _trip(skopeo: Skopeo, server: Server, content: Content, name: str) -> tuple[float, float, float]:
    """Return the seconds of each step, with an image that is new to the server."""
    image = content.renew()
    return skopeo.login(server), skopeo.push(server, image.layout, name), skopeo.pull(server, name)
