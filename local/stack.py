"""Puts the local cloud together: its components in the order of their start, and what it prints when it serves."""

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
from local.cloud.component import EmbeddedCloud
from local.cloud.endpoint import Endpoint, credentials_of
from local.cloud.resources import BLOB_URL_KEY_PARAMETER, BUCKET, EDGE_SECRET_PARAMETER
from local.collection import Times, collection, tick, warnings
from local.console import ConsoleBuild
from local.delivery.delivery import Delivery
from local.edge import components as edge_stack
from local.edge.components import EdgeSettings
from local.edge.signed_urls import KeyGroup
from local.failures import ExitCode, Failure
from local.functions import declarations as functions
from local.functions.declarations import Distribution
from local.functions.environments import InitError, Pool
from local.functions.invocations import Invocations
from local.gateway.function_url import reader_urls
from local.gateway.http_api import HttpApi, HttpServer
from local.processes.supervisor import Component, supervise
from local.processes.together import Together
from local.relay import RelayProcess
from local.state import Ready, StateDirectory
from local.web_function.component import WebFunction
from local.web_function.terms import Terms


class RelayKind(StrEnum):
    """What hosts the relay: a web function, which requests start, or a process that always runs."""

    WEB_FUNCTION = "web-function"
    FARGATE = "fargate"


class Front(StrEnum):
    """What runs in front of the API: everything that is deployed, or less."""

    ALL = "all"  # the edge and the relay: layers of any size, from any client
    EDGE = "edge"  # no relay: clients that send layers in pieces are limited to what a Lambda accepts
    NONE = "none"  # the API only


# Started by their first request: clients that push and pull never ask them, and they would take their part of a start.
_COLD = frozenset({"management", "ldap"})


@dataclass(slots=True)
class Lambda:
    """The component that creates the functions' pools once AWS runs."""

    state: StateDirectory
    cloud: EmbeddedCloud
    distribution: Distribution | None
    host: str  # by which clients reach the registry
    collect: Mapping[str, str] = field(default_factory=dict)
    invocations: Mapping[str, str] = field(default_factory=dict)  # where functions are invoked
    ldap: Mapping[str, str] = field(default_factory=dict)  # the ldap function's variables
    pools: dict[str, Pool] = field(default_factory=dict)
    name: str = "the functions"

    async def start(self) -> None:
        aws = self.cloud.endpoint.environment()
        made = functions.functions(
            self.cloud.resources, aws, self.distribution, self.host, self.collect, self.invocations, self.ldap
        )
        for function in made:
            self.pools[function.name] = Pool(function, self.state.logs / f"{function.name}.log")
        try:
            await asyncio.gather(*(pool.warm() for name, pool in self.pools.items() if name not in _COLD))
        except InitError as error:
            await self.stop()
            raise Failure(ExitCode.COMPONENT_FAILED, f"A function did not start: {error}.") from None

    async def watch(self) -> None:
        """Do nothing: an environment that dies is replaced when it is needed."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        await asyncio.gather(*(pool.close() for pool in self.pools.values()))


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `make up`. `url` is the registry's URL, if a proxy in front of it changes that."""

    front: Front = Front.ALL
    pull_through_edge: bool = False
    url: str = ""
    relay: RelayKind = RelayKind.WEB_FUNCTION
    terms: Terms = field(default_factory=Terms)
    collect: Times | None = None
    build_console: bool = False
    ldap_ca: str = ""  # certificates in PEM, of authorities that a directory's certificate may be of


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs; `components` are in the order of their start."""

    registry: str  # base URL
    cloud: EmbeddedCloud
    api: str
    relay: RelayProcess | WebFunction | None
    components: Sequence[Component]


def build(state: StateDirectory, listener: socket.socket, options: Options) -> Stack:
    """Put the parts together; nothing starts. The edge, or without one the gateway, serves on `listener`."""
    host, port = listener.getsockname()[:2]
    registry = options.url or f"http://{_reachable(host)}:{port}"
    scheme, _, name = registry.partition("://")
    secret = secrets.token_hex(32)
    private, public = _blob_url_key()
    of_this_run = {EDGE_SECRET_PARAMETER: secret, BLOB_URL_KEY_PARAMETER: private}
    listeners = ports.listen_for_cloud(port)
    address, inner_port = listeners[0].getsockname()[:2]
    endpoint = Endpoint(address, inner_port, credentials_of(state.credentials_file))
    cloud = EmbeddedCloud(state, endpoint, listeners, of_this_run)
    distribution = None if options.front is Front.NONE else Distribution(registry, options.pull_through_edge)
    invoked = ports.listen(ports.INTERNAL_ADDRESS, 0)
    invocations = {"AWS_ENDPOINT_URL_LAMBDA": f"http://{ports.INTERNAL_ADDRESS}:{invoked.getsockname()[1]}"}
    ldap = {"LDAP_CA_CERTIFICATES": options.ldap_ca} if options.ldap_ca else {}
    lambdas = Lambda(state, cloud, distribution, name, _trial(options.collect), invocations, ldap)
    invoke = HttpServer("Lambda's API", Invocations(lambdas.pools, {functions.LDAP_FUNCTION: "ldap"}), invoked)
    first = admin.FirstAdministrator(state, cloud)
    api = HttpApi(ROUTES, lambdas.pools, scheme=scheme)
    # It starts before what takes requests, and so stops after it, when there is nothing more to come.
    delivery = Delivery(state, cloud, lambdas.pools)
    trial = (collection(lambdas.pools, pause=options.collect.pause),) if options.collect else ()
    behind = (delivery, *trial, tick(lambdas.pools), warnings(lambdas.pools))
    console = (ConsoleBuild(registry),) if options.build_console else ()
    if options.front is Front.NONE:
        gateway = HttpServer("the gateway", api, listener)
        return Stack(registry, cloud, registry, None, (cloud, first, lambdas, invoke, *behind, gateway, *console))
    inner = ports.listen(ports.INTERNAL_ADDRESS, 0)
    gateway = HttpServer("the gateway", api, inner)
    relay: RelayProcess | WebFunction | None = None
    if options.front is Front.ALL:

        def environment() -> Mapping[str, str]:
            return {
                **endpoint.environment(),
                **functions.registry_environment(cloud.resources, distribution),
                "VIA_DISTRIBUTION_ONLY": "on",
            }

        log = state.logs / "relay.log"
        if options.relay is RelayKind.FARGATE:
            relay = RelayProcess(ports.free_port(), environment, log)
        else:
            relay = WebFunction(environment, log, options.terms)
    readers, urls = reader_urls(lambdas.pools, endpoint.credentials, scheme=scheme)
    settings = EdgeSettings(
        api=f"http://{ports.INTERNAL_ADDRESS}:{inner.getsockname()[1]}",
        bucket=f"{endpoint.url}/{BUCKET}",
        relay=relay.url if relay else None,
        readers=readers,
        secret=secret,
        access_key=endpoint.credentials.access_key,
        secret_key=endpoint.credentials.secret_key,
        region=endpoint.credentials.region,
        blob_keys=KeyGroup(registry, {functions.BLOB_URL_KEY_ID: public}) if options.pull_through_edge else None,
        redirects=endpoint.s3_url,
        scheme=scheme,
    )
    workers, edge = edge_stack.components(settings, lambda: cloud.resources.upload_keys, listener)
    side_by_side = Together([lambdas, first, workers, *((relay,) if relay else ())])
    return Stack(
        registry, cloud, settings.api, relay, (cloud, side_by_side, invoke, *behind, gateway, *urls, edge, *console)
    )


def _trial(times: Times | None) -> dict[str, str]:
    """Return the collector's variables for a trial; none without one."""
    if times is None:
        return {}
    return {"COLLECT_TRIAL": "on", "COLLECT_GRACE": str(times.grace), "COLLECT_FENCE": str(times.fence)}


def _blob_url_key() -> tuple[str, str]:
    """Return a new key for signed URLs: the private and the public half in PEM."""
    key = generate_private_key(SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), public.decode()


async def run(state: StateDirectory, listener: socket.socket, options: Options) -> None:
    """Serve on `listener` until SIGINT, SIGTERM or SIGHUP. Raises Failure."""
    stopping, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    stack = build(state, listener, options)
    print(f"Starting the registry; its state is in {state.path} …", flush=True)
    supervised = asyncio.create_task(supervise(stack.components, stopping, ready))
    started = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({supervised, started}, return_when=asyncio.FIRST_COMPLETED)
        if ready.is_set():
            state.write_ready(_ready(state, stack))
            if stack.relay is not None:
                stack.relay.changed = lambda: state.write_ready(_ready(state, stack))
            print(banner(state, stack.registry), flush=True)
        await supervised
    finally:
        started.cancel()
        state.ready_file.unlink(missing_ok=True)


def banner(state: StateDirectory, url: str) -> str:
    """What a person sees once it serves. `url` is the registry's."""
    image, registry = "hello-world", url.partition("://")[2]
    return f"""
The registry serves at {url}
Log in as {admin.NAME}; the password is in {state.password_file}
The web console is at {url}/ui

  docker login -u {admin.NAME} --password-stdin {registry} < {state.password_file}
  docker pull {image} && docker tag {image} {registry}/demo/{image} && docker push {registry}/demo/{image}
  docker pull {registry}/demo/{image}

Logs are in {state.logs}. Ctrl-C stops the registry; everything pushed stays in {state.path}."""


def _ready(state: StateDirectory, stack: Stack) -> Ready:
    resources, endpoint = stack.cloud.resources, stack.cloud.endpoint
    pids = {"stack": os.getpid()}
    for place, pid in enumerate(stack.relay.servers if stack.relay is not None else (), 1):
        pids["relay" if place == 1 else f"relay-{place}"] = pid
    return Ready(
        registry=stack.registry,
        s3=endpoint.s3_url,
        admin=admin.NAME,
        password_file=str(state.password_file),
        pid=os.getpid(),
        aws_endpoint=endpoint.url,
        region=endpoint.credentials.region,
        index_table=resources.index_table,
        identity_table=resources.identity_table,
        bucket=resources.bucket,
        token_key=resources.token_key,
        upload_keys_parameter=resources.upload_keys_parameter,
        api=stack.api,
        relay=stack.relay.url if stack.relay else None,
        credentials_file=str(state.credentials_file),
        pids=pids,
    )


def _reachable(host: str) -> str:
    """Return the host by which clients on this machine reach a listening address."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
