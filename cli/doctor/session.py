"""One examination: the registry, who asks, and what was put there and has to go again."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import quote, urlencode, urlsplit

from cli.doctor.report import Wrong
from cli.doctor.wire import Reply, send

REPOSITORY = "roadstead-doctor"  # in whatever project
GATEWAY = ".execute-api."  # in the API's own host name, where uploads are meant to lead elsewhere


class Way(Enum):
    """The three ways in which clients send a layer."""

    WHOLE = "one PUT"  # containerd, BuildKit, Docker with the containerd store, oras, helm
    SIZED = "a PATCH with its length"  # skopeo, crane, cosign
    CHUNKED = "a chunked PATCH"  # docker's classic store, podman, buildah


@dataclass(frozen=True, slots=True)
class Blob:
    """Random bytes, so that nothing is there already."""

    data: bytes
    digest: str

    @classmethod
    def of(cls, data: bytes) -> Blob:
        return cls(data, "sha256:" + hashlib.sha256(data).hexdigest())

    @classmethod
    def random(cls, size: int) -> Blob:
        return cls.of(os.urandom(size))


@dataclass(slots=True)
class Session:
    """`url` is the registry's, without a path. Checks leave here what later ones go on with."""

    url: str
    project: str
    user: str = ""
    password: str = field(default="", repr=False)
    realm: str = ""
    own_realm: str = ""  # of the registry's own challenge; the first may be the edge function's
    service: str = ""
    token: str = field(default="", repr=False)
    blobs: dict[str, Blob] = field(default_factory=dict)  # by what they are for
    manifests: dict[str, Blob] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)  # digests of blobs that were sent, whatever came of it

    @property
    def repository(self) -> str:
        return f"{self.project}/{REPOSITORY}"

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        token: str | None = None,
    ) -> Reply:
        """A request to the registry with the session's token, another one, or (`token=""`) none."""
        given = self.token if token is None else token
        named = {**({"Authorization": f"Bearer {given}"} if given else {}), **(headers or {})}
        return send(method, self.url + path, named, body)

    def blob(self, method: str, digest: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.ask(method, f"/v2/{self.repository}/blobs/{digest}", headers)

    def manifest(
        self, method: str, reference: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        return self.ask(method, f"/v2/{self.repository}/manifests/{reference}", headers, body)

    def fetch_token(self, *scopes: str, user: str = "", password: str = "") -> Reply:
        query = urlencode([("service", self.service), *(("scope", scope) for scope in scopes)], quote_via=quote)
        headers = {}
        if user:
            credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {credentials}"
        return send("GET", f"{self.realm}?{query}", headers)

    def start_upload(self) -> str:
        """The absolute URL of a new upload. Raises Wrong."""
        reply = self.ask("POST", f"/v2/{self.repository}/blobs/uploads/", body=b"")
        if reply.status != 202 or reply.location is None:
            raise Wrong(f"an upload was begun with {reply}, not 202 and a Location", _LOGS)
        return reply.location

    def upload(self, blob: Blob, way: Way) -> Reply:
        """Send a blob; the answer that decided. Raises Wrong where a client would be lost, NoAnswer."""
        location = self.start_upload()
        self.made.add(blob.digest)
        if way is Way.WHOLE:
            return send("PUT", closing(location, blob.digest), _OCTETS, blob.data)
        patched = send("PATCH", location, _OCTETS, blob.data, chunked=way is Way.CHUNKED)
        if patched.status != 202:
            return patched
        if patched.location is None or patched.header("range") != f"0-{len(blob.data) - 1}":
            raise Wrong(
                f"a PATCH of {len(blob.data)} bytes was answered with Range {patched.header('range')!r} and Location "
                f"{patched.header('location')!r}",
                "docker cannot go on without both; what stands between here and the relay must pass them on.",
            )
        return send("PUT", closing(patched.location, blob.digest), {}, b"")

    def push(self, name: str, blob: Blob, way: Way) -> Reply:
        """The same, kept under `name` once it was accepted as clients want it. Raises Wrong."""
        reply = self.upload(blob, way)
        if reply.status == 201:
            told = reply.header("docker-content-digest")
            if told != blob.digest or reply.header("location") is None:
                raise Wrong(
                    f"the upload was accepted with Docker-Content-Digest {told!r} and Location "
                    f"{reply.header('location')!r}",
                    "containerd takes nothing less than 201 with both: is the viewer-response function (response.js) "
                    "on the behaviour /v2/*/blobs/uploads/*?",
                )
            self.blobs[name] = blob
        return reply


def closing(location: str, digest: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={quote(digest, safe='')}"


_OCTETS = {"Content-Type": "application/octet-stream"}
_LOGS = "Has `roadstead keys init` been run? Else look into the log of the registry function."
