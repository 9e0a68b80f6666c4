"""The settings of a deployment: reads `roadstead.toml`, checks it and fills in defaults (docs/deployment.md).

All problems are reported at once, each with its key. This module does not import the CDK.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.build import READS
from infra.configuration.keys_of_toml import Keys, Problems
from infra.configuration.relay_settings import Relay, relay

# What CloudWatch Logs can keep lines for ("PutRetentionPolicy", Amazon CloudWatch Logs API Reference), in days.
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
# Runtimes of the functions. Lambda creates functions of 3.11 until mid-2026, of 3.13 until mid-2029 ("Lambda runtimes")
PYTHONS = ("3.13", "3.14")


class SettingsError(Exception):
    """The settings cannot be deployed; the message names each wrong key."""


@dataclass(frozen=True, slots=True)
class Function:
    """`memory` in MB, `timeout` in seconds; `reserved` concurrent executions, None for the account's pool."""

    memory: int
    timeout: int
    reserved: int | None


@dataclass(frozen=True, slots=True)
class Signing:
    """Generations of the token signing key: the first signs, all are trusted."""

    generations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Api:
    """`rate` and `burst` in requests per second; domain and certificate (of the deployment's region) or neither.

    `challenge` is `direct` or `mapped` (docs/deployment.md); `closed` has the API refuse requests that did not come
    through the distribution; `access_log` has it write a line for each request, beside the functions' own.
    """

    domain: str
    certificate: str
    rate: int
    burst: int
    challenge: str
    closed: bool
    access_log: bool


@dataclass(frozen=True, slots=True)
class Ldap:
    """Where the ldap function runs: in these subnets of a VPC, or (both empty) in none."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """`blob_url_public_key` is a PEM, empty if clients pull blobs from S3; `secret_version` is a version id in Secrets
    Manager, empty for the current one; `prices` is CloudFront's price class; `reads` is `function` or `api`, what takes
    reads (docs/adr/0028)."""

    domain: str
    certificate: str
    prices: str
    web_acl: str
    readable_errors: bool
    blob_url_public_key: str
    secret_version: str
    reads: str


@dataclass(frozen=True, slots=True)
class Retention:
    """In days: log lines, the audit trail, and how far back tables and objects can be restored."""

    logs: int
    audit: int
    recovery: int


@dataclass(frozen=True, slots=True)
class Settings:
    """`environment` holds variables of docs/settings.md that the operator sets, by function; `python` is a version.

    With `metrics` CloudWatch makes metrics of the functions' log lines; `all_alarms` adds the alarms that cost extra;
    with `lambda_lines` Lambda writes its own lines about each invocation, and the functions' logs are text to it.
    """

    name: str
    region: str
    account: str
    python: str
    functions: Mapping[str, Function]
    signing: Signing
    api: Api
    ldap: Ldap
    distribution: Distribution
    relay: Relay
    retention: Retention
    alarm_email: str
    all_alarms: bool
    metrics: bool
    lambda_lines: bool
    deletion_protection: bool
    console: bool
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def blobs_by_distribution(self) -> bool:
        return bool(self.distribution.blob_url_public_key)

    @classmethod
    def load(cls, path: Path) -> Settings:
        """Read a file; paths in it are relative to it. Raises SettingsError if it is missing, malformed or wrong."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{path} is not TOML: {error}") from error
        return cls.parse(document, path.parent)

    @classmethod
    def parse(cls, document: Mapping[str, Any], directory: Path = Path()) -> Settings:
        """Read a document. Raises SettingsError that names every wrong and every unknown key."""
        problems = Problems()
        top = Keys(document, "", problems)
        settings = cls(
            name=top.text("name", "roadstead", r"[a-z][a-z0-9-]{1,19}", "2 to 20 small letters, digits and -"),
            region=top.text("region", "us-east-1", r"[a-z]{2}(-[a-z]+)+-\d", "a region like eu-central-1"),
            account=top.text("account", "", r"(\d{12})?", "12 digits"),
            python=top.choice("python", PYTHONS[0], PYTHONS),
            functions=_functions(top.table("functions")),
            signing=_signing(top.table("signing")),
            api=_api(top.table("api")),
            ldap=_ldap(top.table("ldap")),
            relay=(relay_settings := relay(top.table("relay"), directory)),
            distribution=_distribution(top.table("distribution"), directory, relay_settings),
            retention=_retention(top.table("retention")),
            alarm_email=(alarms := _alarms(top.table("alarms")))[0],
            all_alarms=alarms[1],
            metrics=top.flag("metrics", False),
            lambda_lines=top.flag("lambda_lines", False),
            deletion_protection=top.flag("deletion_protection", False),
            console=top.flag("console", True),
            environment=_environment(top.table("environment")),
        )
        top.unknown()
        if problems.found:
            raise SettingsError("; ".join(problems.found))
        return settings


def _functions(keys: Keys) -> dict[str, Function]:
    """Read the sizes. The defaults are those of .chalice/config.json; docs/deployment.md gives their reasons."""
    found = {}
    for name, memory, timeout in (
        ("registry", 1024, 29),
        ("token", 512, 10),
        ("management", 1024, 29),
        ("collector", 512, 900),
        ("webhook", 256, 60),
        ("indexer", 512, 60),
        ("ldap", 512, 25),
    ):
        of = keys.table(name)
        most = {"webhook": 300, "indexer": 300, "collector": 900}.get(name, 29)  # the HTTP API gives up after 30 s
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
        closed=keys.flag("closed", False),
        access_log=keys.flag("access_log", False),
    )
    if api.closed and api.domain:
        keys.problem("closed", "refuses every client of api.domain: set one of the two")
    if bool(api.domain) != bool(api.certificate):
        keys.problem("domain", "and api.certificate go together")
    keys.unknown()
    return api


def _ldap(keys: Keys) -> Ldap:
    ldap = Ldap(
        keys.texts("subnets", r"subnet-[0-9a-f]{8,17}"),
        keys.texts("security_groups", r"sg-[0-9a-f]{8,17}"),
    )
    if bool(ldap.subnets) != bool(ldap.security_groups):
        keys.problem("subnets", "and ldap.security_groups go together")
    keys.unknown()
    return ldap


def _distribution(keys: Keys, directory: Path, relay: Relay) -> Distribution:
    distribution = Distribution(
        domain=keys.domain("domain"),
        certificate=keys.certificate("certificate", "us-east-1"),
        prices=keys.choice("price_class", "PriceClass_100", ("PriceClass_100", "PriceClass_200", "PriceClass_All")),
        web_acl=keys.text(
            "web_acl", "", r"(arn:aws[a-z-]*:wafv2:us-east-1:\d{12}:global/webacl/.+)?", "a global web ACL"
        ),
        readable_errors=keys.flag("readable_errors", not relay.by_vpc_origin),
        blob_url_public_key=_pem(keys, directory),
        secret_version=keys.text("secret_version", "", r"([0-9A-Za-z-]{32,64})?", "the id of a version of a secret"),
        reads=keys.choice("reads", READS[0], READS),
    )
    if distribution.readable_errors and relay.by_vpc_origin:
        keys.problem("readable_errors", "cannot be true: CloudFront runs no Lambda@Edge function beside a VPC origin")
    if bool(distribution.domain) != bool(distribution.certificate):
        keys.problem("domain", "and distribution.certificate go together")
    keys.unknown()
    return distribution


def _pem(keys: Keys, directory: Path) -> str:
    """Return the public key of signed URLs in PEM, empty if clients pull blobs from S3."""
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


def _alarms(keys: Keys) -> tuple[str, bool]:
    """Return the address that gets alarms, and whether to create those that cost extra."""
    email = keys.text("email", "", r"([^@\s]+@[^@\s]+\.[^@\s]+)?", "an address")
    every = keys.flag("all", False)
    keys.unknown()
    return email, every


def _environment(keys: Keys) -> dict[str, dict[str, str]]:
    """Check the shape only; the functions' own settings check the values when the template is synthesised."""
    names = ("registry", "token", "management", "collector", "webhook", "indexer", "ldap", "relay")
    found = {name: keys.table(name).strings() for name in names}
    keys.unknown()
    return found
