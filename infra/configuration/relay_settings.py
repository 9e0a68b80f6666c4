"""The `[relay]` table of `roadstead.toml`: which relay is deployed, its size, and for Fargate its network."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from infra.configuration.keys_of_toml import Keys

UPLOAD_MIB = 40  # of memory for each upload under way (functions' relay settings: BYTES_PER_UPLOAD)
IDLE_MIB = 256  # of memory without any upload
WEB_FUNCTION_MIB = 2048  # of an execution environment ("Lambda quotas", web functions): not configurable
# Rates that a web function's endpoint accepts ("AWS::Lambda::WebFunctionEndpoint ThrottleConfig").
RATES = (*range(100, 1001, 100), *range(2000, 10_001, 1000))
_ID = r"([0-9a-f]{8}|[0-9a-f]{17})"  # of things in EC2
# What a Fargate task of 0.5 to 4 vCPU can have ("Task CPU and memory", Amazon ECS Developer Guide): CPU units, MiB.
_TASKS = {512: (1024, 4096), 1024: (2048, 8192), 2048: (4096, 16_384), 4096: (8192, 30_720)}


class RelayKind(StrEnum):
    """`web-function` scales from zero; `fargate` takes uploads that last longer than 15 minutes."""

    WEB_FUNCTION = "web-function"
    FARGATE = "fargate"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Network:
    """An existing VPC. `load_balancer_subnets` are private, `task_subnets` reach AWS's services."""

    vpc: str
    cidr: str
    zones: tuple[str, ...]
    load_balancer_subnets: tuple[str, ...]
    task_subnets: tuple[str, ...]
    public_addresses: bool


@dataclass(frozen=True, slots=True)
class Fargate:
    """`cpu` in units of 1/1024, `memory` in MiB. Without a `network` a VPC is created.

    `public_domain` and `public_certificate` make the load balancer public, beside the distribution.
    """

    cpu: int
    memory: int
    least: int
    most: int
    image: str
    vpc_cidr: str
    zones: tuple[str, ...]
    network: Network | None
    cloudfront_prefix_list: str
    public_domain: str
    public_certificate: str


@dataclass(frozen=True, slots=True)
class Relay:
    """`uploads` at once in a task or an execution environment; `rate` in requests per second, of a web function.

    `package` is a zip that `python -m infra.packaging.package` built; None to build one.
    """

    kind: RelayKind
    uploads: int
    rate: int
    package: Path | None
    fargate: Fargate

    @property
    def enabled(self) -> bool:
        return self.kind is not RelayKind.NONE

    @property
    def public_domain(self) -> str:
        """The relay's own name, which clients of the API's own name upload to; empty if only CloudFront reaches it."""
        return self.fargate.public_domain if self.kind is RelayKind.FARGATE else ""

    @property
    def by_vpc_origin(self) -> bool:
        """Whether CloudFront reaches the relay by a VPC origin, beside which it runs no Lambda@Edge function."""
        return self.kind is RelayKind.FARGATE and not self.fargate.public_domain


def relay(keys: Keys, directory: Path) -> Relay:
    """Read the table; a path in it is relative to `directory`. Problems are noted in `keys`."""
    fargate_keys = keys.table("fargate")
    package = keys.text("package", "", r".*", "a path")
    settings = Relay(
        kind=RelayKind(keys.choice("kind", RelayKind.WEB_FUNCTION, tuple(RelayKind))),
        uploads=keys.number("uploads", 24, least=1, most=512),
        rate=keys.number("requests_per_second", 1000, least=100, most=10_000),
        package=directory / package if package else None,
        fargate=_fargate(fargate_keys),
    )
    if fargate_keys.present and settings.kind is not RelayKind.FARGATE:
        keys.problem("fargate", 'is used with relay.kind = "fargate" only')
    if settings.package is not None and settings.kind is not RelayKind.WEB_FUNCTION:
        keys.problem("package", 'is used with relay.kind = "web-function" only')
    if settings.rate not in RATES:
        keys.problem("requests_per_second", "must be a multiple of 100 up to 1000, or of 1000 up to 10000")
    memory, key = WEB_FUNCTION_MIB, "an execution environment"
    if settings.kind is RelayKind.FARGATE:
        memory, key = settings.fargate.memory, "relay.fargate.memory"
    needed = IDLE_MIB + settings.uploads * UPLOAD_MIB
    if settings.enabled and needed > memory:
        keys.problem("uploads", f"is {settings.uploads}, which takes {needed} MiB: {key} has {memory}")
    keys.unknown()
    return settings


def _fargate(keys: Keys) -> Fargate:
    fargate = Fargate(
        cpu=keys.number("cpu", 1024, least=512, most=4096),
        memory=keys.number("memory", 2048, least=1024, most=30_720),
        least=keys.number("least_tasks", 1, least=1, most=100),
        most=keys.number("most_tasks", 4, least=1, most=100),
        image=keys.text("image", "", r"([a-z0-9][A-Za-z0-9./:@_-]*)?", "a container image"),
        vpc_cidr=keys.text("vpc_cidr", "10.83.0.0/24", r"[0-9./]+", "a block of addresses"),
        zones=keys.texts("availability_zones", r"[a-z]{2}(-[a-z]+)+-\d[a-z]"),
        network=_network(keys.table("network")),
        cloudfront_prefix_list=keys.text("cloudfront_prefix_list", "", rf"(pl-{_ID})?", "the id of a prefix list"),
        public_domain=keys.domain("public_domain"),
        public_certificate=keys.certificate("public_certificate", r"[a-z0-9-]+"),
    )
    low, high = _TASKS.get(fargate.cpu, (0, 0))
    if not low <= fargate.memory <= high or fargate.memory % 1024:
        keys.problem("cpu", "and relay.fargate.memory must be a size that Fargate has, as 1024 and 2048")
    if len(set(fargate.zones)) not in (0, 2) or len(fargate.zones) > 2:
        keys.problem("availability_zones", "must name two zones, or none to take the first two")
    if fargate.least > fargate.most:
        keys.problem("least_tasks", "is more than relay.fargate.most_tasks")
    if bool(fargate.public_domain) != bool(fargate.public_certificate):
        keys.problem("public_domain", "and relay.fargate.public_certificate go together")
    if fargate.network is not None and fargate.public_domain:
        keys.problem("public_domain", "needs the VPC that is created here, not relay.fargate.network")
    if fargate.network is not None and not fargate.cloudfront_prefix_list:
        keys.problem("cloudfront_prefix_list", "must be set with relay.fargate.network, which others may share")
    _check_cidr(keys, fargate.vpc_cidr)
    keys.unknown()
    return fargate


def _check_cidr(keys: Keys, text: str) -> None:
    try:
        prefix = ipaddress.IPv4Network(text).prefixlen
    except ValueError as error:
        keys.problem("vpc_cidr", f"is not a block of addresses: {error}")
        return
    if not 16 <= prefix <= 25:
        keys.problem("vpc_cidr", "must be a block of /16 to /25")


def _network(keys: Keys) -> Network | None:
    if not keys.present:
        return None
    network = Network(
        vpc=keys.text("vpc", "", rf"vpc-{_ID}", "the id of a VPC"),
        cidr=keys.text("cidr", "", r"[0-9./]+", "the VPC's block of addresses"),
        zones=keys.texts("availability_zones", r"[a-z0-9-]+"),
        load_balancer_subnets=keys.texts("load_balancer_subnets", rf"subnet-{_ID}"),
        task_subnets=keys.texts("task_subnets", rf"subnet-{_ID}"),
        public_addresses=keys.flag("public_addresses", False),
    )
    if not len(network.zones) == len(network.load_balancer_subnets) == len(network.task_subnets) >= 2:
        keys.problem(
            "availability_zones", "must name two zones or more, and load_balancer_subnets and task_subnets one in each"
        )
    keys.unknown()
    return network
