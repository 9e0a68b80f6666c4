"""What a function logs: one JSON document a line, on standard output, which Lambda sends to CloudWatch.

Three kinds of lines, distinguished by a field that only they have: `audit` (an entry of the trail; a subscription
filter forwards it), `function` (what can be counted, one line a request), `level` (messages).
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from functions.hosting import observation
from roadstead.documents import compact
from roadstead.trail.entries import AuditEntry, rfc3339

AUDIT = "audit"
PATTERN = f"{{ $.{AUDIT}.schema = * }}"  # of the subscription filter
_OURS = ("functions", "roadstead", "edge")
_LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)  # no line is lost for a value's type


def write(document: Mapping[str, Any]) -> None:
    """Write a line in one call: processes that share a log file locally must not interleave their lines."""
    sys.stdout.write(_LINE.encode(document) + "\n")
    sys.stdout.flush()


def tell(entry: AuditEntry) -> None:
    """Add an entry to the audit trail. Makes no call: the line is read from the log."""
    write({AUDIT: entry.as_json()})


class JsonFormatter(logging.Formatter):
    """Formats a log record as JSON, with the id of the current request."""

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "time": rfc3339(int(record.created * 1000)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        current = observation.current()
        if current.request_id:
            document["request_id"] = current.request_id
        if record.exc_info and record.exc_info[1] is not None:
            document["error"] = "".join(traceback.format_exception(record.exc_info[1]))
        return compact(document, ascii_only=False)


class StandardOutput(logging.Handler):
    """Writes to the current standard output."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


def configure() -> None:
    """Log JSON in this process: our own from INFO, libraries from WARNING (below it botocore logs bodies and headers).

    The Lambda runtime has its own handler on the root logger; it would write every record a second time, as text.
    """
    handler = StandardOutput()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    for other in list(root.handlers):
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)
