"""`roadstead audit`: query the audit trail."""

from __future__ import annotations

import json
import re
import time
from argparse import Namespace
from pathlib import Path
from typing import cast

from cli.composition import Cloud
from cli.failures import USAGE, Failure
from cli.output import Output, tab_separated
from cli.subcommands import Subcommands
from observability.queries import QUERIES

# The saved queries (observability/queries.py) by their names here and in local/audit.py.
QUESTIONS = {
    "pulls": "roadstead/who pulled this digest",
    "failed-logins": "roadstead/failed logins by address",
    "deletions": "roadstead/what was deleted",
    "pushes": "roadstead/pushes by user",
}
_DIGEST = re.compile(r"sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})")
_LEFT_OUT = frozenset(
    {"schema", "id", "token_id", "request_id", "trace_id", "media_type", "bytes"}
)  # of an entry, as in the saved queries
_PLACEHOLDER = "<sha256:…>"


def add_parsers(commands: Subcommands) -> None:
    audit = commands.group("audit", "query the audit trail")
    for name, help in (
        ("pulls", "list who pulled a digest"),
        ("failed-logins", "count failed logins by address"),
        ("deletions", "list what was deleted"),
        ("pushes", "count pushes by user"),
    ):
        parser = audit.add(name, help, ask)
        parser.set_defaults(question=name, digest="")
        if name == "pulls":
            parser.add_argument("digest")
        parser.add_argument("--days", type=int, default=7, help="how far back (default: %(default)s)")


def ask(options: Namespace, cloud: Cloud, output: Output) -> None:
    if options.digest and _DIGEST.fullmatch(options.digest) is None:
        raise Failure(f"{options.digest[:80]!r} is not a digest.", USAGE)
    rows = _ask_local(options, cloud) if cloud.target.is_local else _ask_cloudwatch(options, cloud, output)
    output.result(rows, tab_separated(rows) if rows else ["no entries"])


def _ask_cloudwatch(options: Namespace, cloud: Cloud, output: Output) -> list[dict[str, str]]:
    if not cloud.target.audit_log_group:
        raise Failure("The log group of the audit trail is unknown: set AUDIT_LOG_GROUP.")
    text = next(query.text for query in QUERIES if query.name == QUESTIONS[options.question])
    output.progress("querying CloudWatch Logs Insights")
    now = int(time.time())
    since = now - options.days * 86_400
    query = text.replace(_PLACEHOLDER, options.digest)
    return [dict(row) for row in cloud.logs.query(cloud.target.audit_log_group, query, since, now)]


def _ask_local(options: Namespace, cloud: Cloud) -> list[dict[str, str]]:
    from local import audit
    from local.failures import Failure as LocalFailure
    from local.state import StateDirectory

    question = f"{options.question} {options.digest}".strip()
    try:
        lines = list(audit.read(StateDirectory(Path(cloud.target.name)), follow=False, ask=question))
    except LocalFailure as failure:
        raise Failure(str(failure)) from failure
    rows = [json.loads(line) for line in lines]
    return [{name: _text(value) for name, value in row.items() if name not in _LEFT_OUT} for row in rows]


def _text(value: object) -> str:
    if isinstance(value, dict):
        named = cast("dict[str, object]", value)
        return str(named.get("name", named))
    return str(value)
