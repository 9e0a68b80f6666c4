"""Upload keys in an SSM SecureString parameter: free of charge while idle, encrypted, readable by policy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from roadstead.upload_token import UploadKeys

REFRESH_SECONDS = 300  # a rotation first adds a key, and waits longer than this before it signs by it


class SsmUploadKeys:
    """`UploadKeySource` on one parameter, kept in memory for five minutes."""

    def __init__(self, client: Any, parameter: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._parameter = parameter
        self._clock = clock
        self._keys: UploadKeys | None = None
        self._read_at = 0.0

    def upload_keys(self) -> UploadKeys:
        if self._keys is None or self._clock() - self._read_at > REFRESH_SECONDS:
            answer = self._client.get_parameter(Name=self._parameter, WithDecryption=True)
            self._keys = UploadKeys.from_json(answer["Parameter"]["Value"])
            self._read_at = self._clock()
        return self._keys
