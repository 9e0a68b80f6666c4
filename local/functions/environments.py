"""Lambda's execution environments: processes that each serve one request at a time and stay warm between requests."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections import deque
from pathlib import Path

from local.functions.declarations import Function
from local.functions.runtime import LENGTH
from local.processes import children

ROOT = Path(__file__).parents[2]
EVENT_LIMIT = 6_291_456  # bytes of the event's JSON ("Lambda quotas": 6 MB, synchronous)
RESULT_LIMIT = 6_291_556  # bytes of the result's JSON, as Lambda's own error message says
START = 30.0  # seconds for the import of a handler


class FunctionError(Exception):
    """The handler raised an exception, its result is too large, or its environment died; the message says which."""


class InitError(FunctionError):
    """The handler could not be imported."""


class Throttled(Exception):
    """No environment became free in the time that the caller could wait."""


class TimedOut(Exception):
    """The handler exceeded the integration's timeout; its environment was killed."""


class Environment:
    """One process. `Environment.start` creates it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        connection: socket.socket,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._process = process
        self._connection = connection
        self._reader, self._writer = streams

    @classmethod
    async def start(cls, function: Function, log: Path) -> Environment:
        """Start a process and wait until it has imported the handler. Raises InitError."""
        ours, theirs = socket.socketpair()
        with log.open("ab") as output, theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "local.functions.runtime",
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_variables(function),
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        environment = cls(process, ours, await asyncio.open_connection(sock=ours))
        try:
            async with asyncio.timeout(START):
                hello = json.loads(await environment._receive())
        except (TimeoutError, asyncio.IncompleteReadError):
            await environment.end()
            raise InitError(f"{function.handler} was not imported within {START:.0f} s; see {log}") from None
        except asyncio.CancelledError:
            await environment.end()
            raise
        if "error" in hello:
            await environment.end()
            raise InitError(f"{function.handler} cannot be imported: {hello['error'].strip().splitlines()[-1]}")
        return environment

    async def invoke(self, invocation: bytes, event: bytes) -> bytes:
        """Return the frame that the process responds with. Raises FunctionError if the process dies."""
        try:
            for data in (invocation, event):
                self._writer.write(LENGTH.pack(len(data)) + data)
            await self._writer.drain()
            return await self._receive()
        except (asyncio.IncompleteReadError, ConnectionError):
            code = await self.end()
            raise FunctionError(f"the environment died (exit code {code})") from None

    @property
    def alive(self) -> bool:
        """Whether an idle environment's process still runs.

        The kernel closes a dying process's sockets before anybody can wait for it, so the end of the connection is
        visible here before asyncio knows the exit code.
        """
        try:
            return self._connection.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    async def end(self) -> int:
        """Kill the process; return its exit code."""
        code = await children.kill(self._process)
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        return code

    async def _receive(self) -> bytes:
        (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
        return await self._reader.readexactly(length)


class Pool:
    """The environments of one function, `limit` at most. Reuses the idle environment that was used last.

    When all are busy, requests wait in order. (Lambda would throttle at once, at a limit of a thousand; with the small
    limit of one machine, a short queue comes closer to what a client sees.)
    """

    def __init__(self, function: Function, log: Path, *, limit: int = 4) -> None:
        self.function = function
        self._log = log
        self._slots = asyncio.Semaphore(limit)
        self._idle: deque[Environment] = deque()
        self._all: set[Environment] = set()

    async def warm(self) -> None:
        """Start one environment. Raises InitError."""
        self._idle.append(await self._start())

    async def invoke(self, event: bytes, *, request_id: str, timeout: float) -> object:
        """Return what the handler returns for an event. `timeout` is in seconds.

        Raises FunctionError, Throttled, TimedOut.
        """
        deadline = time.time() + timeout
        try:
            await asyncio.wait_for(self._slots.acquire(), timeout)
        except TimeoutError:
            raise Throttled(self.function.name) from None
        try:
            return await self._invoke(event, request_id, deadline)
        finally:
            self._slots.release()

    async def close(self) -> None:
        """Kill every environment."""
        await asyncio.gather(*(environment.end() for environment in self._all))
        self._all.clear()
        self._idle.clear()

    async def _invoke(self, event: bytes, request_id: str, deadline: float) -> object:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{self.function.name}"
        invocation = json.dumps({"id": request_id, "arn": arn, "deadline": deadline}).encode()
        environment: Environment | None = None
        answered = False
        try:
            async with asyncio.timeout(deadline - time.time()):
                environment = await self._take()
                answer = await environment.invoke(invocation, event)
                answered = True
        except TimeoutError:
            raise TimedOut(self.function.name) from None
        finally:
            # An environment whose response did not arrive is busy, whatever ended the wait: it is not reused.
            if environment is not None:
                if answered:
                    self._idle.append(environment)
                else:
                    self._all.discard(environment)
                    await environment.end()
        if len(answer) > RESULT_LIMIT:
            raise FunctionError(f"the result has {len(answer)} bytes, more than {RESULT_LIMIT}")
        document = json.loads(answer)
        if "error" in document:
            raise FunctionError(document["error"].strip().splitlines()[-1])
        result: object = document["result"]
        return result

    async def _take(self) -> Environment:
        while self._idle:
            environment = self._idle.pop()
            if environment.alive:
                return environment
            self._all.discard(environment)
            await environment.end()
        return await self._start()

    async def _start(self) -> Environment:
        environment = await Environment.start(self.function, self._log)
        self._all.add(environment)
        return environment


def _variables(function: Function) -> dict[str, str]:
    """The process's environment: the function's variables, Lambda's, and what Python needs; none of the user's."""
    return {
        **{name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ},
        "PYTHONUNBUFFERED": "1",
        "HOME": "/tmp",  # noqa: S108 - the only place to write to in Lambda
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(ROOT),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        **function.environment,
    }
