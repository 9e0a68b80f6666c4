"""URLs that may be posted to, and those that may not."""

from __future__ import annotations

import pytest

from roadstead.outbound.endpoint import MAX_URL, Endpoint, EndpointPolicy, EndpointRefused

POLICY = EndpointPolicy()
ANY_PORT = EndpointPolicy(frozenset())
INTERNAL = EndpointPolicy(frozenset(), internal=True)


@pytest.mark.parametrize(
    ("url", "endpoint", "authority"),
    [
        ("https://receiver.example.com", ("https", "receiver.example.com", 443, "/"), "receiver.example.com"),
        ("https://receiver.example.com/", ("https", "receiver.example.com", 443, "/"), "receiver.example.com"),
        ("https://Receiver.Example.COM/Hook", ("https", "receiver.example.com", 443, "/Hook"), "receiver.example.com"),
        ("https://a.example:8443/x?y=z&q", ("https", "a.example", 8443, "/x?y=z&q"), "a.example:8443"),
        ("https://a.example?y=z", ("https", "a.example", 443, "/?y=z"), "a.example"),
        ("https://a.example/a%20b;c@d", ("https", "a.example", 443, "/a%20b;c@d"), "a.example"),
        ("https://xn--bcher-kva.example/", ("https", "xn--bcher-kva.example", 443, "/"), "xn--bcher-kva.example"),
        ("https://93.184.216.34/", ("https", "93.184.216.34", 443, "/"), "93.184.216.34"),
        ("https://[2606:4700::0:1111]:8443/", ("https", "2606:4700::1111", 8443, "/"), "[2606:4700::1111]:8443"),
    ],
)
def test_a_url_is_taken_apart(url: str, endpoint: tuple[str, str, int, str], authority: str) -> None:
    parsed = Endpoint.parse(url, POLICY)
    assert (parsed.scheme, parsed.host, parsed.port, parsed.target) == endpoint
    assert parsed.authority == authority


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://receiver.example.com/", "https://"),
        ("ftp://receiver.example.com/", "like https://"),
        ("file:///etc/passwd", "like https://"),
        ("gopher://a.example/", "like https://"),
        ("receiver.example.com", "like https://"),
        ("https://", "like https://"),
        ("https:///path", "like https://"),
        ("https://user:password@a.example/", "user or a password"),
        ("https://a.example@b.example/", "user or a password"),
        ("https://a.example\\@b.example/", "user or a password"),
        ("https://a.example\\.b.example/", "like https://"),
        ("https://a.example/#fragment", "fragment"),
        ("https://a.example/a b", "ASCII"),
        ("https://a.example/\r\nX-Evil: 1", "ASCII"),
        ("https://a.example\r\n/", "ASCII"),
        ("https://bücher.example/", "ASCII"),
        ("https://a.example:22/", "port 22 is not allowed"),
        ("https://a.example:6379/", "443, 8443"),
        ("https://a.example:0/", "port 0"),
        ("https://a.example:99999/", "port 99999"),
        ("https://a.example:-1/", "like https://"),
        ("https://a.example:/", "like https://"),
        ("https://127.1/", "neither a host name nor an IPv4 address"),
        ("https://2130706433/", "neither a host name nor an IPv4 address"),
        ("https://0x7f000001/", "neither a host name nor an IPv4 address"),
        ("https://0x7f.0.0.1/", "neither a host name nor an IPv4 address"),
        ("https://0177.0.0.1/", "neither a host name nor an IPv4 address"),
        ("https://a.example.0x1/", "neither a host name nor an IPv4 address"),
        ("https://[::1%25eth0]/", "like https://"),
        ("https://[::1/", "like https://"),
        ("https://[1.2.3.4]/", "not an IPv6 address"),
        ("https://a..example/", "not a host name"),
        ("https://-a.example/", "not a host name"),
        ("https://a.example./", "not a host name"),
        ("https://a_b.example/", "like https://"),
        ("https://169.254.169.254/latest/meta-data/", "not public"),
        ("https://127.0.0.1/", "not public"),
        ("https://10.0.0.1:8443/", "not public"),
        ("https://[::1]/", "not public"),
        ("https://[::ffff:169.254.169.254]/", "not public"),
        ("https://[fd00:ec2::254]/", "not public"),
        (f"https://{'a' * 64}.example/", "not a host name"),
        (f"https://{'a.' * 130}example/", "not a host name"),
        (f"https://a.example/{'a' * MAX_URL}", "up to"),
    ],
)
def test_any_other_url_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(EndpointRefused, match=sentence):
        Endpoint.parse(url, POLICY)


def test_without_a_list_of_ports_any_will_do() -> None:
    assert Endpoint.parse("https://a.example:12345/", ANY_PORT).port == 12345


def test_plain_http_needs_the_setting_for_it() -> None:
    assert Endpoint.parse("http://127.0.0.1/", INTERNAL) == Endpoint("http", "127.0.0.1", 80, "/")
    with pytest.raises(EndpointRefused):
        Endpoint.parse("http://127.0.0.1/", ANY_PORT)
