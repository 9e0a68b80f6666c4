"""Lambda's own API, as far as functions invoke each other: `Invoke` (AWS Lambda, API reference)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

from local.functions.environments import EVENT_LIMIT, FunctionError, Pool, Throttled, TimedOut

TIMEOUT = 25.0  # seconds, of the one function that is invoked so
_PREFIX, _SUFFIX = "/2015-03-31/functions/", "/invocations"


class Invocations:
    """The ASGI application. `names` are the functions by the names that they have in AWS."""

    def __init__(self, pools: Mapping[str, Pool], names: Mapping[str, str]) -> None:
        self._pools = pools
        self._names = names

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        body = bytearray()
        while True:
            part = await receive()
            if part["type"] == "http.disconnect":
                return
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        status, headers, answer = await self._invoke(scope["method"], scope["path"], bytes(body))
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": named})
        await send({"type": "http.response.body", "body": answer})

    async def _invoke(self, method: str, path: str, event: bytes) -> tuple[int, dict[str, str], bytes]:
        name = self._names.get(unquote(path.removeprefix(_PREFIX).removesuffix(_SUFFIX)))
        if method != "POST" or not path.startswith(_PREFIX) or name is None or name not in self._pools:
            return _error(404, "ResourceNotFoundException", "Function not found")
        if len(event) > EVENT_LIMIT:
            return _error(413, "RequestTooLargeException", "Request must be smaller than 6291456 bytes")
        try:
            result = await self._pools[name].invoke(event, request_id=str(uuid.uuid4()), timeout=TIMEOUT)
        except Throttled:
            return _error(429, "TooManyRequestsException", "Rate Exceeded.")
        except (FunctionError, TimedOut) as error:
            failed = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__}).encode()
            return 200, {"X-Amz-Function-Error": "Unhandled", "Content-Type": "application/json"}, failed
        return 200, {"Content-Type": "application/json"}, json.dumps(result).encode()


def _error(status: int, code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    headers = {"X-Amzn-ErrorType": code, "Content-Type": "application/json"}
    return status, headers, json.dumps({"Type": "User", "Message": message}).encode()
