"""The inside of an execution environment: imports one handler, then answers one event after the other.

Run as `python -m local.functions.runtime FD` in the environment of the function, `_HANDLER` (module.function)
included. `FD` is a connected socket. Frames on it are a length of 4 bytes, big-endian, and JSON:

    to the parent, once     {"ready": true} or {"error": text} when the handler cannot be imported
    to us                   {"id": request id, "arn": …, "deadline": seconds since the epoch}, then the event
    to the parent           {"result": what the handler returned} or {"error": text} when it raised

It ends when the socket does. Standard library only: what is imported here is not the function's, and its cold start
must stay what it is in AWS.
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
    """The context object of the Python runtime, as far as it has a meaning here."""

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
    """The next frame's content. Raises EOFError when the parent has closed."""
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
    """Import the handler and answer events until the parent closes."""
    try:
        module, _, name = os.environ["_HANDLER"].rpartition(".")
        handler = getattr(importlib.import_module(module), name)
    except Exception:
        # Lambda, too, reports what the handler's module raises as an error of its initialisation.
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
            # As Lambda does: the error is logged, the caller is told, the environment lives on.
            traceback.print_exc()
            send(connection, {"error": traceback.format_exc(limit=-1)})


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as parent:
        serve(parent)
