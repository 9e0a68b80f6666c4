"""A client that sends and fetches blobs of any size, in one request each, as containerd and Docker do.

It is the same for every server, S3 included, so its own cost is on both sides of a ratio.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from bench.content import MIB, OCI_MANIFEST, Blob, Image
from bench.operations import closing
from bench.servers import Server

PARALLEL = 4  # blobs at once
_TIMEOUT = 600.0  # seconds without a byte: for a machine that hangs, not a slow one
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')

T = TypeVar("T")


class Refused(Exception):
    """A server's response is not the expected one."""


@dataclass(frozen=True, slots=True)
class Response:
    """Header names are in lower case; `size` is that of the whole body, `body` its first MiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Registry:
    """A repository of a registry. Each push and each pull gets one token, as clients do."""

    server: Server
    repository: str

    def push_whole(self, image: Image) -> None:
        """Push each blob with one PUT with a length, then a HEAD; the manifest last."""
        self._push(image, _put_whole)

    def push_chunked(self, image: Image) -> None:
        """Push each blob with one PATCH, a closing PUT and a HEAD; the manifest last."""
        self._push(image, _patch)

    def pull(self, image: Image) -> None:
        """Pull the manifest, then each blob, following redirects; drop the bytes."""
        session = self._session("pull")
        request("GET", session.url("manifests/bench"), session.headers, expect=(200,))
        at_once(lambda blob: _fetch(session, blob), image.blobs)

    def _push(self, image: Image, send: Callable[[_Session, Blob], None]) -> None:
        session = self._session("pull,push")
        at_once(lambda blob: send(session, blob), image.blobs)
        named = {**session.headers, "Content-Type": OCI_MANIFEST}
        request("PUT", session.url("manifests/bench"), named, image.manifest, expect=(201,))

    def _session(self, actions: str) -> _Session:
        response = request("GET", f"{self.server.url}/v2/", {}, expect=(200, 401))
        headers = {"Accept": OCI_MANIFEST}
        if response.status == 401:
            challenge = dict(_PARAMETER.findall(response.headers["www-authenticate"]))
            scope = f"repository:{self.repository}:{actions}"
            query = urlencode({"service": challenge["service"], "scope": scope})
            secret = base64.b64encode(f"{self.server.user}:{self.server.password}".encode()).decode()
            basic = {"Authorization": f"Basic {secret}"}
            given = request("GET", f"{challenge['realm']}?{query}", basic, expect=(200,))
            headers["Authorization"] = f"Bearer {json.loads(given.body)['token']}"
        return _Session(self.server.url, self.repository, headers)


@dataclass(frozen=True, slots=True)
class _Session:
    base: str
    repository: str
    headers: Mapping[str, str]

    def url(self, path: str) -> str:
        return f"{self.base}/v2/{self.repository}/{path}"

    def start(self) -> str:
        """Start an upload; return its URL."""
        response = request("POST", self.url("blobs/uploads/"), self.headers, b"", expect=(202,))
        return urljoin(self.base, response.headers["location"])

    def ask_for(self, blob: Blob) -> None:
        """Send a HEAD, as Docker does after each upload. distribution redirects a HEAD: the blob exists, too."""
        request("HEAD", self.url(f"blobs/{blob.digest}"), self.headers, expect=(200, 307))


def _put_whole(session: _Session, blob: Blob) -> None:
    send_file("PUT", closing(session.start(), blob.digest), session.headers, blob.path, expect=201)
    session.ask_for(blob)


def _patch(session: _Session, blob: Blob) -> None:
    response = send_file("PATCH", session.start(), session.headers, blob.path, expect=202)
    location = urljoin(session.base, response.headers["location"])
    request("PUT", closing(location, blob.digest), session.headers, b"", expect=(201,))
    session.ask_for(blob)


def _fetch(session: _Session, blob: Blob) -> None:
    response = request("GET", session.url(f"blobs/{blob.digest}"), session.headers, expect=(200, 307))
    if response.status == 307:
        response = request("GET", response.headers["location"], {}, expect=(200,))
    if response.size != blob.size:
        raise Refused(f"{blob.digest}: {response.size} bytes instead of {blob.size}")


def at_once(run: Callable[[Blob], T], blobs: Iterable[Blob]) -> list[T]:
    """Call `run` for every blob, a few at a time. Raises what one of the calls raises."""
    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(run, blobs))


def send_file(method: str, url: str, headers: Mapping[str, str], path: Path, *, expect: int) -> Response:
    """Send a file as the body, with its length. Raises Refused."""
    named = {**headers, "Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
    with path.open("rb") as file:
        return request(method, url, named, file, expect=(expect,))


def request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | IO[bytes] | None = None,
    *,
    expect: tuple[int, ...],
) -> Response:
    """Send one request on its own connection; read a large response and drop it. Raises Refused."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_TIMEOUT, blocksize=MIB)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, dict(headers))
        response = connection.getresponse()
        first = response.read(MIB)
        size, buffer = len(first), bytearray(MIB)
        while taken := response.readinto(buffer):
            size += taken
    finally:
        connection.close()
    if response.status not in expect:
        raise Refused(f"{method} {parts.path}: {response.status} instead of {expect}: {first[:500]!r}")
    return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, first, size)
