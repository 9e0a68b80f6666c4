"""Checks of uploads: layers small and large, each way of sending them, and what must be refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from cli.doctor.report import Check, Note, Wrong
from cli.doctor.session import GATEWAY, Blob, Session, Way, closing
from cli.doctor.wire import Reply, elapsed, origin, send

SMALL = 2_000
MEDIUM = 40_000  # more than the index keeps, so a pull is redirected to S3 even if larger layers fail
LARGE = 6 * 1024 * 1024  # more than a Lambda accepts
PATIENCE = 15.0  # seconds until a cached 404 has expired: CloudFront's default is 10

_WHO = {
    Way.WHOLE: "containerd, BuildKit, Docker with the containerd store, oras and helm",
    Way.SIZED: "skopeo, crane and cosign",
    Way.CHUNKED: "podman, buildah and Docker's classic store",
}


def location(session: Session) -> str:
    there = session.start_upload()
    if origin(there) == origin(session.url):
        return "on the registry's own host"
    where = f"uploads go to {there.partition('?')[0]}"
    if GATEWAY in session.host:
        raise Note(where, "oras 1.3 does not follow to another host: its users need the distribution's name.")
    raise Wrong(
        where,
        "oras 1.3 does not follow. The registry does not recognise the distribution: compare the secret at its API "
        "origin with the parameter in EDGE_SECRET_PARAMETER.",
    )


def cycle(session: Session) -> str:
    """HEAD 404, PUT, and at once HEAD 200: Docker does this for every layer."""
    blob = Blob.random(SMALL)
    before = session.blob("HEAD", blob.digest)
    if before.status != 404:
        raise Wrong(f"the response to HEAD of an unknown blob was {before.status}, not 404", _LOGS)
    reply = session.push("config", blob, Way.WHOLE)
    if reply.status != 201:
        raise Wrong(f"the response to a layer of {SMALL} bytes by {Way.WHOLE.value} was {reply}", _advice(reply))
    began = time.monotonic()
    after = session.blob("HEAD", blob.digest)
    while after.status == 404 and elapsed(began) < PATIENCE:
        time.sleep(0.5)
        after = session.blob("HEAD", blob.digest)
        if after.status == 200:
            raise Wrong(
                f"the layer was still 404 for {elapsed(began):.0f} s after its PUT",
                "Errors are cached, so docker push fails: the distribution needs ErrorCachingMinTTL 0 for all of them.",
            )
    if after.status != 200:
        raise Wrong(
            f"the response to HEAD after a successful PUT was {after.status}",
            "The object was not adopted. Has S3 its SHA-256 (x-amz-checksum-sha256 through origin access control)? The "
            "registry function's log says why it was refused.",
        )
    _check_head(after, SMALL)
    return f"200 after {elapsed(began):.1f} s"


def way(chosen: Way) -> Callable[[Session], str]:
    def look(session: Session) -> str:
        blob = Blob.random(MEDIUM)
        reply = session.push(f"small {chosen.name}", blob, chosen)
        if reply.status != 201:
            raise Wrong(
                f"the response to a layer of {MEDIUM} bytes by {chosen.value} was {reply}, as for {_WHO[chosen]}",
                _advice(reply),
            )
        _check_head(session.blob("HEAD", blob.digest), MEDIUM)
        return f"as {_WHO[chosen]} do"

    return look


def large(chosen: Way) -> Callable[[Session], str]:
    """Check a layer that is larger than a Lambda accepts.

    A registry without a relay, or without a distribution, refuses it with an OCI error: that is a note.
    """

    def look(session: Session) -> str:
        blob = Blob.random(LARGE)
        began = time.monotonic()
        reply = session.push(f"large {chosen.name}", blob, chosen)
        if reply.status == 201:
            seconds = max(elapsed(began), 0.001)
            return f"{LARGE >> 20} MiB in {seconds:.1f} s"
        found = f"the response to {LARGE >> 20} MiB by {chosen.value} was {reply}"
        if reply.status == 413 and reply.code == "DENIED":
            raise Note(found, _LIMITED[chosen])
        raise Wrong(f"{found}, as for {_WHO[chosen]}", _advice(reply))

    return look


def forged(session: Session) -> str:
    """The token in an upload's URL authorises the upload: a changed token must be refused."""
    there = session.start_upload()
    before, _, after = there.partition("_state=")
    if not after:
        raise Wrong(f"the upload's Location {there.partition('?')[0]} has no token", _LOGS)
    bad = f"{before}_state={after[:-2]}{'AA' if after[-2:] != 'AA' else 'BB'}"
    blob = Blob.random(SMALL)
    reply = send("PUT", closing(bad, blob.digest), {"Content-Type": "application/octet-stream"}, blob.data)
    if reply.status < 400:
        session.made.add(blob.digest)
        raise Wrong(
            f"the response to an upload with a changed token was {reply.status}",
            "Anybody can write to the bucket. Remove the distribution's behaviour until request.js runs on it.",
        )
    return f"{reply.status} {reply.code}".rstrip()


def wrong_digest(session: Session) -> str:
    """S3 must refuse the bytes, by the checksum header that the edge function sets; failing that, adoption must."""
    blob = Blob.random(SMALL)
    lie = replace(blob, digest=Blob.random(SMALL).digest)
    reply = session.upload(lie, Way.WHOLE)
    there = session.blob("HEAD", lie.digest)
    if there.status == 200:
        raise Wrong(
            "bytes were accepted under the digest of other bytes",
            "Take the registry offline and report this: nothing pushed through it can be trusted.",
        )
    if reply.status < 400:
        raise Wrong(
            f"the edge accepted bytes of another digest ({reply.status}); only adoption refused them",
            "x-amz-checksum-sha256, which request.js sets, does not reach S3: no direct upload will be adopted.",
        )
    if reply.status != 400 or reply.code != "DIGEST_INVALID":
        raise Note(
            f"refused, but with {reply}",
            "Clients print this badly. Turn readable_errors on (the function at origin-response).",
        )
    return "400 DIGEST_INVALID"


def repeated(session: Session) -> str:
    """Send the same PUT again, as a client does after a lost response."""
    blob = Blob.random(SMALL)
    there = closing(session.start_upload(), blob.digest)
    session.made.add(blob.digest)
    replies = [send("PUT", there, {"Content-Type": "application/octet-stream"}, blob.data) for _ in range(2)]
    if [reply.status for reply in replies] != [201, 201]:
        raise Wrong(
            f"the responses to the same PUT twice were {replies[0].status} and {replies[1]}",
            "A lost response loses a push. " + _LOGS,
        )
    return "201 both times"


def _check_head(reply: Reply, size: int) -> None:
    """Check what Docker and containerd read from a HEAD. Raises Wrong."""
    if reply.status != 200:
        raise Wrong(f"the response to HEAD of a blob just accepted was {reply.status}", _LOGS)
    length = reply.header("content-length")
    if length != str(size):
        raise Wrong(
            f"HEAD of a blob of {size} bytes has Content-Length {length}",
            "The gateway drops it, so Docker refuses the layer. Set HEAD_ANSWERS=body for the registry function or, if "
            "that does not help, HEAD_ANSWERS=redirect.",
        )
    if reply.trailing:
        raise Wrong(
            "a body follows the response to HEAD", "Something in between turns it into a GET; clients get confused."
        )


def _advice(reply: Reply) -> str:
    if reply.status == 413:
        return (
            "The gateway itself refused it: there is no distribution in front, or this URL bypasses it. Use the "
            "distribution's URL."
        )
    if reply.status == 403:
        return "S3 refuses the distribution: the bucket policy must allow it s3:PutObject below blobs/."
    if reply.status == 404 and reply.code == "BLOB_UPLOAD_UNKNOWN":
        return (
            "The edge does not know the key of the upload token: the key-value store and the parameter differ. Run "
            "`roadstead keys sync`."
        )
    if reply.status == 411 or reply.status == 501:
        return "The body lost its length in between, or a chunked body was sent where a length is required."
    if reply.status == 503 and reply.code == "UNKNOWN":
        return "The key-value store is empty: run `roadstead keys init`."
    if reply.status in (502, 504):
        return (
            "CloudFront cannot reach the relay. Does its service run, and does its security group admit the VPC origin?"
        )
    if reply.status == 200:
        return "It must be 201: is the viewer-response function (response.js) on the behaviour /v2/*/blobs/uploads/*?"
    return _LOGS


_LOGS = "See the logs of the registry function and the relay."
_LIMITED = {
    Way.WHOLE: "There is no distribution in front, so layers are limited to what a Lambda accepts.",
    Way.SIZED: "There is no relay: skopeo, crane and cosign push layers of up to 4.5 MB only.",
    Way.CHUNKED: "There is no relay: podman, buildah and Docker's classic store push layers of up to 4.5 MB only.",
}

CHECKS = (
    Check("location", "uploads stay on the same host", location, ("grant",)),
    Check("cycle", "HEAD 404, PUT, HEAD 200", cycle, ("grant",)),
    Check("sized", f"a small layer by {Way.SIZED.value}", way(Way.SIZED), ("grant",)),
    Check("chunked", f"a small layer by {Way.CHUNKED.value}", way(Way.CHUNKED), ("grant",)),
    Check("repeated", "a PUT can be repeated", repeated, ("cycle",)),
    Check("forged", "a changed upload token is refused", forged, ("grant",)),
    Check("wrong-digest", "bytes that do not match the digest are refused", wrong_digest, ("grant",)),
    Check("large-whole", f"a large layer by {Way.WHOLE.value}", large(Way.WHOLE), ("cycle",)),
    Check("large-sized", f"a large layer by {Way.SIZED.value}", large(Way.SIZED), ("sized",)),
    Check("large-chunked", f"a large layer by {Way.CHUNKED.value}", large(Way.CHUNKED), ("chunked",)),
)
