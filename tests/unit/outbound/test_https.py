"""Posting to receivers that behave, and to those that do not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from roadstead.outbound import https
from roadstead.outbound.endpoint import EndpointPolicy, EndpointRefused
from roadstead.outbound.https import Answer, HttpsPoster, Unreachable
from tests.unit.outbound.receivers import HOST, OK, Authority, Behaviour, Receiver, answering, receiver

LOOPBACK = EndpointPolicy(frozenset(), internal=True)
PUBLIC = EndpointPolicy(frozenset())
TOTAL = 0.5
PATIENCE = 60.0  # seconds until a busy machine notices


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def poster(
    authority: Authority, *addresses: str, policy: EndpointPolicy = LOOPBACK, total: float = 120.0
) -> HttpsPoster:
    found = addresses or ("127.0.0.1",)
    return HttpsPoster(policy, resolve=lambda host, port: found, tls=authority.trusting(), connect=60.0, total=total)


def post(sender: HttpsPoster, server: Receiver, host: str = HOST, body: bytes = b"{}", **headers: str) -> Answer:
    endpoint = sender.parse(f"https://{host}:{server.port}/hook?a=b")
    return sender.post(endpoint, {"Content-Type": "application/json", **headers}, body)


def dripping(data: bytes, pause: float) -> Behaviour:
    """Sends a byte, waits, sends the next, until the client is gone."""

    def behave(connection: socket.socket, request: bytes) -> None:
        for byte in data:
            time.sleep(pause)
            connection.sendall(bytes([byte]))

    return behave


def silent(connection: socket.socket, request: bytes) -> None:
    """Waits until the client is gone."""
    while connection.recv(65_536):
        pass


def test_a_request_is_posted_whole_and_the_answer_told(authority: Authority) -> None:
    body = b'{"a":1}' * 20_000
    with receiver(answering(OK), authority.serving(HOST)) as server:
        assert post(poster(authority), server, body=body, Authorization="Bearer x") == Answer(200)
    assert server.bodies == [body]
    assert server.requests[0].startswith(f"POST /hook?a=b HTTP/1.1\r\nHost: {HOST}:{server.port}\r\n".encode())
    assert server.headers() == {
        "host": f"{HOST}:{server.port}",
        "content-length": str(len(body)),
        "connection": "close",
        "content-type": "application/json",
        "authorization": "Bearer x",
    }


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", Answer(204)),
        (b"HTTP/1.0 202 Accepted\r\n\r\nsome text", Answer(202)),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", Answer(201)),
        (b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", Answer(503, "120")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", Answer(200)),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", Answer(200)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", Answer(200)),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Answer(404)),
    ],
)
def test_the_status_is_told_whatever_the_body_is(authority: Authority, answer: bytes, told: Answer) -> None:
    with receiver(answering(answer), authority.serving(HOST)) as server:
        assert post(poster(authority), server) == told


def test_a_redirect_to_the_metadata_service_is_an_answer_like_any_other(authority: Authority) -> None:
    redirect = (
        b"HTTP/1.1 307 Temporary\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n\r\n"
    )
    with receiver(answering(redirect), authority.serving(HOST)) as server:
        assert post(poster(authority), server) == Answer(307)
    assert server.connections == 1


def test_a_proxy_of_the_environment_is_not_used(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with receiver(answering(OK), authority.serving(HOST)) as server:
        assert post(poster(authority), server) == Answer(200)


# Certificates


def test_a_certificate_of_another_name_is_refused(authority: Authority) -> None:
    with (
        receiver(answering(OK), authority.serving("other.test")) as server,
        pytest.raises(Unreachable, match=f"certificate of {HOST} is not valid"),
    ):
        post(poster(authority), server)
    assert server.requests == []


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    with (
        receiver(answering(OK), authority.serving(HOST, expired=True)) as server,
        pytest.raises(Unreachable, match="expired"),
    ):
        post(poster(authority), server)
    assert server.requests == []


def test_the_authorities_of_the_system_are_those_that_are_trusted_by_default(authority: Authority) -> None:
    sender = HttpsPoster(LOOPBACK, resolve=lambda host, port: ["127.0.0.1"])
    with (
        receiver(answering(OK), authority.serving(HOST)) as server,
        pytest.raises(Unreachable, match="certificate"),
    ):
        post(sender, server)


def test_a_certificate_for_an_address_is_checked_too(authority: Authority) -> None:
    with receiver(answering(OK), authority.serving("127.0.0.1")) as server:
        assert post(poster(authority), server, host="127.0.0.1") == Answer(200)


def test_a_server_that_speaks_no_tls_is_told_nothing(authority: Authority) -> None:
    heard = b""

    def behave(connection: socket.socket, request: bytes) -> None:
        nonlocal heard
        connection.sendall(OK)
        while piece := connection.recv(65_536):
            heard += piece

    with (
        receiver(behave, None, reads=False) as server,
        pytest.raises(Unreachable, match=f"TLS with {HOST} failed"),
    ):
        post(poster(authority), server, Authorization="Bearer secret")
    assert heard[:1] == b"\x16"  # a TLS handshake
    assert b"secret" not in heard


# Addresses


class RecordingSocket(socket.socket):
    """Connects nowhere, and remembers where it should have."""

    wanted: list[Any] = []  # noqa: RUF012 - each test empties it

    def connect(self, address: Any) -> None:
        self.wanted.append(address)
        raise ConnectionRefusedError(111, "Connection refused")


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("resolved behind the check's back")

    RecordingSocket.wanted = []
    monkeypatch.setattr(socket, "socket", RecordingSocket)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    return RecordingSocket.wanted


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "127.0.0.1", "10.1.2.3", "100.64.0.1", "::1", "fd00:ec2::254", "::ffff:8.8.8.8", "64:ff9b::1"],
)
def test_a_host_with_an_address_that_is_not_public_is_never_connected_to(
    authority: Authority, wanted: list[Any], address: str
) -> None:
    for addresses in ((address,), ("93.184.216.34", address), (address, "93.184.216.34")):
        sender = poster(authority, *addresses, policy=PUBLIC)
        with pytest.raises(EndpointRefused, match="not public") as refused:
            sender.post(sender.parse("https://rebind.example/"), {}, b"{}")
        assert address not in str(refused.value)
        with pytest.raises(EndpointRefused):
            sender.check(sender.parse("https://rebind.example/"))
    assert wanted == []


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "127.0.0.1", "[::1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"]
)
def test_an_address_in_the_url_is_checked_as_any_other(authority: Authority, wanted: list[Any], host: str) -> None:
    sender = HttpsPoster(PUBLIC, resolve=lambda host, port: [host])
    with pytest.raises(EndpointRefused, match="not public"):
        sender.post(sender.parse(f"https://{host}/"), {}, b"{}")
    assert wanted == []


class Rebinding:
    """A name that has another address each time."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0)


def test_the_connection_goes_to_the_very_address_that_was_checked(wanted: list[Any]) -> None:
    names = Rebinding(["93.184.216.34"], ["127.0.0.1"])
    sender = HttpsPoster(PUBLIC, resolve=names)
    with pytest.raises(Unreachable, match="Connection refused"):
        sender.post(sender.parse("https://rebind.example/"), {}, b"{}")
    assert (names.asked, wanted) == (1, [("93.184.216.34", 443)])


def test_a_name_that_moves_to_a_private_address_after_the_check_is_refused(wanted: list[Any]) -> None:
    sender = HttpsPoster(PUBLIC, resolve=Rebinding(["93.184.216.34"], ["169.254.169.254"]))
    endpoint = sender.parse("https://rebind.example/")
    sender.check(endpoint)
    with pytest.raises(EndpointRefused, match="not public"):
        sender.post(endpoint, {}, b"{}")
    assert wanted == []


def test_every_address_is_tried_in_turn_up_to_a_bound(wanted: list[Any]) -> None:
    addresses = ["2606:4700::1111", "93.184.216.34", "93.184.216.35", "93.184.216.36"]
    sender = HttpsPoster(PUBLIC, resolve=lambda host, port: addresses)
    with pytest.raises(Unreachable):
        sender.post(sender.parse("https://many.example/"), {}, b"{}")
    assert [address[0] for address in wanted] == addresses[:3]


def test_an_address_that_is_down_gives_way_to_the_next(authority: Authority) -> None:
    with receiver(answering(OK), authority.serving(HOST)) as server:
        assert post(poster(authority, "127.9.9.9", "127.0.0.1"), server) == Answer(200)


def test_the_systems_resolver_answers_each_address_once() -> None:
    assert https.resolve("127.0.0.1", 443) == ["127.0.0.1"]
    assert https.resolve("::1", 443) == ["::1"]


@pytest.mark.parametrize("answer", [[], ["not an address"]])
def test_a_name_without_an_address_is_unreachable(answer: list[str]) -> None:
    sender = HttpsPoster(PUBLIC, resolve=lambda host, port: answer)
    with pytest.raises(Unreachable, match=r"no address for gone\.example"):
        sender.check(sender.parse("https://gone.example/"))


def test_a_resolver_that_fails_is_told_of() -> None:
    def fail(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    sender = HttpsPoster(PUBLIC, resolve=fail)
    with pytest.raises(Unreachable, match=r"no address for gone\.example"):
        sender.post(sender.parse("https://gone.example/"), {}, b"{}")


def test_a_resolver_that_hangs_takes_no_longer_than_the_whole_may() -> None:
    release, over = threading.Event(), []

    def hang(host: str, port: int) -> Sequence[str]:
        release.wait(PATIENCE)
        over.append(host)
        return []

    sender = HttpsPoster(PUBLIC, resolve=hang, total=0.2)
    try:
        with pytest.raises(Unreachable, match="in time"):
            sender.post(sender.parse("https://slow.example/"), {}, b"{}")
        assert not over
    finally:
        release.set()


# Time and size


def test_a_receiver_that_is_down_is_unreachable(authority: Authority) -> None:
    sender = poster(authority)
    with pytest.raises(Unreachable, match="Connection refused"):
        sender.post(sender.parse(f"https://{HOST}:1/hook"), {}, b"{}")


def timed(authority: Authority, server: Receiver, body: bytes = b"{}") -> float:
    begin = time.monotonic()
    with pytest.raises(Unreachable, match="did not respond within"):
        post(poster(authority, total=TOTAL), server, body=body)
    return time.monotonic() - begin


def test_a_receiver_that_says_nothing_is_left_at_the_deadline(authority: Authority) -> None:
    with receiver(silent, authority.serving(HOST)) as server:
        assert TOTAL <= timed(authority, server) < TOTAL + PATIENCE


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000, b"HTTP/1.1 " + b"100 Continue\r\n\r\nHTTP/1.1 " * 99]
)
def test_an_answer_that_drips_is_left_at_the_deadline(authority: Authority, head: bytes) -> None:
    with receiver(dripping(head, 0.03), authority.serving(HOST)) as server:
        assert TOTAL <= timed(authority, server) < TOTAL + PATIENCE


def test_a_handshake_that_never_comes_is_left_at_the_deadline(authority: Authority) -> None:
    with receiver(silent, None, reads=False) as server:
        begin = time.monotonic()
        with pytest.raises(Unreachable):
            post(poster(authority, total=TOTAL), server)
        assert TOTAL <= time.monotonic() - begin < TOTAL + PATIENCE


def test_a_receiver_that_does_not_read_is_left_at_the_deadline(authority: Authority) -> None:
    over = threading.Event()
    with receiver(lambda *_: over.wait(120), authority.serving(HOST), reads=False) as server:
        assert TOTAL <= timed(authority, server, body=b"x" * 30_000_000) < TOTAL + PATIENCE
        over.set()


def test_a_body_without_end_is_not_read_to_its_end(authority: Authority) -> None:
    sent = 0

    def pour(connection: socket.socket, request: bytes) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 200_000_000:
            connection.sendall(b"x" * 65_536)
            sent += 65_536

    with receiver(pour, authority.serving(HOST)) as server:
        assert post(poster(authority), server) == Answer(200)
    assert sent < 50_000_000  # what the buffers of the system took


def test_a_body_that_drips_does_not_keep_the_answer_back(authority: Authority) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(head)
        dripping(b"z" * 1000, 0.1)(connection, request)  # 100 s

    with receiver(behave, authority.serving(HOST)) as server:
        begin = time.monotonic()
        assert post(poster(authority), server) == Answer(200)
        assert time.monotonic() - begin < https.LINGER + PATIENCE


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX-Huge: " + b"x" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Many: x\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000 + OK,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK,
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc nonsense\r\n\r\n",
        b"HTTP/1.1 99 Low\r\n\r\n",
        b"\x00" * 70_000,
    ],
)
def test_an_answer_that_is_none_or_too_large_is_no_answer(authority: Authority, answer: bytes) -> None:
    with receiver(answering(answer), authority.serving(HOST)) as server, pytest.raises(Unreachable, match="not HTTP"):
        post(poster(authority), server)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1"])
def test_a_connection_that_ends_too_soon_is_no_answer(authority: Authority, answer: bytes) -> None:
    with (
        receiver(answering(answer), authority.serving(HOST)) as server,
        pytest.raises(Unreachable, match=r"no connection|not HTTP"),
    ):
        post(poster(authority), server)


# Headers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nX-B: b"),
        ("X-A", "a\nb"),
        ("X A", "a"),
        ("X-A\r\n", "a"),
        ("X-A", "ü"),
        ("host", "evil"),
        ("", "a"),
    ],
)
def test_a_header_within_a_header_is_not_sent(authority: Authority, name: str, value: str) -> None:
    sender = poster(authority)
    with receiver(answering(OK), authority.serving(HOST)) as server:
        with pytest.raises(ValueError, match="not a valid header"):
            sender.post(sender.parse(f"https://{HOST}:{server.port}/"), {name: value}, b"{}")
        assert server.connections == 0


def test_plain_http_is_posted_where_the_policy_lets_it(authority: Authority) -> None:
    sender = poster(authority)
    with receiver(answering(OK), None) as server:
        assert sender.post(sender.parse(f"http://localhost:{server.port}/"), {}, b"{}") == Answer(200)
