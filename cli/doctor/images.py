"""Checks of images: manifests, pulls, ranges and deletion. The last one deletes what was pushed."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from cli.doctor.report import Check, Skip, Wrong
from cli.doctor.session import Blob, Session
from cli.doctor.uploads import MEDIUM
from cli.doctor.wire import Reply, origin, send

TAG = "doctor"
TYPE = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


def push_image(session: Session) -> str:
    """Push a small image of the blobs that were accepted."""
    config = session.blobs["config"]
    layers = [blob for name, blob in session.blobs.items() if name != "config"]
    manifest = Blob.of(
        json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": TYPE,
                "config": {"mediaType": _CONFIG, "size": len(config.data), "digest": config.digest},
                "layers": [{"mediaType": _LAYER, "size": len(blob.data), "digest": blob.digest} for blob in layers],
            }
        ).encode()
    )
    reply = session.manifest("PUT", TAG, {"Content-Type": TYPE}, manifest.data)
    session.manifests[TAG] = manifest
    if reply.status != 201 or reply.header("docker-content-digest") != manifest.digest:
        raise Wrong(
            f"the response to the manifest was {reply} with digest {reply.header('docker-content-digest')!r}",
            "See the log of the registry function.",
        )
    return f"{session.repository}:{TAG} with {len(layers)} layers"


def pull_manifest(session: Session) -> str:
    manifest = session.manifests[TAG]
    head = session.manifest("HEAD", TAG, {"Accept": TYPE})
    length, digest = head.header("content-length"), head.header("docker-content-digest")
    if (head.status, length, digest) != (200, str(len(manifest.data)), manifest.digest):
        raise Wrong(
            f"the response to HEAD by tag was {head.status} with Content-Length {length} and digest {digest}",
            "Docker needs the length: set HEAD_ANSWERS=body for the registry function.",
        )
    if head.trailing:
        raise Wrong("a body follows the response to HEAD", "Something in between turns it into a GET.")
    reply = session.manifest("GET", TAG, {"Accept": TYPE, "Accept-Encoding": "gzip"})
    _check_bytes(reply, manifest, "the manifest")
    if reply.header("content-type") != TYPE:
        raise Wrong(f"the manifest's type is {reply.header('content-type')!r}", "Something in between rewrites it.")
    return f"{len(manifest.data)} bytes by tag"


def pull_small(session: Session) -> str:
    reply = session.blob("GET", session.blobs["config"].digest, {"Accept-Encoding": "gzip"})
    _check_bytes(reply, session.blobs["config"], "a small blob")
    return "served inline"


def redirect(session: Session) -> str:
    """Clients must not take the host that they are redirected to for the registry: they would send it their token."""
    there, _ = _redirected(session)
    scheme, host, port = origin(there)
    _, own, own_port = origin(session.url)
    parts = urlsplit(there)
    if host == own and port == own_port and parts.path.startswith("/blobs/"):
        return "through the distribution, by a signed URL"
    if host == own or host.endswith("." + own):
        raise Wrong(
            f"pulls are redirected to {host}:{port}, which clients take for the registry",
            "containerd, podman and skopeo send it their token, and S3 refuses two kinds of authentication: give S3 "
            "another host name.",
        )
    if scheme != "https" and urlsplit(session.url).scheme == "https":
        raise Wrong(
            f"pulls are redirected to plain HTTP at {host}", "Layers travel unencrypted: use S3's HTTPS endpoint."
        )
    return f"to {host}"


def pull_large(session: Session) -> str:
    there, blob = _redirected(session)
    reply = send("GET", there)
    _check_bytes(reply, blob, "the layer")
    digest = reply.header("docker-content-digest")
    if digest is None and origin(there) == origin(session.url):
        raise Wrong(
            "the response with a layer from the distribution does not name the digest",
            "Is the viewer-response function (response.js) on the behaviour /blobs/*?",
        )
    return f"{len(blob.data)} bytes, and they hash to their digest" + ("" if digest else ", which S3 does not name")


def ranges(session: Session) -> str:
    there, blob = _redirected(session)
    reply = send("GET", there, {"Range": "bytes=500-1499"})
    if (reply.status, reply.body) != (206, blob.data[500:1500]):
        raise Wrong(
            f"the response to bytes 500 to 1499 of a layer was {reply.status} with {len(reply.body)} bytes",
            "An interrupted pull has to start over. Something between here and S3 drops Range.",
        )
    return reply.header("content-range") or "206"


def delete(session: Session) -> str:
    """Delete what the doctor pushed; it must be gone with the next read."""
    manifest = session.manifests[TAG]
    for method, expected in (("DELETE", 202), ("GET", 404)):
        reply = session.manifest(method, manifest.digest)
        if reply.status != expected:
            raise Wrong(f"the response to {method} of the manifest was {reply}, not {expected}", _STALE)
    by_tag = session.manifest("GET", TAG)
    if by_tag.status != 404:
        raise Wrong(f"the response to its tag is still {by_tag.status}", _STALE)
    digest = session.blobs["config"].digest
    for method, expected in (("DELETE", 202), ("HEAD", 404)):
        reply = session.blob(method, digest)
        if reply.status != expected:
            raise Wrong(f"the response to {method} of a blob was {reply}, not {expected}", _STALE)
    session.made.discard(digest)
    session.manifests.clear()
    return "gone with the next read"


def clear_up(session: Session) -> None:
    """Delete whatever is left of what was pushed. Raises NoResponse."""
    for manifest in session.manifests.values():
        session.manifest("DELETE", manifest.digest)
    for digest in session.made:
        session.blob("DELETE", digest)


def _redirected(session: Session) -> tuple[str, Blob]:
    """Return the URL that the largest layer redirects to, and the layer. Raises Wrong; Skip if none was accepted."""
    large = max(session.blobs.values(), key=lambda blob: len(blob.data))
    if len(large.data) < MEDIUM:
        raise Skip("only the smallest layer was accepted, and the index serves that")
    reply = session.blob("GET", large.digest)
    there = reply.location
    if reply.status != 307 or there is None:
        raise Wrong(f"the response to GET of a layer was {reply.status}, not 307", "Is this a Roadstead registry?")
    if reply.header("docker-content-digest") != large.digest:
        raise Wrong("the 307 does not name the digest", "Something in between removes Docker-Content-Digest.")
    return there, large


def _check_bytes(reply: Reply, blob: Blob, what: str) -> None:
    if reply.status != 200:
        raise Wrong(
            f"the response to GET of {what} was {reply}",
            "A 403 of S3: the function's role lacks s3:GetObject below blobs/, or the clocks differ."
            if reply.status == 403
            else "See the log of the registry function.",
        )
    if reply.header("content-encoding") not in (None, "identity"):
        raise Wrong(
            f"{what} arrives with Content-Encoding {reply.header('content-encoding')}",
            "Turn compression off at the distribution: lengths and digests are those of the bytes that were pushed.",
        )
    if reply.body != blob.data:
        raise Wrong(f"{what} arrives changed: {len(reply.body)} bytes for {len(blob.data)}", "What is in between?")
    if reply.header("content-length") != str(len(blob.data)):
        raise Wrong(f"{what} has Content-Length {reply.header('content-length')}", "Clients need the exact length.")


_STALE = "A cache responds, or the deletion failed: see the log of the registry function."

CHECKS = (
    Check("image", "an image can be pushed", push_image, ("cycle",)),
    Check("manifest", "its manifest can be pulled by tag", pull_manifest, ("image",)),
    Check("small-blob", "a small blob can be pulled", pull_small, ("cycle",)),
    Check("redirect", "pulls of layers are redirected to another host", redirect, ("cycle",)),
    Check("large-blob", "a whole layer can be pulled", pull_large, ("redirect",)),
    Check("ranges", "a range of a layer can be pulled", ranges, ("redirect",)),
    Check("delete", "deleted content is gone at once", delete, ("image",)),
)
