"""`Queue` on SQS (a standard queue)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from roadstead.aws.clients import error_code
from roadstead.conflicts import Throttled
from roadstead.notifications.queue import MAX_DELAY

BATCH = 10  # messages in one request
BATCH_BYTES = 256 * 1024  # of their bodies; SQS accepts 1 MiB since 2025, but not every emulator does
_ATTEMPTS = 4
_GONE = frozenset(
    {
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
        "ReceiptHandleIsInvalid",
        "InvalidParameterValue",
    }
)


class SqsQueue:
    """One queue, by its URL."""

    def __init__(self, client: Any, url: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._url = url
        self._sleep = sleep

    def send(self, bodies: Sequence[str]) -> None:
        for batch in _batches(bodies):
            self._send(batch)

    def postpone(self, receipt: str, seconds: int) -> None:
        try:
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=min(max(seconds, 0), MAX_DELAY)
            )
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise

    def _send(self, bodies: Sequence[str]) -> None:
        """Send up to ten messages; retry those that SQS did not accept. Raises Throttled."""
        for attempt in range(_ATTEMPTS):
            entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            failed = answer.get("Failed", [])
            if not failed:
                return
            bodies = [bodies[int(one["Id"])] for one in failed]
            self._sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter, no secret
        raise Throttled(f"SQS did not accept {len(bodies)} messages in {_ATTEMPTS} attempts")


def _batches(bodies: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
