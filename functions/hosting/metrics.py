"""One log line for each request or batch, with what can be counted; with `METRICS=on`, CloudWatch makes metrics of it.

CloudWatch bills each metric, so by default the line has the numbers alone, which Logs Insights can ask for. With
`METRICS=on` it is in the embedded metric format ("Specification: Embedded metric format", Amazon CloudWatch user
guide). Why not the library, and why so few dimensions: docs/adr/0004-metrics-from-log-lines.md.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.hosting.observation import Observation

NAMESPACE = "Roadstead"
MAX_METRICS = 100  # in one line
_UNITS = {"Latency": "Milliseconds"}

_started = False  # whether this environment has served a request
_on = False


def start(on: bool) -> None:
    """Have CloudWatch make metrics of this process's lines, or not (`METRICS`)."""
    global _on
    _on = on


@dataclass(frozen=True, slots=True)
class Metric:
    """A value under one name, for one set of dimensions, whose values are properties of the line."""

    name: str
    value: float
    dimensions: tuple[str, ...] = ("function",)


def line(
    metrics: Sequence[Metric], properties: Mapping[str, Any], *, now_ms: int, always: bool = False
) -> dict[str, Any]:
    """Return the document for one line. `properties` hold the dimensions' values, and what queries may ask for.

    Only with `METRICS=on`, or `always`, does it tell CloudWatch to make metrics: then those with the same dimensions
    share a directive, and there are up to 100 in a line.
    """
    if not (_on or always):
        return {**properties, **{metric.name: metric.value for metric in metrics}}
    directives: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for metric in metrics[:MAX_METRICS]:
        definition = {"Name": metric.name, "Unit": _unit(metric.name)}
        directives.setdefault(metric.dimensions, []).append(definition)
    described = [
        {"Namespace": NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": definitions}
        for dimensions, definitions in directives.items()
    ]
    values = {metric.name: metric.value for metric in metrics}
    return {"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": described}, **properties, **values}


def request_line(
    function: str,
    seen: Observation,
    *,
    method: str,
    status: int,
    code: str,
    seconds: float,
    received: int,
    sent: int,
) -> dict[str, Any]:
    """Return the line of one request. `code` is that of an error response, or empty; sizes are those of the bodies."""
    metrics = [
        Metric("Requests", 1),
        Metric("Latency", round(seconds * 1000, 2)),
        Metric("RequestBytes", received),
        Metric("ResponseBytes", sent),
        *(Metric(name, amount) for name, amount in seen.counts.items()),
    ]
    if _first():
        metrics.append(Metric("ColdStarts", 1))
    if status >= 500:
        metrics.append(Metric("Faults", 1))
    if code:
        metrics.append(Metric("Errors", 1, ("function", "code")))
    properties: dict[str, Any] = {
        "function": function,
        "route": seen.route,
        "method": method,
        "status": status,
        "request_id": seen.request_id,
        "trace_id": seen.trace_id,
    }
    if code:
        properties["code"] = code
    return line(metrics, properties, now_ms=int(time.time() * 1000))


def _first() -> bool:
    """Return whether this is the first request of the environment."""
    global _started
    first, _started = not _started, True
    return first


def _unit(name: str) -> str:
    return _UNITS.get(name, "Bytes" if name.endswith("Bytes") else "Count")
