"""Requests to an endpoint: each on one connection to a checked address, with a deadline and bounded size.

The host is resolved once, all its addresses are checked, and the connection goes to one of them, so a name that
resolves differently a moment later has no effect. TLS is verified for the URL's host. Redirects are not followed and
the environment's proxies are not used. The deadline covers the whole exchange, however slowly the peer reads or writes.
A response is read up to a bounded number of bytes; whoever posts uses its status and Retry-After alone.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from roadstead.outbound.addresses import refusal
from roadstead.outbound.endpoint import Endpoint, EndpointPolicy, EndpointRefused

MAX_HEAD = 32 * 1024  # bytes of a response before its body, interim responses included
MAX_BODY = 16 * 1024  # bytes of its body that are read, so the peer does not see a reset
MAX_REPLY = 256 * 1024  # bytes of a body that is used
MAX_ADDRESSES = 3  # how many are tried
LINGER = 1.0  # seconds for reading the body once the status is known
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[ -~]*")  # printable ASCII: no line break, so no header within a value

T = TypeVar("T")

Resolve = Callable[[str, int], Sequence[str]]
Clock = Callable[[], float]


class Unreachable(Exception):
    """The endpoint did not respond this time. The message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. `retry_after` is the header's unparsed value, or ""."""

    status: int
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response with its whole body."""

    status: int
    body: bytes


def resolve(host: str, port: int) -> Sequence[str]:
    """Return every address of a host from the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class HttpsPoster:
    """Posts by HTTPS. `connect` and `total` are seconds: for one connection attempt, and for the whole exchange."""

    def __init__(
        self,
        policy: EndpointPolicy,
        *,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        connect: float = 3.0,
        total: float = 10.0,
    ) -> None:
        self._policy = policy
        self._resolve = resolve
        self._tls = tls
        self._connect = connect
        self._total = total

    def parse(self, url: str) -> Endpoint:
        """Parse a URL by this poster's policy. Raises EndpointRefused."""
        return Endpoint.parse(url, self._policy)

    def check(self, endpoint: Endpoint) -> None:
        """Resolve the host. Raises EndpointRefused if an address is not public, Unreachable if there is none."""
        self._addresses(endpoint, time.monotonic() + self._total)

    def post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post `body` and return the response. Raises EndpointRefused, Unreachable, and ValueError for bad headers."""
        head = _head(endpoint, headers, len(body))
        return self._exchange(endpoint, head + body, _answer)

    def fetch(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes | None = None, *, most: int = MAX_REPLY
    ) -> Reply:
        """GET, or POST `body` if there is one, and return the response with a body of up to `most` bytes.

        Raises EndpointRefused, Unreachable, also for a longer body, and ValueError for bad headers.
        """
        method = "GET" if body is None else "POST"
        head = _head(endpoint, headers, len(body or b""), method)
        return self._exchange(
            endpoint, head + (body or b""), lambda connection, deadline: _reply(connection, deadline, method, most)
        )

    def _exchange(self, endpoint: Endpoint, request: bytes, read: Callable[[socket.socket, float], T]) -> T:
        deadline = time.monotonic() + self._total
        addresses = self._addresses(endpoint, deadline)
        try:
            with self._connected(endpoint, addresses, deadline) as connection:
                _send(connection, request, deadline)
                return read(connection, deadline)
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(f"the certificate of {endpoint.host} is not valid: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise Unreachable(f"TLS with {endpoint.host} failed: {error.reason or 'protocol error'}") from error
        except TimeoutError as error:
            raise Unreachable(f"{endpoint.host} did not respond within {self._total:g} seconds") from error
        except OSError as error:
            raise Unreachable(f"no connection to {endpoint.host}: {error.strerror or 'closed by the host'}") from error
        except http.client.HTTPException as error:
            raise Unreachable(f"the response of {endpoint.host} is not HTTP") from error

    def _addresses(self, endpoint: Endpoint, deadline: float) -> tuple[str, ...]:
        """Return the addresses to try. One bad address refuses the host: no honest name mixes private and public."""
        found = _within(deadline, lambda: self._resolve(endpoint.host, endpoint.port), endpoint.host)
        if not found:
            raise Unreachable(f"there is no address for {endpoint.host}")
        for address in found:
            try:
                kind = refusal(address)
            except ValueError as error:
                raise Unreachable(f"there is no address for {endpoint.host}") from error
            if kind is not None and not self._policy.internal:
                raise EndpointRefused(f"{endpoint.host} has an address that is not public ({kind})")
        return tuple(found[:MAX_ADDRESSES])

    def _connected(self, endpoint: Endpoint, addresses: Sequence[str], deadline: float) -> socket.socket:
        failure: OSError | None = None
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(min(self._connect, _left(deadline)))
                connection.connect((address, endpoint.port))
            except OSError as error:
                connection.close()
                failure = error
                continue
            if endpoint.scheme == "http":
                return connection
            try:
                connection.settimeout(_left(deadline))  # the whole handshake has this long
                return self._context().wrap_socket(connection, server_hostname=endpoint.host)
            except BaseException:
                connection.close()
                raise
        raise failure or OSError("no address")

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:  # loading the certificate authorities is slow, so only when needed
            self._tls = ssl.create_default_context()
        return self._tls


class _Wire(io.RawIOBase):
    """The raw stream through which http.client reads a response."""

    def __init__(self, connection: socket.socket, deadline: float, budget: int) -> None:
        self._connection = connection
        self.deadline = deadline
        self.budget = budget

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self, 2_048)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.budget <= 0:
            raise http.client.HTTPException("the response is too large")
        self._connection.settimeout(_left(self.deadline))
        count = self._connection.recv_into(memoryview(buffer)[: self.budget])
        self.budget -= count
        return count


def _answer(connection: socket.socket, deadline: float) -> Answer:
    wire = _Wire(connection, deadline, MAX_HEAD)
    response = http.client.HTTPResponse(wire, method="POST")  # type: ignore[arg-type]
    response.begin()
    if response.status < 200:
        raise http.client.HTTPException("only an interim response")
    wire.budget, wire.deadline = MAX_BODY, min(deadline, time.monotonic() + LINGER)
    # The status counts, even if reading the body fails.
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        response.read(MAX_BODY)
    return Answer(response.status, response.headers.get("Retry-After", "") or "")


def _reply(connection: socket.socket, deadline: float, method: str, most: int) -> Reply:
    wire = _Wire(connection, deadline, MAX_HEAD + most)
    response = http.client.HTTPResponse(wire, method=method)  # type: ignore[arg-type]
    response.begin()
    if response.status < 200:
        raise http.client.HTTPException("only an interim response")
    body = response.read(most + 1)
    if len(body) > most:
        raise http.client.HTTPException("the response is too large")
    return Reply(response.status, body)


def _head(endpoint: Endpoint, headers: Mapping[str, str], length: int, method: str = "POST") -> bytes:
    own = {"Host": endpoint.authority, "Content-Length": str(length), "Connection": "close"}
    for name, value in headers.items():
        if _TOKEN.fullmatch(name) is None or _VALUE.fullmatch(value) is None or name.title() in own:
            raise ValueError(f"{name!r} is not a valid header, or its value contains invalid characters")
    lines = [
        f"{method} {endpoint.target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in {**own, **headers}.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _send(connection: socket.socket, data: bytes, deadline: float) -> None:
    view = memoryview(data)
    while view:
        connection.settimeout(_left(deadline))
        view = view[connection.send(view) :]


def _left(deadline: float) -> float:
    """Return the seconds until the deadline. Raises TimeoutError if it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


def _within(deadline: float, call: Callable[[], Sequence[str]], host: str) -> Sequence[str]:
    """Return the resolver's result. getaddrinfo has no timeout, so it runs in a thread. Raises Unreachable."""
    answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(call())
        except (OSError, UnicodeError) as error:
            answers.put(OSError(str(error)))

    threading.Thread(target=run, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=_left(deadline))
    except (queue.Empty, TimeoutError) as error:
        raise Unreachable(f"the address of {host} could not be found in time") from error
    if isinstance(answer, OSError):
        raise Unreachable(f"there is no address for {host}") from answer
    return answer
