"""Invocations of a Lambda function: one that is only woken, and one that is asked."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from roadstead.aws.clients import error_code
from roadstead.identity.people import ProviderFailed

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


class LambdaFunction:
    """One function, by its name. What it is asked and answers is JSON."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the function's answer. Raises ProviderFailed if there is none, in words that repeat nothing of it."""
        try:
            answered = self._client.invoke(FunctionName=self._name, Payload=json.dumps(question).encode())
            body = answered["Payload"].read()
        except (ClientError, BotoCoreError) as error:
            reason = error_code(error) if isinstance(error, ClientError) else type(error).__name__
            raise ProviderFailed("function", f"the function {self._name} could not be asked ({reason})") from error
        if "FunctionError" in answered:
            raise ProviderFailed("function", f"the function {self._name} failed or took too long: its log says why")
        document: Mapping[str, Any] = json.loads(body)
        return document
