"""Secrets in SSM parameters: free of charge, encrypted, and access is controlled by policy.

A parameter's name may refer to Secrets Manager (`/aws/reference/secretsmanager/<id>`), for values that CloudFormation
must resolve: it cannot resolve a SecureString.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from roadstead.content.uploads.token import UploadKeys

REFRESH_SECONDS = 300  # a rotation adds the new secret and waits longer than this before it is used

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Parameter(Generic[T]):
    """One parameter, parsed by `parse` (which raises ValueError) and cached for five minutes.

    If it cannot be read or parsed then, the cached value is used for another five minutes.
    """

    def __init__(self, client: Any, name: str, parse: Callable[[str], T], clock: Callable[[], float]) -> None:
        self._client = client
        self._name = name
        self._parse = parse
        self._clock = clock
        self._value: T | None = None
        self._read_at = 0.0

    def value(self) -> T:
        """Return the value. Costs one GetParameter every five minutes. Raises if it was never read successfully."""
        if self._value is None or self._clock() - self._read_at > REFRESH_SECONDS:
            try:
                answer = self._client.get_parameter(Name=self._name, WithDecryption=True)
                self._value = self._parse(answer["Parameter"]["Value"])
            except (BotoCoreError, ClientError, ValueError):
                if self._value is None:
                    raise
                _log.exception("%s could not be read; its cached value is used", self._name)
            self._read_at = self._clock()
        return self._value


class SsmUploadKeys:
    """`UploadKeySource` on a parameter in the format of `UploadKeys.from_json`."""

    def __init__(self, client: Any, parameter: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._parameter = Parameter(client, parameter, UploadKeys.from_json, clock)

    def upload_keys(self) -> UploadKeys:
        return self._parameter.value()


class SsmEdgeSecrets:
    """`EdgeSecretSource` on a parameter with one secret, or two separated by a space, or a JSON object of secrets.

    A deployment uses the object: CloudFormation can resolve one of its values by name.
    """

    def __init__(self, client: Any, parameter: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._parameter = Parameter(client, parameter, _secrets, clock)

    def edge_secrets(self) -> tuple[str, ...]:
        return self._parameter.value()


def _secrets(text: str) -> tuple[str, ...]:
    secrets = tuple(map(str, json.loads(text).values())) if text.startswith("{") else tuple(text.split())
    if not secrets or any(len(secret) < 32 for secret in secrets):
        raise ValueError("an edge secret must have at least 32 characters")
    return secrets
