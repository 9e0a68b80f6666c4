"""What runs locally, in which order, and what is told to the person and the scripts that wait for it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from functions.api import ROUTES
from local import admin, ports
from local.aws import CREDENTIALS, REGION, EmbeddedAws, Endpoint
from local.delivery.delivery import Delivery
from local.edge import components as edge_stack
from local.edge.components import EdgeSettings
from local.edge.signed_urls import KeyGroup
from local.failures import ExitCode, Failure
from local.functions import declarations as functions
from local.functions.declarations import Distribution
from local.functions.environments import InitError, Pool
from local.gateway.http_api import HttpApi, HttpServer
from local.processes.supervisor import Component, supervise
from local.relay import RelayProcess
from local.resources import BLOB_URL_KEY_PARAMETER, BUCKET, EDGE_SECRET_PARAMETER, Resources, ensure_resources
from local.state import Ready, StateDirectory


class Front(StrEnum):
    """What stands before the API: the whole as it is deployed, or less of it."""

    ALL = "all"  # the edge and the relay: layers of any size, from any client
    EDGE = "edge"  # no relay: clients that send a layer in pieces are held to what a Lambda takes
    NONE = "none"  # the API alone


@dataclass(slots=True)
class Lambda:
    """The component that makes the functions' pools once AWS is there, and the first administrator with them."""

    state: StateDirectory
    endpoint: Endpoint
    secrets: Mapping[str, str] = field(repr=False)  # of this run, by parameter name
    distribution: Distribution | None
    host: str  # by which clients name the registry
    pools: dict[str, Pool] = field(default_factory=dict)
    made: Resources | None = None
    name: str = "the functions"

    @property
    def resources(self) -> Resources:
        """Raises RuntimeError before `start`."""
        if self.made is None:
            raise RuntimeError("AWS was not set up")
        return self.made

    async def start(self) -> None:
        aws = self.endpoint.environment()
        self.made = await asyncio.to_thread(ensure_resources, aws, self.secrets)
        await asyncio.to_thread(admin.ensure_admin, self.state, self.made.identity_table, aws)
        for function in functions.functions(self.made, aws, self.distribution, self.host):
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


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs, in the order in which it starts."""

    aws: EmbeddedAws
    lambdas: Lambda
    api: str
    relay: RelayProcess | None
    components: Sequence[Component]


def build(state: StateDirectory, listener: socket.socket, front: Front, *, pull_through_edge: bool = False) -> Stack:
    """Put the parts together; nothing starts. The edge, or without one the gateway, serves on `listener`."""
    host, port = listener.getsockname()[:2]
    registry = f"http://{_reachable(host)}:{port}"
    aws = EmbeddedAws(state, Endpoint(*ports.s3_address(port)))
    secret = secrets.token_hex(32)
    private, public = _blob_url_key()
    distribution = None if front is Front.NONE else Distribution(registry, pull_through_edge)
    of_this_run = {EDGE_SECRET_PARAMETER: secret, BLOB_URL_KEY_PARAMETER: private}
    lambdas = Lambda(state, aws.endpoint, of_this_run, distribution, registry.partition("://")[2])
    # Before the gateway: it stops after it, when there is nothing more to come.
    delivery = Delivery(state, aws.endpoint, lambdas.pools, lambda: lambdas.resources)
    if front is Front.NONE:
        gateway = HttpServer("the gateway", HttpApi(ROUTES, lambdas.pools), listener)
        return Stack(aws, lambdas, registry, None, (aws, lambdas, delivery, gateway))
    inner = ports.listen(ports.INTERNAL_ADDRESS, 0)
    api = f"http://{ports.INTERNAL_ADDRESS}:{inner.getsockname()[1]}"
    gateway = HttpServer("the gateway", HttpApi(ROUTES, lambdas.pools), inner)
    relay = None
    if front is Front.ALL:

        def environment() -> Mapping[str, str]:
            return {**aws.endpoint.environment(), **functions.registry_environment(lambdas.resources, distribution)}

        relay = RelayProcess(ports.free_port(), environment, state.logs / "relay.log")
    settings = EdgeSettings(
        api=api,
        bucket=f"{aws.endpoint.url}/{BUCKET}",
        relay=relay.url if relay else None,
        secret=secret,
        access_key=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        secret_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region=REGION,
        blob_keys=KeyGroup(registry, {functions.BLOB_URL_KEY_ID: public}) if pull_through_edge else None,
    )
    edge = edge_stack.components(settings, lambda: lambdas.resources.upload_keys, listener)
    return Stack(aws, lambdas, api, relay, (aws, lambdas, delivery, gateway, *((relay,) if relay else ()), *edge))


def _blob_url_key() -> tuple[str, str]:
    """A key for signed URLs: the private and the public half in PEM."""
    key = generate_private_key(SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), public.decode()


async def run(
    state: StateDirectory, listener: socket.socket, front: Front = Front.ALL, *, pull_through_edge: bool = False
) -> None:
    """Serve on `listener` until SIGINT, SIGTERM or SIGHUP. Raises Failure."""
    stopping, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    stack = build(state, listener, front, pull_through_edge=pull_through_edge)
    supervised = asyncio.create_task(supervise(stack.components, stopping, ready))
    started = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({supervised, started}, return_when=asyncio.FIRST_COMPLETED)
        if ready.is_set():
            host, port = listener.getsockname()[:2]
            registry = f"{_reachable(host)}:{port}"
            state.write_ready(_ready(state, stack, registry))
            if stack.relay is not None:
                stack.relay.restarted = lambda: state.write_ready(_ready(state, stack, registry))
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


def _ready(state: StateDirectory, stack: Stack, registry: str) -> Ready:
    resources, url = stack.lambdas.resources, stack.aws.endpoint.url
    pids = {"stack": os.getpid()}
    if stack.relay is not None and stack.relay.pid is not None:
        pids["relay"] = stack.relay.pid
    return Ready(
        registry=f"http://{registry}",
        s3=url,
        admin=admin.NAME,
        password_file=str(state.password_file),
        pid=os.getpid(),
        aws_endpoint=url,
        region=REGION,
        index_table=resources.index_table,
        identity_table=resources.identity_table,
        bucket=resources.bucket,
        token_key=resources.token_key,
        upload_keys_parameter=resources.upload_keys_parameter,
        api=stack.api,
        relay=stack.relay.url if stack.relay else None,
        pids=pids,
    )


def _reachable(host: str) -> str:
    """The name by which a client on this machine reaches a listening address."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
