"""Checks of pushing layers: each way, small and large, and what must be refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from cli.doctor.report import Check, Note, Wrong
from cli.doctor.session import GATEWAY, Blob, Session, Way, closing
from cli.doctor.wire import Reply, elapsed, origin, send

SMALL = 2_000
MEDIUM = 40_000  # more than is kept in the index, so that a pull is sent to S3 whatever comes of larger layers
LARGE = 6 * 1024 * 1024  # more than a Lambda takes, less than what takes long
PATIENCE = 15.0  # seconds after which a cached 404 is gone: CloudFront's default is 10

_WHO = {
    Way.WHOLE: "containerd, BuildKit, Docker with the containerd store, oras and helm",
    Way.SIZED: "skopeo, crane and cosign",
    Way.CHUNKED: "podman, buildah and Docker's classic store",
}


def location(session: Session) -> str:
    there = session.start_upload()
    if origin(there) == origin(session.url):
        return "on the registry's own host"
    where = f"uploads lead to {there.partition('?')[0]}"
    if GATEWAY in session.host:
        raise Note(where, "oras 1.3 follows no other host: let its users come by the distribution's name.")
    raise Wrong(
        where,
        "oras 1.3 does not follow. The distribution is not recognised: compare the secret at its API origin with the "
        "parameter in EDGE_SECRET_PARAMETER.",
    )


def cycle(session: Session) -> str:
    """HEAD 404, PUT, HEAD 200 at once: what Docker does with every layer."""
    blob = Blob.random(SMALL)
    before = session.blob("HEAD", blob.digest)
    if before.status != 404:
        raise Wrong(f"HEAD of a blob that is not there was answered {before.status}, not 404", _LOGS)
    reply = session.push("config", blob, Way.WHOLE)
    if reply.status != 201:
        raise Wrong(f"a layer of {SMALL} bytes by {Way.WHOLE.value} was answered {reply}", _advice(reply))
    began = time.monotonic()
    after = session.blob("HEAD", blob.digest)
    while after.status == 404 and elapsed(began) < PATIENCE:
        time.sleep(0.5)
        after = session.blob("HEAD", blob.digest)
        if after.status == 200:
            raise Wrong(
                f"for {elapsed(began):.0f} s after its PUT the layer was still 404",
                "Errors are cached, and docker push fails: the distribution needs ErrorCachingMinTTL 0 for every code.",
            )
    if after.status != 200:
        raise Wrong(
            f"HEAD after a PUT that was accepted was answered {after.status}",
            "The object was not adopted. Does S3 hold its SHA-256 (x-amz-checksum-sha256 through origin access "
            "control)? The registry function's log says why it refused.",
        )
    _check_head(after, SMALL)
    return f"200 after {elapsed(began):.1f} s"


def way(chosen: Way) -> Callable[[Session], str]:
    def look(session: Session) -> str:
        blob = Blob.random(MEDIUM)
        reply = session.push(f"small {chosen.name}", blob, chosen)
        if reply.status != 201:
            raise Wrong(
                f"a layer of {MEDIUM} bytes by {chosen.value} was answered {reply}; so it is for {_WHO[chosen]}",
                _advice(reply),
            )
        _check_head(session.blob("HEAD", blob.digest), MEDIUM)
        return f"as {_WHO[chosen]} do"

    return look


def large(chosen: Way) -> Callable[[Session], str]:
    """A layer larger than a Lambda takes. A refusal in the specification's words is how a registry without a relay, or
    without a distribution, is meant to answer."""

    def look(session: Session) -> str:
        blob = Blob.random(LARGE)
        began = time.monotonic()
        reply = session.push(f"large {chosen.name}", blob, chosen)
        if reply.status == 201:
            seconds = max(elapsed(began), 0.001)
            return f"{LARGE >> 20} MiB in {seconds:.1f} s"
        found = f"{LARGE >> 20} MiB by {chosen.value} was answered {reply}"
        if reply.status == 413 and reply.code == "DENIED":
            raise Note(found, _LIMITED[chosen])
        raise Wrong(f"{found}; so it is for {_WHO[chosen]}", _advice(reply))

    return look


def forged(session: Session) -> str:
    """An upload's authority is the token in its URL: one that was changed must buy nothing."""
    there = session.start_upload()
    before, _, after = there.partition("_state=")
    if not after:
        raise Wrong(f"the upload's Location {there.partition('?')[0]} holds no token", _LOGS)
    bad = f"{before}_state={after[:-2]}{'AA' if after[-2:] != 'AA' else 'BB'}"
    blob = Blob.random(SMALL)
    reply = send("PUT", closing(bad, blob.digest), {"Content-Type": "application/octet-stream"}, blob.data)
    if reply.status < 400:
        session.made.add(blob.digest)
        raise Wrong(
            f"an upload whose token was changed was answered {reply.status}",
            "Anybody can write to the bucket. Take the distribution's behaviour off until request.js runs on it.",
        )
    return f"{reply.status} {reply.code}".rstrip()


def wrong_digest(session: Session) -> str:
    """S3 itself must refuse it, by the checksum header that the edge function sets; or, failing that, adoption."""
    blob = Blob.random(SMALL)
    lie = replace(blob, digest=Blob.random(SMALL).digest)
    reply = session.upload(lie, Way.WHOLE)
    there = session.blob("HEAD", lie.digest)
    if there.status == 200:
        raise Wrong(
            "bytes were accepted under a digest that is not theirs",
            "Take the registry off the net, and report this: nothing is to be trusted that was pushed through it.",
        )
    if reply.status < 400:
        raise Wrong(
            f"the edge took bytes of another digest (answered {reply.status}); only adoption refused them",
            "x-amz-checksum-sha256, which request.js sets, does not reach S3: no direct upload will be adopted either.",
        )
    if reply.status != 400 or reply.code != "DIGEST_INVALID":
        raise Note(
            f"refused, but by {reply}",
            "Clients print this badly. Switch readable_errors on (the function at origin-response).",
        )
    return "400 DIGEST_INVALID"


def repeated(session: Session) -> str:
    """The same PUT once more, as after an answer that was lost."""
    blob = Blob.random(SMALL)
    there = closing(session.start_upload(), blob.digest)
    session.made.add(blob.digest)
    replies = [send("PUT", there, {"Content-Type": "application/octet-stream"}, blob.data) for _ in range(2)]
    if [reply.status for reply in replies] != [201, 201]:
        raise Wrong(
            f"the same PUT twice was answered {replies[0].status} and {replies[1]}",
            "A lost answer loses a push. " + _LOGS,
        )
    return "201 both times"


def _check_head(reply: Reply, size: int) -> None:
    """What Docker and containerd read from a HEAD. Raises Wrong."""
    if reply.status != 200:
        raise Wrong(f"HEAD of a blob that was just accepted was answered {reply.status}", _LOGS)
    length = reply.header("content-length")
    if length != str(size):
        raise Wrong(
            f"HEAD of a blob of {size} bytes has Content-Length {length}",
            "The gateway drops it, and Docker refuses the layer: set HEAD_ANSWERS=body for the registry function, and "
            "if that does not do, HEAD_ANSWERS=redirect.",
        )
    if reply.trailing:
        raise Wrong(
            "a body follows the answer to HEAD", "Something on the way makes a GET of it; clients get confused."
        )


def _advice(reply: Reply) -> str:
    if reply.status == 413:
        return (
            "The gateway refused it by itself: there is no distribution in front, or this URL goes round it. Use the "
            "distribution's."
        )
    if reply.status == 403:
        return "S3 refuses the distribution: the bucket's policy must let it PutObject below blobs/."
    if reply.status == 404 and reply.code == "BLOB_UPLOAD_UNKNOWN":
        return (
            "The edge does not know the key of the upload's token: the key-value store and the parameter differ. "
            "`roadstead keys sync` makes them agree."
        )
    if reply.status == 411 or reply.status == 501:
        return "The body lost its length on the way, or a chunked one was sent where it needs one."
    if reply.status == 503 and reply.code == "UNKNOWN":
        return "The key-value store is empty: `roadstead keys init`."
    if reply.status in (502, 504):
        return (
            "CloudFront does not reach the relay. Does its service run, and its security group let the VPC origin in?"
        )
    if reply.status == 200:
        return "It must be 201: is the viewer-response function (response.js) on the behaviour /v2/*/blobs/uploads/*?"
    return _LOGS


_LOGS = "Look into the logs of the registry function and the relay."
_LIMITED = {
    Way.WHOLE: "There is no distribution in front, so layers are held to what a Lambda takes.",
    Way.SIZED: "There is no relay: skopeo, crane and cosign push layers of up to 4.5 MB only.",
    Way.CHUNKED: "There is no relay: podman, buildah and Docker's classic store push layers of up to 4.5 MB only.",
}

CHECKS = (
    Check("location", "uploads stay on the host", location, ("grant",)),
    Check("cycle", "HEAD 404, PUT, HEAD 200", cycle, ("grant",)),
    Check("sized", f"a small layer by {Way.SIZED.value}", way(Way.SIZED), ("grant",)),
    Check("chunked", f"a small layer by {Way.CHUNKED.value}", way(Way.CHUNKED), ("grant",)),
    Check("repeated", "the same PUT may come twice", repeated, ("cycle",)),
    Check("forged", "a changed upload token is refused", forged, ("grant",)),
    Check("wrong-digest", "bytes of another digest are refused", wrong_digest, ("grant",)),
    Check("large-whole", f"a large layer by {Way.WHOLE.value}", large(Way.WHOLE), ("cycle",)),
    Check("large-sized", f"a large layer by {Way.SIZED.value}", large(Way.SIZED), ("sized",)),
    Check("large-chunked", f"a large layer by {Way.CHUNKED.value}", large(Way.CHUNKED), ("chunked",)),
)
