"""A relay on a free port, on stores in memory or on others, and raw connections to it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import uvicorn

from functions.distribution.services import Services
from functions.distribution.settings import HeadAnswers
from functions.relay.application import Relay
from functions.relay.body import Pace
from functions.relay.places import Places
from roadstead.content.blobs import Blobs
from roadstead.content.lists import Lists
from roadstead.content.manifests import Manifests
from roadstead.content.push import Push
from roadstead.content.uploads.adoption import Adoption
from roadstead.content.uploads.finishing import HandingOver
from roadstead.content.uploads.token import PARAMETER, UploadKeys
from roadstead.content.uploads.uploads import UploadLimits, Uploads
from roadstead.identity.tokens.verification import TokenVerifier
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker
from tests.memory.index import MemoryIndex
from tests.memory.objects import FixedUploadKeys, MemoryObjects

KEYS = UploadKeys("k1", {"k1": b"1" * 32})
REPOSITORY = RepositoryName("acme/web")
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Rig:
    """`url()` starts an upload; `request` sends one request over a connection of its own."""

    def __init__(
        self, limits: UploadLimits, places: Places, pace: Pace, objects: MemoryObjects, index: MemoryIndex
    ) -> None:
        self.index, self.objects = index, objects
        events = EventMaker()
        adoption = Adoption(self.index, objects, events)
        self.blobs = Blobs(blobs=self.index, manifests=self.index, adoption=adoption, events=events)
        self.executor = ThreadPoolExecutor(4)
        self.uploads = Uploads(
            sessions=self.index,
            objects=objects,
            finish=HandingOver(self.index, objects),
            limits=limits,
            executor=self.executor,
        )

        def no_keys() -> dict[str, Any]:
            raise AssertionError("the relay looked at a bearer token")

        services = Services(
            blobs=self.blobs,
            lists=Lists(manifests=self.index, objects=objects),
            manifests=Manifests(manifests=self.index, blobs=self.index, objects=objects, events=events),
            push=Push(
                manifests=self.index,
                blobs=self.index,
                objects=objects,
                adoption=adoption,
                events=events,
            ),
            uploads=self.uploads,
            urls=objects,
            verifier=TokenVerifier(no_keys, issuer="roadstead", service="roadstead"),
            upload_keys=FixedUploadKeys(KEYS),
            edge_secrets=None,
            upload_origin="",
            token_service="roadstead",
            head_answers=HeadAnswers.LENGTH,
        )
        self.places = places
        self.relay = Relay(services, places=places, pace=pace)
        self.port = 0

    def url(self, repository: RepositoryName = REPOSITORY, user: str = "ann") -> str:
        token = self.uploads.start(repository, Actor(user))
        return f"/v2/{repository}/blobs/uploads/{token.upload_id}?{PARAMETER}={token.encode(KEYS)}"

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def request(self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        connection = self.connect()
        try:
            chunked = body is not None and not isinstance(body, bytes)
            connection.request(method, url, body, headers or {}, encode_chunked=chunked)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)


@contextlib.contextmanager
def running(
    limits: UploadLimits,
    places: Places | None = None,
    pace: Pace | None = None,
    objects: MemoryObjects | None = None,
    index: MemoryIndex | None = None,
) -> Iterator[Rig]:
    """A relay that serves until the context ends: another environment of the one whose stores it is given."""
    rig = Rig(limits, places or Places(8, share=8), pace or Pace(), objects or MemoryObjects(), index or MemoryIndex())
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    rig.port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(rig.relay, log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 120
    while not server.started:
        if time.monotonic() > deadline:
            raise RuntimeError("the relay did not come up")
        time.sleep(0.01)
    try:
        yield rig
    finally:
        server.should_exit = True
        thread.join(120)
        rig.executor.shutdown()
        listener.close()


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def sha512(data: bytes) -> str:
    return "sha512:" + hashlib.sha512(data).hexdigest()


def until(condition: Any, seconds: float = 120) -> None:
    """Wait for something that another thread brings about; fails when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not come about"
        time.sleep(0.01)
