"""What runs locally, in which order, and what is told to the person and the scripts that wait for it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from local import admin, functions, ports
from local.aws import REGION, EmbeddedAws, Endpoint
from local.environments import InitError, Pool
from local.failures import ExitCode, Failure
from local.functions import Function
from local.gateway import HttpApi, HttpServer
from local.resources import Resources, ensure_resources
from local.state import Ready, StateDirectory
from local.supervisor import Component, supervise

Declaration = Callable[[Resources, Mapping[str, str]], Sequence[Function]]


@dataclass(slots=True)
class Lambda:
    """The component that makes the functions' pools once AWS is there, and the first administrator with them."""

    state: StateDirectory
    endpoint: Endpoint
    declare: Declaration = functions.functions
    pools: dict[str, Pool] = field(default_factory=dict)
    resources: Resources | None = None
    name: str = "the functions"

    async def start(self) -> None:
        aws = self.endpoint.environment()
        self.resources = await asyncio.to_thread(ensure_resources, aws)
        await asyncio.to_thread(admin.ensure_admin, self.state, self.resources.identity_table, aws)
        for function in self.declare(self.resources, aws):
            self.pools[function.name] = Pool(function, self.state.logs / f"{function.name}.log")
        try:
            await asyncio.gather(*(pool.warm() for pool in self.pools.values()))
        except InitError as error:
            await self.stop()
            raise Failure(ExitCode.COMPONENT_FAILED, f"A function does not start: {error}.") from None

    async def watch(self) -> None:
        """An environment that dies is replaced when it is needed, so there is nothing to watch."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        await asyncio.gather(*(pool.close() for pool in self.pools.values()))


async def run(state: StateDirectory, listener: socket.socket, declare: Declaration = functions.functions) -> None:
    """Serve on `listener` until SIGINT, SIGTERM or SIGHUP. Raises Failure."""
    stopping, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    host, port = listener.getsockname()[:2]
    aws = EmbeddedAws(state, Endpoint(*ports.s3_address(port)))
    lambdas = Lambda(state, aws.endpoint, declare)
    gateway = HttpServer("the gateway", HttpApi(functions.ROUTES, lambdas.pools), listener)
    components: Sequence[Component] = (aws, lambdas, gateway)
    supervised = asyncio.create_task(supervise(components, stopping, ready))
    started = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({supervised, started}, return_when=asyncio.FIRST_COMPLETED)
        if ready.is_set() and lambdas.resources is not None:
            registry = f"{_reachable(host)}:{port}"
            state.write_ready(_ready(state, aws.endpoint, lambdas.resources, registry))
            print(banner(state, registry), flush=True)
        await supervised
    finally:
        started.cancel()
        state.ready_file.unlink(missing_ok=True)


def banner(state: StateDirectory, registry: str) -> str:
    """What a person sees once it serves. `registry` is host:port, as docker names it."""
    image = "hello-world"
    return f"""
The registry serves at http://{registry}
Log in as {admin.NAME}; the password is in {state.password_file}

  docker login -u {admin.NAME} --password-stdin {registry} < {state.password_file}
  docker pull {image} && docker tag {image} {registry}/demo/{image} && docker push {registry}/demo/{image}
  docker pull {registry}/demo/{image}

Logs are in {state.logs}. Ctrl-C stops it; what was pushed stays in {state.path}."""


def _ready(state: StateDirectory, endpoint: Endpoint, resources: Resources, registry: str) -> Ready:
    return Ready(
        registry=f"http://{registry}",
        s3=endpoint.url,
        admin=admin.NAME,
        password_file=str(state.password_file),
        pid=os.getpid(),
        aws_endpoint=endpoint.url,
        region=REGION,
        index_table=resources.index_table,
        identity_table=resources.identity_table,
        bucket=resources.bucket,
        token_key=resources.token_key,
        upload_keys_parameter=resources.upload_keys_parameter,
    )


def _reachable(host: str) -> str:
    """The name by which a client on this machine reaches a listening address."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
