"""The CloudWatch dashboard as a JSON document ("Dashboard body structure and syntax")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NAMESPACE = "Roadstead"
_WIDTH, _HEIGHT, _COLUMNS = 8, 6, 3


def body(*, region: str, audit_log_group: str, log_groups: Sequence[str], metrics: bool) -> dict[str, Any]:
    """Return the dashboard: three widgets a row, and below them the trail's latest entries.

    Without `metrics` the widgets search the functions' `log_groups` for the same numbers, when somebody looks at them.
    """
    widgets = _of_metrics(region) if metrics else _of_lines(log_groups, region)
    placed = [
        {"x": place % _COLUMNS * _WIDTH, "y": place // _COLUMNS * _HEIGHT, "width": _WIDTH, "height": _HEIGHT, **widget}
        for place, widget in enumerate(widgets)
    ]
    query = (
        f"SOURCE '{audit_log_group}' | fields time, operation, outcome, actor.name, source_address, repository, "
        "reference | sort @timestamp desc | dedup id | limit 50"
    )
    below = {
        "type": "log",
        "x": 0,
        "y": -(-len(widgets) // _COLUMNS) * _HEIGHT,
        "width": _COLUMNS * _WIDTH,
        "height": _HEIGHT * 2,
        "properties": {"title": "Latest entries of the trail", "region": region, "query": query, "view": "table"},
    }
    return {"widgets": [*placed, below]}


def _of_metrics(region: str) -> list[dict[str, Any]]:
    return [
        _metrics("Requests", "Sum", {"registry": "Requests", "token": "Requests", "relay": "Requests"}, region),
        _metrics("Latency, p50", "p50", {"registry": "Latency", "token": "Latency"}, region),
        _metrics("Latency, p99", "p99", {"registry": "Latency", "token": "Latency"}, region),
        _search("Errors by code", '{Roadstead,function,code} MetricName="Errors"', region),
        _metrics("Faults", "Sum", {"registry": "Faults", "token": "Faults", "relay": "Faults"}, region),
        _metrics("Cold starts", "Sum", {"registry": "ColdStarts", "token": "ColdStarts"}, region),
        _several("Uploads by path", ("UploadsByEdge", "UploadsByService", "Mounts"), region),
        _metrics("Pulls", "Sum", {"webhook": "Pulls", "registry": "BlobPulls"}, region),
        _metrics("Bytes", "Sum", {"webhook": "UploadBytes", "registry": "PullBytes"}, region),
        _several(
            "Tokens",
            ("TokensIssued", "LoginsFailed", "LoginsDelayed", "ProviderFailures", "PermissionsRefused"),
            region,
            "token",
        ),
        _several("The audit trail", ("AuditEntries", "AuditFailures"), region),
    ]


def _of_lines(log_groups: Sequence[str], region: str) -> list[dict[str, Any]]:
    """Queries of Logs Insights, which are billed by what they read."""
    sources = " | ".join(f"SOURCE '{group}'" for group in log_groups)
    sums = {
        "Uploads by path": ("UploadsByEdge", "UploadsByService", "Mounts"),
        "Pulls": ("Pulls", "BlobPulls"),
        "Bytes": ("UploadBytes", "PullBytes"),
        "Tokens": ("TokensIssued", "LoginsFailed", "LoginsDelayed", "ProviderFailures", "PermissionsRefused"),
        "The audit trail": ("AuditEntries", "AuditFailures"),
    }
    queries = {
        "Requests": "stats sum(Requests) by bin(5m), function",
        "Latency": "stats pct(Latency, 50) as p50, pct(Latency, 99) as p99 by bin(5m)",
        "Errors by code": "stats sum(Errors) by bin(5m), code",
        "Faults": "stats sum(Faults) by bin(5m), function",
        "Cold starts": "stats sum(ColdStarts) by bin(5m), function",
        **{
            title: f"stats {', '.join(f'sum({name}) as {name[0].lower()}{name[1:]}' for name in names)} by bin(5m)"
            for title, names in sums.items()
        },
    }
    return [
        {
            "type": "log",
            "properties": {"title": title, "region": region, "query": f"{sources} | {query}", "view": "timeSeries"},
        }
        for title, query in queries.items()
    ]


def _metrics(title: str, statistic: str, of_functions: Mapping[str, str], region: str) -> dict[str, Any]:
    rows = [[NAMESPACE, metric, "function", function] for function, metric in of_functions.items()]
    return _widget(title, rows, statistic, region)


def _several(title: str, names: tuple[str, ...], region: str, function: str = "webhook") -> dict[str, Any]:
    return _widget(title, [[NAMESPACE, name, "function", function] for name in names], "Sum", region)


def _search(title: str, search: str, region: str) -> dict[str, Any]:
    expression = {"expression": f"SEARCH('{search}', 'Sum', 300)", "id": "e1"}
    return _widget(title, [[expression]], "Sum", region)


def _widget(title: str, rows: list[list[Any]], statistic: str, region: str) -> dict[str, Any]:
    properties = {
        "title": title,
        "region": region,
        "metrics": rows,
        "stat": statistic,
        "period": 300,
        "view": "timeSeries",
    }
    return {"type": "metric", "properties": properties}
