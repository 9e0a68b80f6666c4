"""Lambda handlers for the tests of execution environments."""

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

CALLS = 0


def echo(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return the event and the process. Of the body, only the size."""
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
    """Sleep for `seconds`; return the process and when it was busy."""
    began = time.monotonic()
    time.sleep(event["seconds"])
    return {"process": os.getpid(), "began": began, "ended": time.monotonic()}


def wait(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Make the file `begun`, if it is named, and wait until there is a file `until`; return the process."""
    if "begun" in event:
        Path(event["begun"]).touch()
    while not Path(event["until"]).exists():
        time.sleep(0.01)
    return {"process": os.getpid()}


def die(event: dict[str, Any], context: Any) -> None:
    os._exit(3)


def fail(event: dict[str, Any], context: Any) -> None:
    raise ValueError(f"no good, in {os.getpid()}")


def large(event: dict[str, Any], context: Any) -> str:
    return "x" * int(event["size"])


def unserialisable(event: dict[str, Any], context: Any) -> object:
    return object()
