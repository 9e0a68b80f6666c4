"""What is to be built: `roadstead.toml`, read, checked and given defaults. docs/deployment.md lists the keys.

Every problem is told at once, with the key that it is about. Nothing here knows the CDK.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.keys_of_toml import Keys, Problems

# What CloudWatch Logs can keep lines for ("PutRetentionPolicy", Amazon CloudWatch Logs API Reference), in days.
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
_ID = r"([0-9a-f]{8}|[0-9a-f]{17})"  # of things in EC2
# What a Fargate task of 0.5 to 4 vCPU can have ("Task CPU and memory", Amazon ECS Developer Guide): CPU units, MiB.
_TASKS = {512: (1024, 4096), 1024: (2048, 8192), 2048: (4096, 16_384), 4096: (8192, 30_720)}


class SettingsError(Exception):
    """The settings cannot be built from; the message names each key that is wrong."""


@dataclass(frozen=True, slots=True)
class Function:
    """`memory` in MB, `timeout` in seconds; `reserved` concurrent executions, None to take from the account's pool."""

    memory: int
    timeout: int
    reserved: int | None


@dataclass(frozen=True, slots=True)
class Signing:
    """Generations of the key that signs tokens: the first signs, all are trusted."""

    generations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Api:
    """`rate` and `burst` in requests a second; domain and certificate (of the deployment's region) or neither.

    `challenge` is `direct` or `mapped`; docs/deployment.md says when.
    """

    domain: str
    certificate: str
    rate: int
    burst: int
    challenge: str


@dataclass(frozen=True, slots=True)
class Distribution:
    """`blob_url_public_key` is a PEM, empty where blobs are pulled from S3; `secret_version` a version's id in Secrets
    Manager, empty for the current one. `prices` is CloudFront's price class."""

    domain: str
    certificate: str
    prices: str
    web_acl: str
    readable_errors: bool
    blob_url_public_key: str
    secret_version: str


@dataclass(frozen=True, slots=True)
class Network:
    """A VPC that is there already. `load_balancer_subnets` are private, `task_subnets` reach AWS's services."""

    vpc: str
    cidr: str
    zones: tuple[str, ...]
    load_balancer_subnets: tuple[str, ...]
    task_subnets: tuple[str, ...]
    public_addresses: bool


@dataclass(frozen=True, slots=True)
class Relay:
    """`cpu` in units of 1/1024, `memory` in MiB, of which each of `uploads` takes 40. `network` None makes a VPC.

    `public_domain` and `public_certificate` make the load balancer public, by the side of the distribution.
    """

    enabled: bool
    cpu: int
    memory: int
    uploads: int
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
class Retention:
    """In days: lines of functions, of the audit trail; how far back tables and objects can be restored."""

    logs: int
    audit: int
    recovery: int


@dataclass(frozen=True, slots=True)
class Settings:
    """`environment` holds variables of docs/settings.md that the operator sets, by function."""

    name: str
    region: str
    account: str
    functions: Mapping[str, Function]
    signing: Signing
    api: Api
    distribution: Distribution
    relay: Relay
    retention: Retention
    alarm_email: str
    deletion_protection: bool
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def blobs_by_distribution(self) -> bool:
        return bool(self.distribution.blob_url_public_key)

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Raises SettingsError, also for a file that is missing or no TOML. Paths in it are relative to it."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{path} is no TOML: {error}") from error
        return cls.parse(document, path.parent)

    @classmethod
    def parse(cls, document: Mapping[str, Any], directory: Path = Path()) -> Settings:
        """Raises SettingsError that names every key that is wrong, and every one that is unknown."""
        problems = Problems()
        top = Keys(document, "", problems)
        settings = cls(
            name=top.text("name", "roadstead", r"[a-z][a-z0-9-]{1,19}", "2 to 20 small letters, digits and -"),
            region=top.text("region", "us-east-1", r"[a-z]{2}(-[a-z]+)+-\d", "a region like eu-central-1"),
            account=top.text("account", "", r"(\d{12})?", "12 digits"),
            functions=_functions(top.table("functions")),
            signing=_signing(top.table("signing")),
            api=_api(top.table("api")),
            relay=(relay := _relay(top.table("relay"))),
            distribution=_distribution(top.table("distribution"), directory, relay),
            retention=_retention(top.table("retention")),
            alarm_email=_email(top.table("alarms")),
            deletion_protection=top.flag("deletion_protection", True),
            environment=_environment(top.table("environment")),
        )
        top.unknown()
        if problems.found:
            raise SettingsError("; ".join(problems.found))
        return settings


def _functions(keys: Keys) -> dict[str, Function]:
    """Defaults are those of .chalice/config.json, argued in docs/deployment.md."""
    found = {}
    for name, memory, timeout in (("registry", 1024, 29), ("token", 512, 10), ("webhook", 256, 60)):
        of = keys.table(name)
        most = 29 if name != "webhook" else 300  # the HTTP API gives up after 30 s
        reserved = of.number("reserved_concurrency", -1, least=-1, most=10_000)
        found[name] = Function(
            of.number("memory", memory, least=128, most=10_240),
            of.number("timeout", timeout, least=3, most=most),
            reserved if reserved >= 0 else None,
        )
        of.unknown()
    keys.unknown()
    return found


def _signing(keys: Keys) -> Signing:
    generations = keys.numbers("generations", (1,))
    if not generations or len(set(generations)) != len(generations) or min(generations) < 1 or len(generations) > 5:
        keys.problem("generations", "must name one to five different numbers, the one that signs first")
    keys.unknown()
    return Signing(generations)


def _api(keys: Keys) -> Api:
    api = Api(
        domain=keys.domain("domain"),
        certificate=keys.certificate("certificate", r"[a-z0-9-]+"),
        rate=keys.number("requests_per_second", 1000, least=1, most=100_000),
        burst=keys.number("burst", 2000, least=1, most=100_000),
        challenge=keys.choice("challenge", "direct", ("direct", "mapped")),
    )
    if bool(api.domain) != bool(api.certificate):
        keys.problem("domain", "and api.certificate go together")
    keys.unknown()
    return api


def _distribution(keys: Keys, directory: Path, relay: Relay) -> Distribution:
    by_vpc_origin = relay.enabled and not relay.public_domain
    distribution = Distribution(
        domain=keys.domain("domain"),
        certificate=keys.certificate("certificate", "us-east-1"),
        prices=keys.choice("price_class", "PriceClass_100", ("PriceClass_100", "PriceClass_200", "PriceClass_All")),
        web_acl=keys.text(
            "web_acl", "", r"(arn:aws[a-z-]*:wafv2:us-east-1:\d{12}:global/webacl/.+)?", "a global web ACL"
        ),
        readable_errors=keys.flag("readable_errors", not by_vpc_origin),
        blob_url_public_key=_pem(keys, directory),
        secret_version=keys.text("secret_version", "", r"([0-9A-Za-z-]{32,64})?", "the id of a version of a secret"),
    )
    if distribution.readable_errors and by_vpc_origin:
        keys.problem(
            "readable_errors", "cannot be: CloudFront runs no Lambda@Edge for a VPC origin, as the relay is one"
        )
    if bool(distribution.domain) != bool(distribution.certificate):
        keys.problem("domain", "and distribution.certificate go together")
    keys.unknown()
    return distribution


def _pem(keys: Keys, directory: Path) -> str:
    """The public key of signed URLs, where blobs are pulled through the distribution."""
    name = keys.text("blob_url_public_key", "", r".*", "a path")
    if keys.choice("blobs_at", "s3", ("s3", "distribution")) == "s3":
        if name:
            keys.problem("blob_url_public_key", 'is used with blobs_at = "distribution" only')
        return ""
    if not name:
        keys.problem("blob_url_public_key", 'must name a PEM file, as blobs_at is "distribution"')
        return ""
    try:
        text = (directory / name).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        keys.problem("blob_url_public_key", f"cannot be read: {error}")
        return ""
    if not re.fullmatch(r"-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?", text):
        keys.problem("blob_url_public_key", f"{name} must hold one public key in PEM and nothing else")
    return text


def _relay(keys: Keys) -> Relay:
    relay = Relay(
        enabled=keys.flag("enabled", True),
        cpu=keys.number("cpu", 1024, least=512, most=4096),
        memory=keys.number("memory", 2048, least=1024, most=30_720),
        uploads=keys.number("uploads", 24, least=1, most=512),
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
    low, high = _TASKS.get(relay.cpu, (0, 0))
    if not low <= relay.memory <= high or relay.memory % 1024:
        keys.problem("cpu", "and relay.memory must be a size that Fargate has, as 1024 and 2048")
    if 256 + relay.uploads * 40 > relay.memory:
        keys.problem(
            "uploads", f"{relay.uploads} take {256 + relay.uploads * 40} MiB, and relay.memory is {relay.memory}"
        )
    if len(set(relay.zones)) not in (0, 2) or len(relay.zones) > 2:
        keys.problem("availability_zones", "must name two zones, or none to take the first two")
    if relay.least > relay.most:
        keys.problem("least_tasks", "is more than relay.most_tasks")
    if bool(relay.public_domain) != bool(relay.public_certificate):
        keys.problem("public_domain", "and relay.public_certificate go together")
    if relay.network is not None and relay.public_domain:
        keys.problem("public_domain", "needs the VPC that is made here, not relay.network")
    if relay.network is not None and not relay.cloudfront_prefix_list:
        keys.problem("cloudfront_prefix_list", "must be set with relay.network, which others may be in, too")
    _check_cidr(keys, relay.vpc_cidr)
    keys.unknown()
    return relay


def _check_cidr(keys: Keys, text: str) -> None:
    try:
        prefix = ipaddress.IPv4Network(text).prefixlen
    except ValueError as error:
        keys.problem("vpc_cidr", f"is no block of addresses: {error}")
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


def _retention(keys: Keys) -> Retention:
    retention = Retention(
        logs=keys.number("logs", 30, least=1, most=3653),
        audit=keys.number("audit", 400, least=30, most=3653),
        recovery=keys.number("recovery", 35, least=1, most=35),
    )
    for name in ("logs", "audit"):
        if getattr(retention, name) not in RETENTIONS:
            keys.problem(name, f"must be one of {', '.join(map(str, RETENTIONS))}")
    keys.unknown()
    return retention


def _email(keys: Keys) -> str:
    email = keys.text("email", "", r"([^@\s]+@[^@\s]+\.[^@\s]+)?", "an address")
    keys.unknown()
    return email


def _environment(keys: Keys) -> dict[str, dict[str, str]]:
    """Only the shape is checked here; the functions' own settings check the values when the template is made."""
    found = {name: keys.table(name).strings() for name in ("registry", "token", "webhook", "relay")}
    keys.unknown()
    return found
