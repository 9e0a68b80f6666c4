"""Saved queries for CloudWatch Logs Insights, on the log group of the audit trail and on those of the functions.

The trail is delivered at least once, so a query that lists entries ends in `dedup id` (only `limit` may follow), and a
query that counts them counts distinct ids. The person who runs a query replaces the text in `<>`.
"""

from __future__ import annotations

from dataclasses import dataclass

AUDIT, FUNCTIONS = "audit", "functions"
_WHO = "time, operation, outcome, actor.name, source_address, user_agent"


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """`name` is its name in the console; `groups` says which log groups it is for."""

    name: str
    text: str
    groups: str = AUDIT


def _lines(*lines: str) -> str:
    return "\n| ".join(lines)


QUERIES = (
    SavedQuery(
        "roadstead/who pulled this digest",
        _lines(
            f"fields {_WHO}, repository, reference",
            'filter operation in ["pull", "pull-blob"] and digest = "<sha256:…>"',
            "sort @timestamp desc",
            "dedup id",
            "limit 1000",
        ),
    ),
    SavedQuery(
        "roadstead/failed logins by address",
        _lines(
            'filter operation = "login" and outcome = "failure"',
            "stats count_distinct(id) as failures, count_distinct(actor.name) as names, max(time) as latest "
            "by source_address",
            "sort failures desc",
            "limit 100",
        ),
    ),
    SavedQuery(
        "roadstead/what was deleted",
        _lines(
            f"fields {_WHO}, repository, reference, digest",
            'filter operation in ["delete-manifest", "delete-blob", "untag"]',
            "sort @timestamp desc",
            "dedup id",
            "limit 1000",
        ),
    ),
    SavedQuery(
        "roadstead/pushes by user",
        _lines(
            'filter operation in ["push", "tag"]',
            "stats count_distinct(id) as pushes, count_distinct(repository) as repositories, max(time) as latest "
            "by actor.name",
            "sort pushes desc",
            "limit 100",
        ),
    ),
    SavedQuery(
        "roadstead/permissions refused",
        _lines(
            f"fields {_WHO}, repository, detail",
            'filter operation = "permission-refused"',
            "sort @timestamp desc",
            "dedup id",
            "limit 1000",
        ),
    ),
    SavedQuery(
        "roadstead/changes of users, projects and members",
        _lines(
            f"fields {_WHO}, project, user, detail",
            'filter operation in ["create-user", "change-password", "change-user", "remove-user", "create-project", '
            '"change-project", "set-member", "remove-member", "change-configuration"]',
            "sort @timestamp desc",
            "dedup id",
            "limit 1000",
        ),
    ),
    SavedQuery(
        "roadstead/slowest routes",
        _lines(
            "filter ispresent(Latency)",
            "stats count(*) as requests, pct(Latency, 50) as median, pct(Latency, 99) as p99, max(Latency) as worst "
            "by function, route",
            "sort p99 desc",
            "limit 50",
        ),
        FUNCTIONS,
    ),
    SavedQuery(
        "roadstead/errors",
        _lines(
            "filter status >= 500",
            "fields @timestamp, function, method, route, status, code, request_id, trace_id",
            "sort @timestamp desc",
            "limit 100",
        ),
        FUNCTIONS,
    ),
    SavedQuery(
        "roadstead/everything about a request",
        _lines(
            "fields @timestamp, @message",
            'filter request_id = "<request id>" or audit.request_id = "<request id>"',
            "sort @timestamp asc",
            "limit 100",
        ),
        FUNCTIONS,
    ),
)
