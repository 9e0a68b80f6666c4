"""The registry's HTTP API, with which the tests compare a client's view."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST = MANIFEST_TYPES
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    def expect(self, status: int) -> Response:
        """Return self. Raises AssertionError with the body unless it has this status."""
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:2000]!r}"
        return self

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def messages(self) -> list[str]:
        """The messages of an error response."""
        return [str(error["message"]) for error in self.json()["errors"]]


@dataclass(frozen=True, slots=True)
class Api:
    """Requests of one user, or anonymous ones; follows a challenge by the token specification, once per request."""

    url: str
    user: str = ""
    password: str = ""

    def call(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, scope: str = ""
    ) -> Response:
        """Send a request. `path` may be a URL, as in a Location. `scope` replaces the challenge's."""
        url = urljoin(self.url, path)
        answer = exchange(method, url, body, dict(headers or {}))
        challenge = answer.headers.get("www-authenticate", "")
        if answer.status != 401 or not challenge.startswith("Bearer "):
            return answer
        token = self._token(dict(_PARAMETER.findall(challenge)), scope)
        return exchange(method, url, body, {**(headers or {}), "Authorization": f"Bearer {token}"})

    def _token(self, challenge: Mapping[str, str], scope: str) -> str:
        query: list[tuple[str, str]] = [("service", challenge.get("service", ""))]
        query += [("scope", one) for one in (scope or challenge.get("scope", "")).split()]
        headers = {}
        if self.user:
            credentials = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {credentials}"
        answer = exchange("GET", f"{challenge['realm']}?{urlencode(query)}", b"", headers).expect(200)
        return str(answer.json()["token"])

    def manifest(self, repository: str, reference: str) -> Response:
        """Get a manifest; any status is returned."""
        return self.call(
            "GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": ", ".join(MANIFEST_TYPES)}
        )

    def digest(self, repository: str, reference: str) -> str:
        """Return the digest of a manifest that exists, computed from its bytes and equal to the header."""
        answer = self.manifest(repository, reference).expect(200)
        digest = digest_of(answer.body)
        assert answer.headers["docker-content-digest"] == digest
        return digest

    def blob(self, repository: str, digest: str) -> bytes:
        """Return the bytes of a blob that exists, following redirects; they must hash to the digest."""
        answer = self.call("GET", f"/v2/{repository}/blobs/{digest}")
        if answer.status == 307:
            answer = exchange("GET", answer.headers["location"], b"", {})
        assert digest_of(answer.expect(200).body) == digest
        return answer.body

    def push_blob(self, repository: str, data: bytes) -> str:
        """Upload with one POST and one PUT; return the digest."""
        digest = digest_of(data)
        location = closing(self.start_upload(repository), digest)
        self.call("PUT", location, data, {"Content-Type": "application/octet-stream"}).expect(201)
        return digest

    def start_upload(self, repository: str) -> str:
        """Start an upload; return its URL."""
        started = self.call("POST", f"/v2/{repository}/blobs/uploads/").expect(202)
        return urljoin(self.url, started.headers["location"])

    def push_manifest(self, repository: str, reference: str, manifest: Mapping[str, Any]) -> Response:
        """Push a manifest; return the response, a 201."""
        headers = {"Content-Type": str(manifest["mediaType"])}
        body = json.dumps(manifest).encode()
        return self.call("PUT", f"/v2/{repository}/manifests/{reference}", body, headers).expect(201)

    def referrers(self, repository: str, digest: str) -> list[dict[str, Any]]:
        """Return the descriptors of the first page."""
        answer = self.call("GET", f"/v2/{repository}/referrers/{digest}").expect(200)
        return list(answer.json()["manifests"])


def closing(upload: str, digest: str) -> str:
    """Return the URL for the PUT that closes an upload."""
    return upload + ("&" if "?" in upload else "?") + urlencode({"digest": digest})


def exchange(method: str, url: str, body: bytes | Iterable[bytes], headers: Mapping[str, str]) -> Response:
    """Send one request. An iterable body is sent in chunks, unless the headers have its length."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=180)
    try:
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, dict(headers))
        response = connection.getresponse()
        return Response(
            response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        )
    finally:
        connection.close()
