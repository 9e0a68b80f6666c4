"""The saved queries and the dashboard name only fields, operations and metrics that exist."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from observability.dashboard import NAMESPACE, body
from observability.queries import AUDIT, QUERIES, SavedQuery
from roadstead.trail.entries import Actor, AuditEntry, Operation, Outcome

ROOT = Path(__file__).parents[3]
ENTRY = AuditEntry(
    "e", 1, Operation.PUSH, Actor("ada", token_id="t", source_ip="a", user_agent="u", request_id="r", trace_id="x"),
    project="p", repository="p/r", reference="1", digest="d", media_type="m", size=1, source_repository="s",
    user="b", detail="d",
)  # fmt: skip
FIELDS = {*ENTRY.as_json(), "actor.name", "actor.kind", "@timestamp", "@message", "audit.request_id"}
OF_FUNCTIONS = {"Latency", "function", "route", "method", "status", "code", "request_id", "trace_id"}
_WORDS = {
    "fields", "filter", "sort", "dedup", "limit", "stats", "by", "as", "desc", "asc", "in", "and", "or", "count",
    "count_distinct", "max", "pct", "ispresent",
}  # fmt: skip


def names(query: SavedQuery) -> set[str]:
    """Return the fields that a query reads: its words, without keywords, texts and the names that it defines."""
    text = re.sub(r'"[^"]*"', "", query.text)
    given = set(re.findall(r"\bas (\w+)", text))
    return set(re.findall(r"[@A-Za-z_][\w.]*", text)) - _WORDS - given


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_reads_only_existing_fields(query: SavedQuery) -> None:
    known = FIELDS if query.groups == AUDIT else FIELDS | OF_FUNCTIONS
    assert names(query) <= known


@pytest.mark.parametrize("query", [one for one in QUERIES if one.groups == AUDIT], ids=lambda query: query.name)
def test_a_query_of_the_trail_lists_or_counts_each_entry_once(query: SavedQuery) -> None:
    commands = [line.strip().split(" ", 1) for line in query.text.replace("\n", " ").split("|")]
    kinds = [command[0] for command in commands]
    if "stats" in kinds:
        assert "count(" not in query.text and "sum(" not in query.text
    else:
        assert ["dedup", "id"] in commands
        assert set(kinds[kinds.index("dedup") + 1 :]) <= {"limit"}  # all that Logs Insights allows behind it


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_operations_and_outcomes_in_a_query_are_those_of_the_schema(query: SavedQuery) -> None:
    known = {*map(str, Operation), *map(str, Outcome)}
    for listed in re.findall(r"(?:operation|outcome) (?:in \[([^\]]*)\]|= (\"[^\"]*\"))", query.text):
        assert set(re.findall(r'"([^"]*)"', "".join(listed))) <= known


def test_query_names_are_unique() -> None:
    assert len({query.name for query in QUERIES}) == len(QUERIES)


def written() -> set[str]:
    """Return every string in the functions' source, the names of metrics among them."""
    return {
        node.value
        for file in (ROOT / "functions").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def dashboard(*, metrics: bool) -> dict[str, Any]:
    made = body(
        region="eu-central-1", audit_log_group="/roadstead/audit", log_groups=["/registry", "/token"], metrics=metrics
    )
    document: dict[str, Any] = json.loads(json.dumps(made))
    return document


def test_the_dashboard_shows_only_existing_metrics() -> None:
    document = dashboard(metrics=True)
    shown = {
        row[1]
        for widget in document["widgets"]
        if widget["type"] == "metric"
        for row in widget["properties"]["metrics"]
        if row[0] == NAMESPACE
    }
    assert shown <= written()


def test_without_metrics_the_dashboard_searches_the_lines_for_the_same_numbers() -> None:
    document = dashboard(metrics=False)
    assert {widget["type"] for widget in document["widgets"]} == {"log"}
    *queries, of_the_trail = [widget["properties"]["query"] for widget in document["widgets"]]
    assert all(query.startswith("SOURCE '/registry' | SOURCE '/token' | stats ") for query in queries)
    assert of_the_trail.startswith("SOURCE '/roadstead/audit' ")
    named = {name for query in queries for name in re.findall(r"(?:sum|pct)\((\w+)", query)}
    assert {"Requests", "Latency", "Errors", "Pulls"} <= named <= written()


@pytest.mark.parametrize("metrics", [True, False])
def test_widgets_do_not_overlap(metrics: bool) -> None:
    document = dashboard(metrics=metrics)
    cells = [
        (widget["x"] + x, widget["y"] + y)
        for widget in document["widgets"]
        for x in range(widget["width"])
        for y in range(widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24  # columns that a dashboard has
