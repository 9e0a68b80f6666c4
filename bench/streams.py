"""A client that sends and fetches blobs of any size from files, in one request each, as containerd or Docker do.

It is the same against every server, S3 included, so that its own cost is on both sides of a ratio.
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
_TIMEOUT = 600.0  # seconds without a byte: for a machine that hangs
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')

T = TypeVar("T")


class Refused(Exception):
    """A server answered something else than it should."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of headers in lower case; `size` is the body's, of which `body` has the first MiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Registry:
    """A repository of a registry. Each push and each pull asks for one token, as clients do."""

    server: Server
    repository: str

    def push_whole(self, image: Image) -> None:
        """Each blob in one PUT with a length, then asked for by HEAD; the manifest last."""
        self._push(image, _put_whole)

    def push_chunked(self, image: Image) -> None:
        """Each blob in one PATCH, then a closing PUT and a HEAD; the manifest last."""
        self._push(image, _patch)

    def pull(self, image: Image) -> None:
        """The manifest, then each blob, from wherever the registry sends for it; the bytes are dropped."""
        session = self._session("pull")
        request("GET", session.url("manifests/bench"), session.headers, expect=(200,))
        at_once(lambda blob: _fetch(session, blob), image.blobs)

    def _push(self, image: Image, send: Callable[[_Session, Blob], None]) -> None:
        session = self._session("pull,push")
        at_once(lambda blob: send(session, blob), image.blobs)
        named = {**session.headers, "Content-Type": OCI_MANIFEST}
        request("PUT", session.url("manifests/bench"), named, image.manifest, expect=(201,))

    def _session(self, actions: str) -> _Session:
        answer = request("GET", f"{self.server.url}/v2/", {}, expect=(200, 401))
        headers = {"Accept": OCI_MANIFEST}
        if answer.status == 401:
            challenge = dict(_PARAMETER.findall(answer.headers["www-authenticate"]))
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
        """The URL of a new upload."""
        answer = request("POST", self.url("blobs/uploads/"), self.headers, b"", expect=(202,))
        return urljoin(self.base, answer.headers["location"])

    def ask_for(self, blob: Blob) -> None:
        """As Docker does behind each upload. distribution redirects a HEAD, which says that the blob is there, too."""
        request("HEAD", self.url(f"blobs/{blob.digest}"), self.headers, expect=(200, 307))


def _put_whole(session: _Session, blob: Blob) -> None:
    send_file("PUT", closing(session.start(), blob.digest), session.headers, blob.path, expect=201)
    session.ask_for(blob)


def _patch(session: _Session, blob: Blob) -> None:
    answer = send_file("PATCH", session.start(), session.headers, blob.path, expect=202)
    location = urljoin(session.base, answer.headers["location"])
    request("PUT", closing(location, blob.digest), session.headers, b"", expect=(201,))
    session.ask_for(blob)


def _fetch(session: _Session, blob: Blob) -> None:
    answer = request("GET", session.url(f"blobs/{blob.digest}"), session.headers, expect=(200, 307))
    if answer.status == 307:
        answer = request("GET", answer.headers["location"], {}, expect=(200,))
    if answer.size != blob.size:
        raise Refused(f"{blob.digest}: {answer.size} bytes instead of {blob.size}")


def at_once(run: Callable[[Blob], T], blobs: Iterable[Blob]) -> list[T]:
    """`run` for every blob, a few at a time. Raises what one of them raises."""
    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(run, blobs))


def send_file(method: str, url: str, headers: Mapping[str, str], path: Path, *, expect: int) -> Answer:
    """The file as the request's body, with its length. Raises Refused."""
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
) -> Answer:
    """One request on a connection of its own; a large body of the answer is read and forgotten. Raises Refused."""
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
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, first, size)
