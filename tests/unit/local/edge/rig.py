"""The edge between a client and its origins: a scripted API and relay, and a fresh embedded S3."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.names import REGISTRY, TOKEN
from local.edge.components import EdgeSettings, components
from local.gateway.http_api import HttpServer
from local.ports import listen
from local.processes.supervisor import Component
from tests.embedded import ACCESS_KEY, REGION, SECRET_KEY
from tests.supervised import running
from tests.unit.edge.cases import store

SECRET = "the origin's secret"
BUCKET = "blobs"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that an origin received."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    size: int
    sha256: str


@dataclass(slots=True)
class ScriptedOrigin:
    """Responds by `script`, after reading the body unless `early`."""

    script: Callable[[Seen], tuple[int, dict[str, str], bytes]]
    early: bool = False
    seen: list[Seen] = field(default_factory=list)
    broken_off: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        size, digest = 0, hashlib.sha256()
        while not self.early:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.broken_off += 1
                return
            size += len(message.get("body", b""))
            digest.update(message.get("body", b""))
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        path, query = scope["raw_path"].decode(), scope["query_string"].decode()
        request = Seen(scope["method"], path, query, headers, size, digest.hexdigest())
        self.seen.append(request)
        status, answer, body = self.script(request)
        lines = [
            (name.encode(), value.encode()) for name, value in {"content-length": str(len(body)), **answer}.items()
        ]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of the one OCI error in the body."""
        (error,) = json.loads(self.body)["errors"]
        return str(error["code"])


@dataclass(slots=True)
class Rig:
    port: int
    api: ScriptedOrigin
    relay: ScriptedOrigin
    reader: ScriptedOrigin  # both functions' URLs

    def forget(self) -> None:
        """Reset the origins."""
        for origin, script in ((self.api, _ok), (self.relay, _accepted), (self.reader, _read)):
            origin.seen.clear()
            origin.script, origin.early, origin.broken_off = script, False, 0

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answered:
        """Send one request; an iterator as body is sent chunked."""
        connection = self.connect()
        try:
            chunked = body is not None and not isinstance(body, bytes) and "Content-Length" not in (headers or {})
            connection.request(method, target, body, dict(headers or {}), encode_chunked=chunked)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answered(answer.status, named, answer.read())
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """Send exactly these bytes; return what comes back until the edge closes or has sent a response's head."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
            connection.sendall(data)
            received = b""
            while b"\r\n\r\n" not in received and (piece := connection.recv(65536)):
                received += piece
            return received


def _ok(seen: Seen) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "text/plain"}, b"api"


def _read(seen: Seen) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "text/plain"}, b"reader"


def _accepted(seen: Seen) -> tuple[int, dict[str, str], bytes]:
    return 202, {"location": "/next"}, b""


@contextlib.contextmanager
def rig(
    bucket_url: str,
    *,
    relay: bool = True,
    error_caching: float = 0.0,
    api_url: str | None = None,
    readers: bool = True,
) -> Iterator[Rig]:
    """Run an edge; `api_url` replaces the scripted API. Without `readers` reads go to the API."""
    api = ScriptedOrigin(_ok)
    streaming = ScriptedOrigin(_accepted)
    reader = ScriptedOrigin(_read)
    api_listener, relay_listener, reader_listener, listener = (listen("127.0.0.1", 0) for _ in range(4))
    settings = EdgeSettings(
        api=api_url or _url(api_listener),
        bucket=bucket_url,
        relay=_url(relay_listener) if relay else None,
        readers=dict.fromkeys((REGISTRY, TOKEN), _url(reader_listener)) if readers else {},
        secret=SECRET,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        region=REGION,
        error_caching=error_caching,
    )
    parts: list[Component] = [
        HttpServer("the API", api, api_listener),
        HttpServer("the relay", streaming, relay_listener),
        HttpServer("the functions' URLs", reader, reader_listener),
        *components(settings, lambda: store()["upload-keys"], listener),
    ]
    with running(parts):
        yield Rig(listener.getsockname()[1], api, streaming, reader)


def _url(listener: socket.socket) -> str:
    return "http://{}:{}".format(*listener.getsockname()[:2])
