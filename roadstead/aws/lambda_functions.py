"""Asynchronous invocations of a Lambda function."""

from __future__ import annotations

import json
import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_log = logging.getLogger(__name__)


class LambdaWaker:
    """Wakes the function that runs executions. `function` is its name."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def __call__(self, execution_id: int) -> None:
        """Ask for an execution to be run now: one call. A failure is logged; then the function's tick starts it."""
        payload = json.dumps({"execution": execution_id}).encode()
        try:
            self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload)
        except (BotoCoreError, ClientError) as error:
            _log.warning("execution %s waits for the next tick: %s", execution_id, error)
