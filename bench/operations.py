"""The requests that are measured. Each can be prepared any number of times, and is then one invocation."""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.rig import Invocation, Rig, basic
from local.functions.declarations import SERVICE

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
REPOSITORY, SOURCE = "bench/image", "bench/source"
LAYERS = 10
_INLINE_BLOB, _LARGE_BLOB, _LARGE_MANIFEST = 1024, 256 * 1024, 100 * 1024  # bytes

Prepare = Callable[[], Invocation]


@dataclass(frozen=True, slots=True)
class Operation:
    """`prepare` creates what one such request needs, unused; its cost is not part of the request's."""

    name: str
    prepare: Prepare


@dataclass(frozen=True, slots=True)
class Descriptor:
    digest: str
    size: int


class Requests:
    """A client of the rig's functions, for one repository."""

    def __init__(self, rig: Rig, repository: str) -> None:
        self.repository = repository
        self._rig = rig
        scopes = (f"repository:{repository}:pull,push,delete", f"repository:{SOURCE}:pull,push", "registry:catalog:*")
        self._headers = {"authorization": f"Bearer {rig.token(*scopes)}"}
        self._numbers = itertools.count()

    def elsewhere(self) -> Requests:
        """Return a client for a new repository: the emulator's Query reads all items of a repository."""
        return Requests(self._rig, f"bench/{secrets.token_hex(8)}")

    def registry(self, method: str, target: str, body: bytes = b"", *, expect: int = 200, **headers: str) -> Invocation:
        """Return a request. Keywords are headers, with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._rig.invocation(
            "registry", method, target, body=body, headers={**self._headers, **named}, expect=expect
        )

    def token(self, *query: tuple[str, str], expect: int = 200, **headers: str) -> Invocation:
        text = urlencode([("service", SERVICE), *query])
        return self._rig.invocation("token", "GET", f"/token?{text}", headers=headers, expect=expect)

    def tag(self) -> str:
        """Return an unused tag."""
        return f"t{next(self._numbers)}"

    def location(self, repository: str | None = None) -> str:
        """Start an upload; return its URL."""
        target = f"/v2/{repository or self.repository}/blobs/uploads/"
        return header(self.registry("POST", target, expect=202)().headers, "location")

    def whole_put(self, size: int, repository: str | None = None) -> tuple[Invocation, Descriptor]:
        data = secrets.token_bytes(size)
        descriptor = described(data)
        target = closing(self.location(repository), descriptor.digest)
        put = self.registry("PUT", target, data, expect=201, content_type="application/octet-stream")
        return put, descriptor

    def patch(self, size: int) -> tuple[Invocation, Descriptor]:
        data = secrets.token_bytes(size)
        patch = self.registry("PATCH", self.location(), data, expect=202, content_type="application/octet-stream")
        return patch, described(data)

    def closing_put(self, size: int) -> Invocation:
        patch, descriptor = self.patch(size)
        return self.registry("PUT", closing(header(patch().headers, "location"), descriptor.digest), expect=201)

    def push_blob(self, size: int, repository: str | None = None) -> Descriptor:
        put, descriptor = self.whole_put(size, repository)
        put()
        return descriptor

    def manifest(self, *, layers: int = LAYERS, subject: bytes | None = None, padding: int = 0) -> bytes:
        """Return an image manifest that was not pushed yet; its blobs were."""
        document: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": entry(OCI_CONFIG, self.push_blob(_INLINE_BLOB)),
            "layers": [entry(OCI_LAYER, self.push_blob(_INLINE_BLOB)) for _ in range(layers)],
            "annotations": {"padding": "." * padding},
        }
        if subject is not None:
            document["subject"] = entry(OCI_MANIFEST, described(subject))
        return json.dumps(document).encode()

    def manifest_put(self, reference: str, manifest: bytes) -> Invocation:
        target = f"/v2/{self.repository}/manifests/{reference}"
        return self.registry("PUT", target, manifest, expect=201, content_type=OCI_MANIFEST)

    def push_manifest(self, reference: str, manifest: bytes) -> None:
        self.manifest_put(reference, manifest)()


def operations(rig: Rig) -> Iterator[Operation]:
    """Yield the operations in the order of the tables."""
    requests = Requests(rig, REPOSITORY)
    image = requests.manifest()
    requests.push_manifest("latest", image)
    yield from _reads(requests, image)
    yield from _uploads(requests)
    yield from _manifests(requests, image)
    yield from _tokens(requests)


def _reads(requests: Requests, image: bytes) -> Iterator[Operation]:
    small, large = requests.push_blob(_INLINE_BLOB).digest, requests.push_blob(_LARGE_BLOB).digest
    big_image = requests.manifest(padding=_LARGE_MANIFEST)
    requests.push_manifest("big", big_image)
    for _ in range(5):
        requests.push_manifest(requests.tag(), requests.manifest(layers=1, subject=image))
    base = f"/v2/{REPOSITORY}"
    digest, big = described(image).digest, described(big_image).digest
    rows = (
        ("GET /v2/", "GET", "/v2/", 200),
        ("HEAD manifest by tag", "HEAD", f"{base}/manifests/latest", 200),
        ("HEAD manifest by digest", "HEAD", f"{base}/manifests/{digest}", 200),
        ("GET manifest by tag", "GET", f"{base}/manifests/latest", 200),
        ("GET manifest by digest", "GET", f"{base}/manifests/{digest}", 200),
        ("GET manifest by digest, 100 KiB", "GET", f"{base}/manifests/{big}", 200),
        ("HEAD blob, 1 KiB", "HEAD", f"{base}/blobs/{small}", 200),
        ("HEAD blob, 256 KiB", "HEAD", f"{base}/blobs/{large}", 200),
        ("HEAD blob, unknown", "HEAD", f"{base}/blobs/{described(b'nobody has this').digest}", 404),
        ("GET blob, 1 KiB: its bytes", "GET", f"{base}/blobs/{small}", 200),
        ("GET blob, 256 KiB: 307 to S3", "GET", f"{base}/blobs/{large}", 307),
        ("GET tags/list", "GET", f"{base}/tags/list", 200),
        ("GET referrers, 5 of them", "GET", f"{base}/referrers/{digest}", 200),
        ("GET _catalog", "GET", "/v2/_catalog", 200),
    )
    for name, method, target, status in rows:
        yield Operation(name, lambda m=method, t=target, s=status: requests.registry(m, t, expect=s))  # type: ignore[misc]


def _uploads(requests: Requests) -> Iterator[Operation]:
    uploads = f"/v2/{REPOSITORY}/blobs/uploads/"

    def mount() -> Invocation:
        blob = requests.push_blob(_LARGE_BLOB, SOURCE)
        return requests.registry("POST", f"{uploads}?mount={blob.digest}&from={SOURCE}", expect=201)

    def delete() -> Invocation:
        there = requests.elsewhere()
        return there.registry("DELETE", f"/v2/{there.repository}/blobs/{there.push_blob(1024).digest}", expect=202)

    yield Operation("POST upload", lambda: requests.registry("POST", uploads, expect=202))
    yield Operation("PUT whole blob, 1 KiB", lambda: requests.whole_put(1024)[0])
    yield Operation("PUT whole blob, 1 MiB", lambda: requests.whole_put(1024 * 1024)[0])
    yield Operation("PATCH first chunk, 1 MiB", lambda: requests.patch(1024 * 1024)[0])
    yield Operation("PUT closing, after 1 MiB", lambda: requests.closing_put(1024 * 1024))
    yield Operation("GET upload", lambda: requests.registry("GET", requests.location(), expect=204))
    yield Operation("POST mount, 256 KiB", mount)
    yield Operation("DELETE blob", delete)


def _manifests(requests: Requests, image: bytes) -> Iterator[Operation]:
    def delete(*, whole: bool) -> Invocation:
        there = requests.elsewhere()
        manifest = there.manifest()
        there.push_manifest("latest", manifest)
        reference = described(manifest).digest if whole else "latest"
        return there.registry("DELETE", f"/v2/{there.repository}/manifests/{reference}", expect=202)

    yield Operation("PUT manifest, 10 layers", lambda: requests.manifest_put(requests.tag(), requests.manifest()))
    yield Operation("PUT manifest again, another tag", lambda: requests.manifest_put(requests.tag(), image))
    yield Operation("DELETE tag", lambda: delete(whole=False))
    yield Operation("DELETE manifest, 10 layers, 1 tag", lambda: delete(whole=True))


def _tokens(requests: Requests) -> Iterator[Operation]:
    scope = ("scope", f"repository:{REPOSITORY}:pull,push")
    yield Operation("GET token, password known", lambda: requests.token(scope, authorization=basic()))
    yield Operation("GET token, wrong password", lambda: requests.token(scope, authorization=basic("no"), expect=401))
    yield Operation("GET token, anonymous", lambda: requests.token(scope))


def described(data: bytes) -> Descriptor:
    return Descriptor("sha256:" + hashlib.sha256(data).hexdigest(), len(data))


def entry(media_type: str, descriptor: Descriptor) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": descriptor.digest, "size": descriptor.size}


def closing(location: str, digest: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': digest})}"


def header(headers: tuple[tuple[str, str], ...], name: str) -> str:
    """Return a header. Raises KeyError if it is missing."""
    return dict(headers)[name]
