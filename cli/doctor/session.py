"""One run of the doctor: the registry, the user, and what was pushed and must be deleted."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import quote, urlencode, urlsplit

from cli.doctor.report import Wrong
from cli.doctor.wire import Reply, is_loopback, origin, send

REPOSITORY = "roadstead-doctor"  # within the project
GATEWAY = ".execute-api."  # in the API's own host name, from which uploads lead to the distribution


class Way(Enum):
    """The three ways in which clients send a layer."""

    WHOLE = "one PUT"  # containerd, BuildKit, Docker with the containerd store, oras, helm
    SIZED = "a PATCH with its length"  # skopeo, crane, cosign
    CHUNKED = "a chunked PATCH"  # docker's classic store, podman, buildah


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob and its digest."""

    data: bytes
    digest: str

    @classmethod
    def of(cls, data: bytes) -> Blob:
        return cls(data, "sha256:" + hashlib.sha256(data).hexdigest())

    @classmethod
    def random(cls, size: int) -> Blob:
        """Return a blob that the registry does not have yet."""
        return cls.of(os.urandom(size))


@dataclass(slots=True)
class Session:
    """The state that checks share. `url` is the registry's, without a path."""

    url: str
    project: str
    user: str = ""
    password: str = field(default="", repr=False)
    realm: str = ""
    own_realm: str = ""  # in the registry's own challenge; `realm` may be the edge function's
    service: str = ""
    token: str = field(default="", repr=False)
    blobs: dict[str, Blob] = field(default_factory=dict)  # by purpose
    manifests: dict[str, Blob] = field(default_factory=dict)
    relayed: bool = False  # whether a body larger than a Lambda accepts has passed a relay
    made: set[str] = field(default_factory=set)  # digests of the blobs that were sent, accepted or not

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
        """Send a request with the session's token, another one, or none (`token=""`). Raises NoResponse."""
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
        """Ask for a token, with credentials if there is a user. Raises Wrong where these must not go; NoResponse."""
        query = urlencode([("service", self.service), *(("scope", scope) for scope in scopes)], quote_via=quote)
        headers = {}
        if user:
            self._check_realm()
            credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {credentials}"
        return send("GET", f"{self.realm}?{query}", headers)

    def _check_realm(self) -> None:
        """Raises Wrong unless the realm is the registry's own origin, and encrypted or on this machine.

        Whoever answers for the registry chooses the realm; a password sent there is lost.
        """
        if origin(self.realm) != origin(self.url):
            raise Wrong(
                f"the password was not sent to {self.realm}, which is not on {self.url}",
                "The challenge must name the registry's own host. Otherwise whoever answers there could collect "
                "passwords.",
            )
        scheme, host, _ = origin(self.realm)
        if scheme != "https" and not is_loopback(host):
            raise Wrong(
                f"the password was not sent to {self.realm}, which is not encrypted",
                "Give the registry's https:// URL, and put HTTPS in front of it.",
            )

    def start_upload(self) -> str:
        """Start an upload; return its absolute URL. Raises Wrong."""
        reply = self.ask("POST", f"/v2/{self.repository}/blobs/uploads/", body=b"")
        if reply.status != 202 or reply.location is None:
            raise Wrong(f"the response to a new upload was {reply}, not 202 with a Location", _LOGS)
        return reply.location

    def upload(self, blob: Blob, way: Way) -> Reply:
        """Upload a blob; return the deciding response. Raises Wrong if a client could not continue; NoResponse."""
        location = self.start_upload()
        self.made.add(blob.digest)
        if way is Way.WHOLE:
            return send("PUT", closing(location, blob.digest), _OCTETS, blob.data)
        patched = send("PATCH", location, _OCTETS, blob.data, chunked=way is Way.CHUNKED)
        if patched.status != 202:
            return patched
        if patched.location is None or patched.header("range") != f"0-{len(blob.data) - 1}":
            raise Wrong(
                f"the response to a PATCH of {len(blob.data)} bytes has Range {patched.header('range')!r} and Location "
                f"{patched.header('location')!r}",
                "docker cannot continue without both: whatever is between the client and the relay must pass them on.",
            )
        return send("PUT", closing(patched.location, blob.digest), {}, b"")

    def push(self, name: str, blob: Blob, way: Way) -> Reply:
        """Upload a blob, and keep it under `name` if the response is what clients expect. Raises Wrong."""
        reply = self.upload(blob, way)
        if reply.status == 201:
            digest = reply.header("docker-content-digest")
            if digest != blob.digest or reply.header("location") is None:
                raise Wrong(
                    f"the response to an upload has Docker-Content-Digest {digest!r} and Location "
                    f"{reply.header('location')!r}",
                    "containerd requires 201 with both: is the viewer-response function (response.js) on the behaviour "
                    "/v2/*/blobs/uploads/*?",
                )
            self.blobs[name] = blob
        return reply


def closing(location: str, digest: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={quote(digest, safe='')}"


_OCTETS = {"Content-Type": "application/octet-stream"}
_LOGS = "Has `roadstead keys init` been run? If so, see the log of the registry function."
