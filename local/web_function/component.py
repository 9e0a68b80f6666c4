"""The relay as a web function, as a component: its endpoint, and the end of environments that idle or take too much."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local import ports
from local.gateway.http_api import HttpServer
from local.web_function.endpoint import Endpoint
from local.web_function.environment import Environment
from local.web_function.terms import Terms

LOOK = 0.25  # seconds between two looks at the environments
_log = logging.getLogger(__name__)


class WebFunction:
    """Starts without an environment. `variables` is called for each, `changed` when there are others than before."""

    name = "the relay"

    def __init__(self, variables: Callable[[], Mapping[str, str]], log: Path, terms: Terms | None = None) -> None:
        self._terms = terms or Terms()
        self._endpoint = Endpoint(lambda: Environment(variables(), log, self._terms), self._terms)
        listener = ports.listen(ports.INTERNAL_ADDRESS, 0)
        self.url = f"http://{ports.INTERNAL_ADDRESS}:{listener.getsockname()[1]}"
        self._server = HttpServer("the relay's endpoint", self._endpoint, listener)
        self.changed: Callable[[], None] = lambda: None
        self._seen: tuple[int, ...] = ()

    @property
    def environments(self) -> Sequence[Environment]:
        return self._endpoint.environments

    @property
    def servers(self) -> tuple[int, ...]:
        """Process ids of the servers that run, the longest-running first."""
        found = (one.server for one in self._endpoint.environments)
        return tuple(pid for pid in found if pid is not None)

    async def start(self) -> None:
        await self._server.start()

    async def watch(self) -> None:
        """An environment that ends is replaced when a request needs one."""
        looking = asyncio.create_task(self._look())
        try:
            await self._server.watch()
        finally:
            looking.cancel()

    async def stop(self) -> None:
        await self._server.stop()
        await asyncio.gather(*(one.stop() for one in self._endpoint.environments))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            for environment in list(self._endpoint.environments):
                if environment.memory > self._terms.memory:
                    _log.error("an environment of the relay is killed: it takes more than %d bytes", self._terms.memory)
                    await environment.abort()
                elif environment.idle_for(self._terms.idle):
                    self._endpoint.environments.remove(environment)
                    await environment.stop()
            if self.servers != self._seen:
                self._seen = self.servers
                self.changed()
