"""Decides which IP addresses a user's endpoint may have: only public ones.

For IPv4, the blocks of the IANA special-purpose registry (RFC 6890 and its updates) are refused. For IPv6, everything
outside global unicast (2000::/3) is refused, and addresses with an embedded IPv4 address, which would bypass the IPv4
list: 6to4 and Teredo, and outside 2000::/3 mapped, compatible and NAT64 addresses.
"""

from __future__ import annotations

import ipaddress

_IPV4 = [
    (ipaddress.IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "this network"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a carrier"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),  # 169.254.169.254: instance metadata; .170.2: container credentials
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "for documentation"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "for benchmarks"),
        ("198.51.100.0/24", "for documentation"),
        ("203.0.113.0/24", "for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
]
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_IPV6 = [
    (ipaddress.IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "an IPv4 address in disguise"),
        ("64:ff9b::/96", "an IPv4 address in disguise"),
        ("64:ff9b:1::/48", "an IPv4 address in disguise"),
        ("2001::/23", "reserved"),  # Teredo among it
        ("2001:db8::/32", "for documentation"),
        ("2002::/16", "an IPv4 address in disguise"),
        ("3fff::/20", "for documentation"),
        ("fc00::/7", "private"),  # fd00:ec2::254: instance metadata
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
    )
]


def refusal(address: str) -> str | None:
    """Return the kind of an address that must not be connected to, or None for a public one.

    Raises ValueError if `address` is not an IP address.
    """
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return next((kind for network, kind in _IPV4 if parsed in network), None)
    if parsed.scope_id is not None:
        return "link-local"
    kind = next((kind for network, kind in _IPV6 if parsed in network), None)
    return kind or (None if parsed in _GLOBAL_UNICAST else "not public")
