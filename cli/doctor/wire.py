"""HTTP as the doctor needs it: nothing is followed, decoded or retried, and nothing of an answer is lost."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

TIMEOUT = 60.0  # seconds that any one step of an exchange may take
_TRAILING = 1.0  # seconds to wait for bytes that should not come
_PIECE = 64 * 1024


class NoAnswer(Exception):
    """The server was not reached, or broke off; the message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came. `trailing` are bytes that followed the head of an answer to HEAD, where none belong."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str
    trailing: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value; names are compared without case."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def location(self) -> str | None:
        """Where `Location` leads, made absolute."""
        value = self.header("location")
        return urljoin(self.url, value) if value is not None else None

    @property
    def code(self) -> str:
        """The code of an OCI error, empty when the body is none."""
        return str(self._error().get("code", ""))

    @property
    def message(self) -> str:
        """What an OCI error says, or the beginning of whatever came instead."""
        text = self._error().get("message")
        return str(text) if text else " ".join(self.body[:200].decode("utf-8", "replace").split())

    def json(self) -> Any:
        """The body; None when it is no JSON."""
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
        """For a report: the status, and what was said about it."""
        said = f" {self.code}: {self.message}" if self.code else (f": {self.message}" if self.body else "")
        return f"{self.status}{said}"


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url} is no http:// or https:// URL")
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def send(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    chunked: bool = False,
    timeout: float = TIMEOUT,
) -> Reply:
    """One request on a connection of its own. A body goes with its length, or `chunked` without one.

    Raises NoAnswer.
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
        with _answered_anyway():
            data = _pieces(body or b"") if chunked else body
            connection.request(method, target, data, named, encode_chunked=chunked)
        answer = connection.getresponse()
        trailing = _trailing(answer) if method == "HEAD" else b""
        return Reply(answer.status, tuple(answer.getheaders()), answer.read(), url, trailing)
    except ssl.SSLCertVerificationError as error:
        raise NoAnswer(f"{host} has no certificate that this machine trusts: {error.verify_message}") from error
    except TimeoutError as error:
        raise NoAnswer(f"{host}:{port} did not answer {method} {parts.path} within {timeout:.0f} s") from error
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{method} {parts.path} at {host}:{port} failed: {_reason(error)}") from error
    finally:
        connection.close()


def elapsed(since: float) -> float:
    return time.monotonic() - since


@contextlib.contextmanager
def _answered_anyway() -> Iterator[None]:
    """A server that refuses a body may answer and close before all of it was sent: its answer is what counts."""
    try:
        yield
    except (BrokenPipeError, ConnectionResetError):
        return


def _connection(scheme: str, host: str, port: int, timeout: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


def _trailing(answer: http.client.HTTPResponse) -> bytes:
    """What comes behind the head of an answer to HEAD until the connection ends, or nothing does for a moment."""
    raw: Any = getattr(answer.fp, "raw", None)
    socket = getattr(raw, "_sock", None)
    if socket is not None:
        socket.settimeout(_TRAILING)
    try:
        return answer.fp.read(1)
    except (OSError, ValueError):
        return b""


def _reason(error: BaseException) -> str:
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
