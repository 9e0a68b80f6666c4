"""Runs the CloudFront functions in Node processes (worker.js)."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.node import NodeMissing, node
from local.failures import ExitCode, Failure
from local.processes import children

_WORKER = Path(__file__).with_name("worker.js")
_LINE_LIMIT = 1024 * 1024  # bytes of an event or a result; CloudFront's own limits are far below

# "Create an origin group", Amazon CloudFront Developer Guide; 401 is not among them.
FAILOVER_STATUSES = frozenset((400, 403, 404, 416, 500, 502, 503, 504))

_log = logging.getLogger(__name__)


class FunctionFailed(Exception):
    """A function threw an error; the viewer gets a 503."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A function's result, and the id of the origin that it selected (None: the behaviour's own).

    `group` is the group of origins that it made instead, or None.
    """

    result: dict[str, Any]
    origin: str | None
    group: OriginGroup | None = None


@dataclass(frozen=True, slots=True)
class OriginGroup:
    """Two origins by id: the second gets a request to which the first responds with one of `statuses`."""

    first: str
    second: str
    statuses: frozenset[int]

    @classmethod
    def made(cls, parameters: Mapping[str, Any] | None) -> OriginGroup | None:
        """Return the group of `createRequestOriginGroup`'s parameters. Raises FunctionFailed if they are not its."""
        if parameters is None:
            return None
        try:
            first, second = (str(one["originId"]) for one in parameters["originIds"])
            statuses = frozenset(parameters["failoverCriteria"]["statusCodes"])
        except (KeyError, TypeError, ValueError) as error:
            raise FunctionFailed(f"createRequestOriginGroup takes two origins and statuses: {error!r}") from error
        if not statuses <= FAILOVER_STATUSES:
            raise FunctionFailed(f"CloudFront fails over upon none of {sorted(statuses - FAILOVER_STATUSES)}")
        return cls(first, second, statuses)


class FunctionWorkers:
    """The component. `code` is source by function name; `store` returns the key-value store's content, at the start."""

    name = "the edge functions"

    def __init__(self, code: Mapping[str, str], store: Callable[[], Mapping[str, str]], *, processes: int = 2) -> None:
        self._code = dict(code)
        self._store = store
        self._processes = processes
        self._workers: list[_Worker] = []
        self._turns = itertools.count()

    async def start(self) -> None:
        try:
            executable = node()
        except NodeMissing as error:
            raise Failure(ExitCode.DEPENDENCY_MISSING, str(error)) from error
        store = dict(self._store())
        for _ in range(self._processes):
            process = await asyncio.create_subprocess_exec(
                executable,
                str(_WORKER),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LINE_LIMIT,
                start_new_session=True,  # Ctrl-C in the terminal reaches only the parent, which passes it on
            )
            self._workers.append(_Worker(process))
            self._workers[-1].say({"code": self._code, "store": store})

    async def run(self, function: str, event: Mapping[str, Any], query: str | None) -> Outcome:
        """Run a function once. `query` is the raw query string, None without a `?`. Raises FunctionFailed."""
        worker = self._workers[next(self._turns) % len(self._workers)]
        answer = await worker.ask({"function": function, "event": event, "query": query})
        if "error" in answer:
            raise FunctionFailed(answer["error"])
        for line in answer["lines"]:
            _log.info("%s", line)
        return Outcome(answer["result"], answer["origin"], OriginGroup.made(answer["group"]))

    async def watch(self) -> None:
        await asyncio.wait([worker.reading for worker in self._workers], return_when=asyncio.FIRST_COMPLETED)
        raise Failure(ExitCode.COMPONENT_FAILED, "A node process that runs the edge functions died.")

    async def stop(self) -> None:
        await asyncio.gather(*(worker.close() for worker in self._workers))
        self._workers.clear()


class _Worker:
    """One process. Messages go in as lines; results come back by id, in any order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.reading = asyncio.create_task(self._read())

    def say(self, message: Mapping[str, Any]) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the worker was started without a pipe")
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        if self.reading.done():
            raise FunctionFailed("its process has ended")
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self.say({**message, "id": number})
            return await self._waiting[number]
        finally:
            del self._waiting[number]

    async def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        await children.end(self._process, 5)
        await self.reading

    async def _read(self) -> None:
        """Read results until the process ends; then fail what is still waiting."""
        if self._process.stdout is None:
            raise RuntimeError("the worker was started without a pipe")
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            waiting = self._waiting.get(answer["id"])
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(FunctionFailed("its process has ended"))
