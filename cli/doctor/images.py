"""Checks of images: manifests, pulls, ranges, and that what is deleted is gone. The last one clears up."""

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
    """A tiny image of what was pushed before, whatever came of the larger layers."""
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
            f"the manifest was answered {reply} with digest {reply.header('docker-content-digest')!r}",
            "Look into the log of the registry function.",
        )
    return f"{session.repository}:{TAG} with {len(layers)} layers"


def pull_manifest(session: Session) -> str:
    manifest = session.manifests[TAG]
    head = session.manifest("HEAD", TAG, {"Accept": TYPE})
    length, digest = head.header("content-length"), head.header("docker-content-digest")
    if (head.status, length, digest) != (200, str(len(manifest.data)), manifest.digest):
        raise Wrong(
            f"HEAD by tag was answered {head.status} with Content-Length {length} and digest {digest}",
            "Docker refuses a HEAD without its length: set HEAD_ANSWERS=body for the registry function.",
        )
    if head.trailing:
        raise Wrong("a body follows the answer to HEAD", "Something on the way makes a GET of it.")
    reply = session.manifest("GET", TAG, {"Accept": TYPE, "Accept-Encoding": "gzip"})
    _check_bytes(reply, manifest, "the manifest")
    if reply.header("content-type") != TYPE:
        raise Wrong(f"the manifest's type is {reply.header('content-type')!r}", "Something on the way rewrites it.")
    return f"{len(manifest.data)} bytes by tag"


def pull_small(session: Session) -> str:
    reply = session.blob("GET", session.blobs["config"].digest, {"Accept-Encoding": "gzip"})
    _check_bytes(reply, session.blobs["config"], "a small blob")
    return "inline"


def redirect(session: Session) -> str:
    """Where a pull is sent must not be taken for the registry by clients, which would send their token along."""
    there, _ = _redirected(session)
    scheme, host, port = origin(there)
    _, own, own_port = origin(session.url)
    parts = urlsplit(there)
    if host == own and port == own_port and parts.path.startswith("/blobs/"):
        return "through the distribution, by a signed URL"
    if host == own or host.endswith("." + own):
        raise Wrong(
            f"pulls are sent to {host}:{port}, which clients take for the registry",
            "containerd, podman and skopeo send it their token, and S3 refuses two ways to authenticate: give S3 "
            "another host name.",
        )
    if scheme != "https" and urlsplit(session.url).scheme == "https":
        raise Wrong(f"pulls are sent to plain HTTP at {host}", "Layers travel in the clear: use S3's HTTPS endpoint.")
    return f"to {host}"


def pull_large(session: Session) -> str:
    there, blob = _redirected(session)
    reply = send("GET", there)
    _check_bytes(reply, blob, "the layer")
    told = reply.header("docker-content-digest")
    if told is None and origin(there) == origin(session.url):
        raise Wrong(
            "a layer through the distribution does not name its digest",
            "Is the viewer-response function (response.js) on the behaviour /blobs/*?",
        )
    return f"{len(blob.data)} bytes, and they hash to their digest" + ("" if told else ", which S3 does not name")


def ranges(session: Session) -> str:
    there, blob = _redirected(session)
    reply = send("GET", there, {"Range": "bytes=500-1499"})
    if (reply.status, reply.body) != (206, blob.data[500:1500]):
        raise Wrong(
            f"bytes 500 to 1499 of a layer were answered {reply.status} with {len(reply.body)} bytes",
            "A pull that broke off starts over each time. Something between S3 and here drops Range.",
        )
    return reply.header("content-range") or "206"


def delete(session: Session) -> str:
    """What the doctor has put there; also the check that a deleted thing is gone with the next read."""
    manifest = session.manifests[TAG]
    for method, expected in (("DELETE", 202), ("GET", 404)):
        reply = session.manifest(method, manifest.digest)
        if reply.status != expected:
            raise Wrong(f"{method} of the manifest was answered {reply}, not {expected}", _STALE)
    by_tag = session.manifest("GET", TAG)
    if by_tag.status != 404:
        raise Wrong(f"its tag still is answered {by_tag.status}", _STALE)
    digest = session.blobs["config"].digest
    for method, expected in (("DELETE", 202), ("HEAD", 404)):
        reply = session.blob(method, digest)
        if reply.status != expected:
            raise Wrong(f"{method} of a blob was answered {reply}, not {expected}", _STALE)
    session.made.discard(digest)
    session.manifests.clear()
    return "gone with the next read"


def clear_up(session: Session) -> None:
    """What is still there, whatever happened. Raises NoAnswer."""
    for manifest in session.manifests.values():
        session.manifest("DELETE", manifest.digest)
    for digest in session.made:
        session.blob("DELETE", digest)


def _redirected(session: Session) -> tuple[str, Blob]:
    """The URL of the largest layer. Raises Wrong, or Skip where none was taken."""
    large = max(session.blobs.values(), key=lambda blob: len(blob.data))
    if len(large.data) < MEDIUM:
        raise Skip("no layer was taken but the smallest, and that is kept in the index")
    reply = session.blob("GET", large.digest)
    there = reply.location
    if reply.status != 307 or there is None:
        raise Wrong(f"GET of a layer was answered {reply.status}, not 307", "Who answers here?")
    if reply.header("docker-content-digest") != large.digest:
        raise Wrong("the 307 does not name the digest", "Something on the way removes Docker-Content-Digest.")
    return there, large


def _check_bytes(reply: Reply, blob: Blob, what: str) -> None:
    if reply.status != 200:
        raise Wrong(
            f"GET of {what} was answered {reply}",
            "S3's 403: the function's role lacks s3:GetObject below blobs/, or the clocks differ."
            if reply.status == 403
            else "Look into the log of the registry function.",
        )
    if reply.header("content-encoding") not in (None, "identity"):
        raise Wrong(
            f"{what} arrives with Content-Encoding {reply.header('content-encoding')}",
            "Switch compression off at the distribution: lengths and digests are of the bytes as they were pushed.",
        )
    if reply.body != blob.data:
        raise Wrong(f"{what} arrives changed: {len(reply.body)} bytes for {len(blob.data)}", "What stands in between?")
    if reply.header("content-length") != str(len(blob.data)):
        raise Wrong(f"{what} has Content-Length {reply.header('content-length')}", "Clients want the exact length.")


_STALE = "A cache answers, or the registry function could not do it; its log says."

CHECKS = (
    Check("image", "an image is pushed", push_image, ("cycle",)),
    Check("manifest", "its manifest is pulled by tag", pull_manifest, ("image",)),
    Check("small-blob", "a small blob is pulled", pull_small, ("cycle",)),
    Check("redirect", "layers are pulled from elsewhere", redirect, ("cycle",)),
    Check("large-blob", "a layer is pulled whole", pull_large, ("redirect",)),
    Check("ranges", "and in part", ranges, ("redirect",)),
    Check("delete", "what is deleted is gone", delete, ("image",)),
)
