"""An endpoint: the parsed and checked form of a user's URL."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum

from roadstead.outbound.addresses import refusal

MAX_URL = 2_048
_URL = re.compile(r"(https?)://([^/?#@\\]+)((?:[/?][^#]*)?)", re.ASCII)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?")
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_TARGET = re.compile(r"[!$&-;=?-Z_a-z~%\[\]]*")  # the characters of paths and queries in RFC 3986, and [ ]


class EndpointRefused(Exception):
    """The endpoint is not allowed. The message is a sentence for a person that reveals no IP address."""


@dataclass(frozen=True, slots=True)
class EndpointPolicy:
    """Which endpoints are allowed. Empty `ports` allow any port.

    `internal` allows plain HTTP and addresses that are not public: for one machine, or a network whose users may reach
    everything in it.
    """

    ports: frozenset[int] = frozenset({443, 8443})
    internal: bool = False


class Ports(Enum):
    """The values of WEBHOOK_PORTS."""

    STANDARD = "443"
    COMMON = "443,8443"
    ANY = "any"


class Reach(Enum):
    """The values of WEBHOOK_REACH."""

    PUBLIC = "public"
    INTERNAL = "internal"  # also plain HTTP and addresses that are not public


_PORTS = {Ports.STANDARD: frozenset({443}), Ports.COMMON: frozenset({443, 8443}), Ports.ANY: frozenset[int]()}


def policy_of(ports: Ports, reach: Reach) -> EndpointPolicy:
    return EndpointPolicy(ports=_PORTS[ports], internal=reach is Reach.INTERNAL)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A parsed URL. `target` is path and query; `host` is a lower-case DNS name, or an address without brackets."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The value of the Host header (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"

    @classmethod
    def parse(cls, url: str, policy: EndpointPolicy) -> Endpoint:
        """Parse a URL. Raises EndpointRefused.

        An address that is not public is refused here; those that a host's name stands for, when something is sent.
        """
        if len(url) > MAX_URL:
            raise EndpointRefused(f"a URL can have up to {MAX_URL} characters; this one has {len(url)}")
        if "@" in url.partition("://")[2].partition("/")[0]:
            raise EndpointRefused("a URL must not contain a user or a password; use the Authorization header instead")
        match = _URL.fullmatch(url)
        authority = _AUTHORITY.fullmatch(match[2]) if match else None
        if match is None or authority is None or _TARGET.fullmatch(match[3]) is None:
            raise EndpointRefused(
                "the URL must be like https://receiver.example.com/path, in ASCII, without a fragment"
            )
        scheme = match[1]
        if scheme != "https" and not policy.internal:
            raise EndpointRefused("the URL must begin with https://")
        port = int(authority[2] or {"http": 80, "https": 443}[scheme])
        if not 0 < port < 65_536 or (policy.ports and port not in policy.ports):
            allowed = f"; allowed ports: {', '.join(map(str, sorted(policy.ports)))}" if policy.ports else ""
            raise EndpointRefused(f"port {port} is not allowed{allowed}")
        host = _host(authority[1])
        if not policy.internal and _is_internal(host):
            raise EndpointRefused("the URL's address is not public")
        target = match[3] if match[3].startswith("/") else f"/{match[3]}"
        return cls(scheme, host, port, target)


def _is_internal(host: str) -> bool:
    try:
        return refusal(host) is not None
    except ValueError:  # a name
        return False


def _host(text: str) -> str:
    """Parse a DNS name or an address in canonical form; refuse what only some parsers accept as an address."""
    if text.startswith("["):
        try:
            return str(ipaddress.IPv6Address(text[1:-1]))
        except ValueError as error:
            raise EndpointRefused(f"{text[:80]} is not an IPv6 address") from error
    name = text.lower()
    if _NUMERIC.fullmatch(name.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            raise EndpointRefused(f"{name[:80]} is neither a host name nor an IPv4 address") from error
    if len(name) > 253 or _NAME.fullmatch(name) is None:
        raise EndpointRefused(f"{name[:80]} is not a host name")
    return name
