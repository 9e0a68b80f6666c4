"""HTTP for the doctor: it follows, decodes and retries nothing, and keeps everything of a response."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

TIMEOUT = 60.0  # seconds for any one step of an exchange
_TRAILING = 1.0  # seconds to wait for bytes that must not arrive
_PIECE = 64 * 1024


class NoResponse(Exception):
    """There was no complete response. The message is a sentence for a person."""


class NotAnOrigin(NoResponse, ValueError):
    """A URL is not an http:// or https:// URL with a host, so nothing can be sent there."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response as received. `trailing` are bytes that wrongly followed the response to a HEAD."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str
    trailing: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header; `name` in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def location(self) -> str | None:
        """The absolute URL of the `Location` header."""
        value = self.header("location")
        return urljoin(self.url, value) if value is not None else None

    @property
    def code(self) -> str:
        """The code of an OCI error; empty if the body is not one."""
        return str(self._error().get("code", ""))

    @property
    def message(self) -> str:
        """The message of an OCI error, or the beginning of any other body."""
        text = self._error().get("message")
        return str(text) if text else " ".join(self.body[:200].decode("utf-8", "replace").split())

    def json(self) -> Any:
        """Return the parsed body, or None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def _error(self) -> Mapping[str, Any]:
        document = self.json()
        errors = document.get("errors") if isinstance(document, dict) else None
        first = errors[0] if isinstance(errors, list) and errors else {}
        return first if isinstance(first, dict) else {}

    def __str__(self) -> str:
        """Return the status, and the error code and message if there are any."""
        said = f" {self.code}: {self.message}" if self.code else (f": {self.message}" if self.body else "")
        return f"{self.status}{said}"


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port. Raises NotAnOrigin."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAnOrigin(f"{url} is not a valid URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotAnOrigin(f"{url} is not an http:// or https:// URL")
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its address, or by a name that RFC 6761 reserves for it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def send(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterable[bytes] | None = None,
    *,
    chunked: bool = False,
    timeout: float = TIMEOUT,
) -> Reply:
    """Send one request on its own connection. A body is sent with its length, or `chunked`, perhaps piece by piece.

    Raises NoResponse.
    """
    scheme, host, port = origin(url)
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = {"User-Agent": "roadstead-doctor", "Connection": "close", **(headers or {})}
    if chunked:
        named["Transfer-Encoding"] = "chunked"
    connection = _connection(scheme, host, port, timeout)
    try:
        connection.connect()
        with _response_may_come_first():
            data = _pieces(body) if chunked and (body is None or isinstance(body, bytes)) else body
            connection.request(method, target, data, named, encode_chunked=chunked)
        response = connection.getresponse()
        trailing = _trailing(response) if method == "HEAD" else b""
        return Reply(response.status, tuple(response.getheaders()), response.read(), url, trailing)
    except ssl.SSLCertVerificationError as error:
        raise NoResponse(f"the certificate of {host} is not trusted: {error.verify_message}") from error
    except TimeoutError as error:
        raise NoResponse(f"{host}:{port} did not respond to {method} {parts.path} within {timeout:.0f} s") from error
    except (OSError, http.client.HTTPException) as error:
        raise NoResponse(f"{method} {parts.path} at {host}:{port} failed: {_reason(error)}") from error
    finally:
        connection.close()


def elapsed(since: float) -> float:
    return time.monotonic() - since


@contextlib.contextmanager
def _response_may_come_first() -> Iterator[None]:
    """A server that refuses a body may respond and close before it was sent: the response counts."""
    try:
        yield
    except (BrokenPipeError, ConnectionResetError):
        return


def _connection(scheme: str, host: str, port: int, timeout: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _pieces(body: bytes | None) -> Iterator[bytes]:
    body = body or b""
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


def _trailing(response: http.client.HTTPResponse) -> bytes:
    """Return the first byte that follows the response to a HEAD, if one arrives soon."""
    raw: Any = getattr(response.fp, "raw", None)
    socket = getattr(raw, "_sock", None)
    if socket is not None:
        socket.settimeout(_TRAILING)
    try:
        return response.fp.read(1)
    except (OSError, ValueError):
        return b""


def _reason(error: BaseException) -> str:
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed without a response"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
