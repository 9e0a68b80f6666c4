"""Which addresses are public."""

from __future__ import annotations

import ipaddress

import pytest

from roadstead.outbound.addresses import refusal

PUBLIC = (
    "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "192.0.1.1",
    "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "2001:200::1", "2000::1", "3ffe::1",
)  # fmt: skip
REFUSED = {
    "0.0.0.0": "this network", "0.1.2.3": "this network", "10.0.0.1": "private", "10.255.255.255": "private",
    "100.64.0.1": "carrier", "100.127.255.255": "carrier", "127.0.0.1": "loopback", "127.255.255.254": "loopback",
    "169.254.169.254": "link-local", "169.254.170.2": "link-local", "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.8": "reserved", "192.0.2.1": "documentation", "192.88.99.1": "reserved", "192.168.1.1": "private",
    "198.18.0.1": "benchmark", "198.19.255.255": "benchmark", "198.51.100.1": "documentation",
    "203.0.113.1": "documentation", "224.0.0.1": "multicast", "239.255.255.250": "multicast", "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified", "::1": "loopback", "::ffff:10.0.0.1": "disguise", "::ffff:8.8.8.8": "disguise",
    "::ffff:169.254.169.254": "disguise", "::10.0.0.1": "not public", "64:ff9b::a9fe:a9fe": "disguise",
    "64:ff9b::808:808": "disguise", "64:ff9b:1::a00:1": "disguise", "2001::1": "reserved", "2001:1ff::1": "reserved",
    "2001:db8::1": "documentation", "2002:a00:1::1": "disguise", "2002:a9fe:a9fe::1": "disguise",
    "3fff::1": "documentation",
    "fc00::1": "private", "fd00:ec2::254": "private", "fe80::1": "link-local", "fe80::1%eth0": "link-local",
    "2a00:1450::1%eth0": "link-local", "fec0::1": "not public", "ff02::1": "multicast", "100::1": "not public",
    "5f00::1": "not public", "4000::1": "not public", "1fff::1": "not public",
}  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize("address", REFUSED)
def test_any_other_address_is_refused_with_its_kind(address: str) -> None:
    assert REFUSED[address] in (refusal(address) or "")


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "127.0.0.01", "1.2.3.4 "])
def test_what_is_no_address_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        refusal(text)


def test_nothing_that_the_standard_library_takes_for_private_is_allowed() -> None:
    for block in range(0, 2**32, 2**18 + 1):
        address = ipaddress.IPv4Address(block)
        if not address.is_global or address.is_multicast:
            assert refusal(str(address)) is not None, address
