"""Where the milliseconds of a cold and of a warm pull go, as a table and as a picture."""

from __future__ import annotations

import cProfile
import os
import pstats
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from bench.operations import REPOSITORY, Requests, described
from bench.rig import Rig
from bench.table import table
from tests.packages import unpacked

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "pull-profile.svg"
REST = "interpreter and standard library"
WAIT = "waiting for AWS"
# The first prefix of a module's name that matches decides.
_GROUPS = (
    ("botocore, urllib3", ("botocore", "urllib3", "jmespath", "dateutil", "s3transfer", "six")),
    ("cryptography", ("cryptography", "_cffi", "cffi", "_openssl")),
    ("Chalice, X-Ray", ("chalice", "aws_xray_sdk", "wrapt")),
    ("Roadstead", ("app", "functions", "roadstead")),
)
_COLOURS = ("#3b7dd8", "#8a63d2", "#c9a227", "#2a9d6f", "#8b949e", "#d9d9d9")
_WAITING = ("recv_into", "connect", "sendall", "poll", "select")


@dataclass(frozen=True, slots=True)
class Profile:
    """Milliseconds by group."""

    name: str
    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.parts.values())


def measure(rig: Rig, *, pulls: int) -> list[Profile]:
    """Profile the start of the registry function from its package, and warm pulls."""
    with tempfile.TemporaryDirectory(prefix="bench-profile-") as directory:
        return [
            Profile("start of the registry function", _start(rig, unpacked("registry", Path(directory) / "package"))),
            Profile("warm pull: manifest twice, config, layer", _warm(rig, pulls)),
        ]


def show(profiles: Sequence[Profile]) -> str:
    rows = [
        [one.name if place == 0 else "", group, f"{ms:.1f}", f"{100 * ms / one.total:.0f} %"]
        for one in profiles
        for place, (group, ms) in enumerate(sorted(one.parts.items(), key=lambda part: -part[1]))
    ]
    return table(
        "Where the milliseconds of a pull go",
        "The start: each module's own time by `python -X importtime`, from the package that is deployed; what is left "
        "is settings and clients, with Roadstead's. Warm: cProfile over HEAD and GET of a manifest, GET of its config "
        "and of a layer (the 307), which makes Python about twice as slow as it is.",
        ["of", "part", "ms", "share"],
        rows,
    )


def draw(profiles: Sequence[Profile]) -> str:
    """Return an SVG: a bar for each profile, and what its colours are."""
    width, left, bar = 860, 20, 34
    lines, y = [], 30
    for one in profiles:
        lines.append(f'<text x="{left}" y="{y}" class="title">{escape(one.name)}: {one.total:.0f} ms</text>')
        x, y = float(left), y + 12
        for group, colour in zip(_names(), _COLOURS, strict=True):
            if ms := one.parts.get(group, 0.0):
                share = ms / one.total
                long = share * (width - 2 * left)
                title = f"<title>{escape(group)}: {ms:.1f} ms</title>"
                lines.append(
                    f'<rect x="{x:.1f}" y="{y}" width="{long:.1f}" height="{bar}" fill="{colour}">{title}</rect>'
                )
                if share > 0.07:
                    lines.append(f'<text x="{x + 6:.1f}" y="{y + 22}" class="share">{ms:.0f} ms</text>')
                x += long
        y += bar + 34
    x = left
    for group, colour in zip(_names(), _COLOURS, strict=True):
        lines.append(f'<rect x="{x}" y="{y - 11}" width="12" height="12" fill="{colour}"/>')
        lines.append(f'<text x="{x + 18}" y="{y}" class="legend">{escape(group)}</text>')
        x += 36 + 7 * len(group)
    style = (
        "text{font-family:system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}"
        ".share{font-size:12px;fill:#111}.legend{font-size:12px}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + 20}" role="img" '
        f'aria-label="Where the milliseconds of a pull go"><style>{style}</style>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(lines)}</svg>\n'
    )


def _names() -> tuple[str, ...]:
    return (*(name for name, _ in _GROUPS), REST, WAIT)


def _group(module: str) -> str:
    for name, prefixes in _GROUPS:
        if module.split(".")[0].startswith(prefixes):
            return name
    return REST


def _start(rig: Rig, package: Path) -> Mapping[str, float]:
    code = (
        f"import sys, time; began = time.perf_counter(); sys.path[:0] = [{str(package)!r}]; import app; "
        "print((time.perf_counter() - began) * 1000)"
    )
    environment = {"PATH": os.environ.get("PATH", ""), **rig.environment, "_HANDLER": "app.registry"}
    for _ in range(2):  # the first run compiles what has no bytecode yet
        done = subprocess.run(
            [sys.executable, "-S", "-X", "importtime", "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    parts: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        columns = line.removeprefix("import time:").split("|")
        if len(columns) == 3 and columns[0].strip().isdigit():
            parts[_group(columns[2].strip())] += int(columns[0])
    milliseconds = {group: microseconds / 1000 for group, microseconds in parts.items()}
    left = float(done.stdout.splitlines()[-1]) - sum(milliseconds.values())
    milliseconds["Roadstead"] = milliseconds.get("Roadstead", 0.0) + max(0.0, left)
    return milliseconds


def _warm(rig: Rig, pulls: int) -> Mapping[str, float]:
    requests = Requests(rig, REPOSITORY)
    image = requests.manifest(layers=1)
    requests.push_manifest("profiled", image)
    small, large = requests.push_blob(1024).digest, requests.push_blob(256 * 1024).digest
    base = f"/v2/{REPOSITORY}"
    pull = [
        requests.registry("HEAD", f"{base}/manifests/profiled"),
        requests.registry("GET", f"{base}/manifests/{described(image).digest}"),
        requests.registry("GET", f"{base}/blobs/{small}"),
        requests.registry("GET", f"{base}/blobs/{large}", expect=307),
    ]
    for one in pull:
        one()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(pulls):
        for one in pull:
            one.run()
    profiler.disable()
    parts: Counter[str] = Counter()
    stats = pstats.Stats(profiler)
    for (file, _, function), (_, _, own, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        waits = file == "~" and any(name in function for name in _WAITING)
        parts[WAIT if waits else _group(_module(file))] += own
    return {group: 1000 * seconds / pulls for group, seconds in parts.items()}


def _module(file: str) -> str:
    """Return the module's name as far as it decides the group: its path behind site-packages or this project."""
    root = str(Path(__file__).parents[2])
    if "site-packages/" in file:
        return file.rpartition("site-packages/")[2].replace("/", ".")
    return file.removeprefix(root).lstrip("/").replace("/", ".") if file.startswith(root) else "-"
