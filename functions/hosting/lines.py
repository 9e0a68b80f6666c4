"""What a function writes to its log: one JSON document a line, on standard output, which Lambda hands to CloudWatch.

Three kinds of lines, told apart by a field that only they have: `audit` (an entry of the trail; a subscription filter
hands it on), `_aws` (metrics, one line a request), `level` (messages).
"""

from __future__ import annotations

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


def write(document: Mapping[str, Any]) -> None:
    """In one write: processes that share a log file locally must not write into each other's lines."""
    sys.stdout.write(compact(document, ascii_only=False, default=str) + "\n")
    sys.stdout.flush()


def tell(entry: AuditEntry) -> None:
    """Give an entry to the trail. No call: the line is picked up from the log."""
    write({AUDIT: entry.as_json()})


class JsonFormatter(logging.Formatter):
    """A log record as JSON, with the id of the request under way."""

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
    """Writes to whatever standard output is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


def configure() -> None:
    """Log JSON in this process: ours from INFO, libraries from WARNING (below it botocore tells bodies and headers).

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
