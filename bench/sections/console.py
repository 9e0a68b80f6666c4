"""Pages of the console in a real Chromium: bytes, requests, calls of the API, and the time until they can be used."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import servers
from bench.table import table
from console.npm import ConsoleError
from tests.e2e.cloud import Cloud
from tests.e2e.console import journeys


@dataclass(frozen=True, slots=True)
class Visit:
    """Means of several visits; `seconds` is their median."""

    size: int
    requests: int
    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Page:
    """`cold` is a visit with an empty cache, `warm` the next one."""

    name: str
    cold: Visit
    warm: Visit


def measure(*, samples: int) -> list[Page]:
    """Measure the four pages on a registry of their own. Raises servers.Missing without Chromium or npm's packages."""
    if shutil.which("chromium") is None:
        raise servers.Missing("chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory(prefix="roadstead-bench-") as directory:
        work = Path(directory)
        found = work / "measures.json"
        with servers.roadstead(work) as own:
            environment = {"MEASURES": str(found), "SAMPLES": str(samples)}
            try:
                journeys.run(Cloud(own.ready or {}), environment=environment)
            except ConsoleError as error:
                raise servers.Missing(str(error)) from error
        documents = json.loads(found.read_text())
    return [Page(one["page"], _mean(one["cold"]), _mean(one["warm"])) for one in documents]


def show(pages: Sequence[Page]) -> str:
    rows = [
        (
            page.name,
            f"{page.cold.size / 1000:.0f}",
            f"{page.cold.requests}",
            f"{page.cold.calls}",
            f"{page.cold.seconds * 1000:.0f}",
            f"{page.warm.size / 1000:.0f}",
            f"{page.warm.requests}",
            f"{page.warm.seconds * 1000:.0f}",
        )
        for page in pages
    ]
    header = ("page", "KB", "requests", "API calls", "usable ms", "again KB", "again requests", "again ms")
    explanation = (
        "Pages of the console in Chromium on the loopback, with an empty cache and again. `KB` is what came over the"
        " wire, compressed, with headers; `usable` is the median time until what the page is for can be seen."
    )
    return table("Console", explanation, header, rows)


def _mean(visits: Sequence[Mapping[str, Any]]) -> Visit:
    def mean(name: str) -> int:
        return round(statistics.fmean(one[name] for one in visits))

    return Visit(
        mean("bytes"),
        mean("requests"),
        mean("calls"),
        statistics.median(one["milliseconds"] for one in visits) / 1000,
    )
