"""Secrets in SSM parameters: free of charge while idle, encrypted, readable by policy.

A parameter's name may point into Secrets Manager (`/aws/reference/secretsmanager/<id>`), which CloudFormation can
resolve where it cannot resolve a SecureString.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from roadstead.content.upload_token import UploadKeys

REFRESH_SECONDS = 300  # a rotation first adds a secret, and waits longer than this before anybody uses it

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Parameter(Generic[T]):
    """One parameter, parsed by `parse` (which raises ValueError), and kept in memory for five minutes.

    Should it not be readable then, or be of another form by mistake, what is known serves for another five minutes.
    """

    def __init__(self, client: Any, name: str, parse: Callable[[str], T], clock: Callable[[], float]) -> None:
        self._client = client
        self._name = name
        self._parse = parse
        self._clock = clock
        self._value: T | None = None
        self._read_at = 0.0

    def value(self) -> T:
        if self._value is None or self._clock() - self._read_at > REFRESH_SECONDS:
            try:
                answer = self._client.get_parameter(Name=self._name, WithDecryption=True)
                self._value = self._parse(answer["Parameter"]["Value"])
            except (BotoCoreError, ClientError, ValueError):
                if self._value is None:
                    raise
                _log.exception("%s could not be read again; its last value serves on", self._name)
            self._read_at = self._clock()
        return self._value


class SsmUploadKeys:
    """`UploadKeySource` on a parameter of the form that `UploadKeys.from_json` reads."""

    def __init__(self, client: Any, parameter: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._parameter = Parameter(client, parameter, UploadKeys.from_json, clock)

    def upload_keys(self) -> UploadKeys:
        return self._parameter.value()


class SsmEdgeSecrets:
    """`EdgeSecretSource` on a parameter that holds one secret, or two parted by a space, or, as a deployment has it,
    a JSON object whose values are secrets: CloudFormation can take one of them by its name."""

    def __init__(self, client: Any, parameter: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._parameter = Parameter(client, parameter, _secrets, clock)

    def edge_secrets(self) -> tuple[str, ...]:
        return self._parameter.value()


def _secrets(text: str) -> tuple[str, ...]:
    secrets = tuple(map(str, json.loads(text).values())) if text.startswith("{") else tuple(text.split())
    if not secrets or any(len(secret) < 32 for secret in secrets):
        raise ValueError("an edge secret has at least 32 characters")
    return secrets
