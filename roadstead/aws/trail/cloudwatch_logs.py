"""`AuditLog` on a log group of CloudWatch Logs."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from roadstead.aws.clients import error_code
from roadstead.trail.audit_log import MAX_LINE_BYTES, OVERHEAD, Appended, LogLine, batches

_log = logging.getLogger(__name__)


class CloudWatchAuditLog:
    """One log group. Each process writes to its own stream, a new one each day: `<day>/<random>`.

    The deployment creates the group and sets its retention.
    """

    def __init__(self, client: Any, group: str, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._group = group
        self._clock = clock
        self._process = secrets.token_hex(8)
        self._stream = ""

    def append(self, lines: Sequence[LogLine]) -> Appended:
        """Costs one PutLogEvents per batch, and CreateLogStream before the first of a day.

        botocore retries; a batch that fails even so, and those behind it, are `unsent`.
        """
        rejected = [line for line in lines if line.size > MAX_LINE_BYTES + OVERHEAD]
        pending = list(batches([line for line in lines if line.size <= MAX_LINE_BYTES + OVERHEAD]))
        while pending:
            try:
                rejected += self._put(pending[0])
            except (ClientError, BotoCoreError):
                _log.warning("audit lines could not be written", exc_info=True)
                return Appended(tuple(line for batch in pending for line in batch), tuple(rejected))
            pending.pop(0)
        return Appended(rejected=tuple(rejected))

    def _put(self, batch: list[LogLine]) -> list[LogLine]:
        """Write a batch; return the lines that CloudWatch rejected for good."""
        stream = time.strftime("%Y-%m-%d", time.gmtime(self._clock())) + f"/{self._process}"
        if stream != self._stream:
            self._create(stream)
        events = [{"timestamp": line.at, "message": line.text} for line in batch]
        request = {"logGroupName": self._group, "logStreamName": stream, "logEvents": events}
        try:
            answer = self._client.put_log_events(**request)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            self._create(stream)  # it was deleted
            answer = self._client.put_log_events(**request)
        return _rejected(batch, answer.get("rejectedLogEventsInfo") or {})

    def _create(self, stream: str) -> None:
        try:
            self._client.create_log_stream(logGroupName=self._group, logStreamName=stream)
        except ClientError as error:
            if error_code(error) != "ResourceAlreadyExistsException":
                raise
        self._stream = stream


def _rejected(batch: list[LogLine], info: dict[str, int]) -> list[LogLine]:
    """Return the lines older than the group's retention (or 14 days), or over two hours ahead of CloudWatch's clock."""
    old = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
    new = info.get("tooNewLogEventStartIndex", len(batch))
    return batch[:old] + batch[max(old, new) :]
