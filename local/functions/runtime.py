"""The process of an execution environment: imports one handler, then handles one event after another.

Run as `python -m local.functions.runtime FD` with the function's environment variables, `_HANDLER`
(module.function) among them. `FD` is a connected socket. A frame is a length of 4 bytes, big-endian, and JSON:

    to the parent, once     {"ready": true}, or {"error": text} if the handler cannot be imported
    to this process         {"id": request id, "arn": …, "deadline": seconds since the epoch}, then the event
    to the parent           {"result": what the handler returned}, or {"error": text} if it raised

The process ends when the socket is closed. It imports the standard library only: other imports would change the
function's cold start.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import struct
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Any

LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Context:
    """The context object of Lambda's Python runtime, as far as it applies here."""

    aws_request_id: str
    invoked_function_arn: str
    function_name: str
    memory_limit_in_mb: str
    deadline: float  # seconds since the epoch
    function_version: str = "$LATEST"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        return f"local/{os.getpid()}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - time.time()) * 1000))


def send(connection: socket.socket, document: Any) -> None:
    data = json.dumps(document, separators=(",", ":")).encode()
    connection.sendall(LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket) -> Any:
    """Return the content of the next frame. Raises EOFError if the parent has closed the socket."""
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size))
    return json.loads(_exactly(connection, length))


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        read = connection.recv_into(view)
        if not read:
            raise EOFError
        view = view[read:]
    return bytes(data)


def serve(connection: socket.socket) -> None:
    """Import the handler, and handle events until the parent closes the socket."""
    try:
        module, _, name = os.environ["_HANDLER"].rpartition(".")
        handler = getattr(importlib.import_module(module), name)
    except Exception:
        # Lambda, too, reports what the handler's module raises as an initialisation error.
        traceback.print_exc()
        send(connection, {"error": traceback.format_exc(limit=-3)})
        return
    send(connection, {"ready": True})
    while True:
        try:
            invocation, event = receive(connection), receive(connection)
        except EOFError:
            return
        context = Context(
            aws_request_id=invocation["id"],
            invoked_function_arn=invocation["arn"],
            function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
            memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
            deadline=invocation["deadline"],
        )
        try:
            send(connection, {"result": handler(event, context)})
        except Exception:
            # As in Lambda: the error is logged and returned to the caller, and the environment stays.
            traceback.print_exc()
            send(connection, {"error": traceback.format_exc(limit=-1)})


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as parent:
        serve(parent)
