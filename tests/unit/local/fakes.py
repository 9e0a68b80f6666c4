"""Handlers for the tests of execution environments; each is named as a Lambda handler would be."""

import base64
import json
import os
import time
from typing import Any

CALLS = 0


def echo(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers what it got, and from where. The body's bytes are only counted."""
    global CALLS
    CALLS += 1
    body = event.get("body") or ""
    document = {
        "event": {**event, "body": len(base64.b64decode(body) if event.get("isBase64Encoded") else body.encode())},
        "request": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(),
        "process": os.getpid(),
        "calls": CALLS,
        "environment": dict(os.environ),
    }
    return {"statusCode": 200, "body": json.dumps(document)}


def sleep(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Takes `seconds`, then answers with the process and the span of time in which it was busy."""
    began = time.monotonic()
    time.sleep(event["seconds"])
    return {"process": os.getpid(), "began": began, "ended": time.monotonic()}


def die(event: dict[str, Any], context: Any) -> None:
    os._exit(3)


def fail(event: dict[str, Any], context: Any) -> None:
    raise ValueError(f"no good, in {os.getpid()}")


def large(event: dict[str, Any], context: Any) -> str:
    return "x" * int(event["size"])


def unserialisable(event: dict[str, Any], context: Any) -> object:
    return object()
