"""Checks that take minutes, with --thorough: whether uploads stream, how fast they are, and whether long ones survive.

A relay that is a web function is unworkable if bodies are buffered or capped, if one upload is slower than 10 MB/s, or
if more than one in a thousand uploads of five minutes is cut off (docs/operations/first-deployment.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from cli.doctor.report import Check, Note, Skip, Wrong
from cli.doctor.session import Blob, Session, Way
from cli.doctor.wire import NoResponse, elapsed, send

STALL_SECONDS = 70.0  # the relay gives up a body that stands still for a minute
BYTES = 256 * 1024 * 1024
LEAST_RATE = 10_000_000  # bytes a second
UPLOADS, LONG_SECONDS = 12, 300.0  # at once, and how long each takes
PIECE, PAUSE_SECONDS = 24 * 1024, 2.0  # more than the 8 KiB a second that the relay wants

_FARGATE = 'set relay.kind = "fargate" in roadstead.toml and deploy'
_OCTETS = {"Content-Type": "application/octet-stream"}


def streamed(session: Session) -> str:
    """The relay gives up a body that stands still, if it sees the body while it is sent.

    It answers 408. What is before it may make a 5xx of that, as the connection ends within the body.
    """

    def stalling() -> Iterator[bytes]:
        yield b"x" * 1024
        time.sleep(STALL_SECONDS)
        yield b"x" * 1024

    reply = send("PATCH", session.start_upload(), _OCTETS, stalling(), chunked=True)
    if reply.status == 408 or reply.status >= 500:
        return f"the relay noticed that a body stood still for {STALL_SECONDS:.0f} s: {reply.status}"
    raise Note(
        f"the response to a body that stood still for {STALL_SECONDS:.0f} s was {reply}",
        f"Without a relay that is as it should be. With one, something buffers bodies before it: {_FARGATE}.",
    )


def rate(session: Session) -> str:
    """Compare a large body that passes the relay with the same straight to S3: both share this machine's line."""
    seconds = {}
    for way in (Way.WHOLE, Way.CHUNKED):
        blob = Blob.random(BYTES)
        began = time.monotonic()
        reply = session.push(f"huge {way.name}", blob, way)
        if reply.status == 413 and reply.code == "DENIED":
            raise Note(f"the response to {BYTES >> 20} MiB by {way.value} was {reply}", "There is no relay.")
        if reply.status != 201:
            raise Wrong(
                f"the response to {BYTES >> 20} MiB by {way.value} was {reply}",
                f"If 6 MiB are accepted, something caps bodies: {_FARGATE}.",
            )
        seconds[way] = max(elapsed(began), 0.001)
    whole, relayed = (BYTES / seconds[way] for way in (Way.WHOLE, Way.CHUNKED))
    session.relayed = True
    found = f"{relayed / 1e6:.0f} MB/s by the relay, {whole / 1e6:.0f} MB/s straight to S3"
    if relayed >= LEAST_RATE:
        return found
    if whole < LEAST_RATE:
        raise Note(found, "This machine's line is slower than the relay must be: run the doctor from another one.")
    raise Wrong(found, f"Less than {LEAST_RATE / 1e6:.0f} MB/s is too slow for large layers: {_FARGATE}.")


def long(session: Session) -> str:
    if not session.relayed:
        raise Skip("there is no relay")
    pieces = max(1, round(LONG_SECONDS / PAUSE_SECONDS))

    def upload(_: int) -> str:
        """Return why an upload failed; empty if it did not."""

        def slowly() -> Iterator[bytes]:
            for _ in range(pieces):
                yield b"x" * PIECE
                time.sleep(PAUSE_SECONDS)

        try:
            reply = send("PATCH", session.start_upload(), _OCTETS, slowly(), chunked=True)
        except (NoResponse, Wrong) as error:
            return str(error)
        return "" if reply.status == 202 else str(reply)

    with ThreadPoolExecutor(UPLOADS) as pool:
        failures = [reason for reason in pool.map(upload, range(UPLOADS)) if reason]
    found = f"{UPLOADS - len(failures)} of {UPLOADS} uploads of {LONG_SECONDS / 60:.0f} minutes succeeded"
    if failures:
        raise Wrong(f"{found}: {failures[0]}", f"Repeat it. If more than one in a thousand is cut off, {_FARGATE}.")
    return f"{found}; a thousand of them would show that one in a thousand is cut off"


CHECKS = (
    Check("streamed", "a body reaches the relay while it is sent", streamed, ("chunked",)),
    Check("rate", f"{BYTES >> 20} MiB pass the relay at 10 MB/s", rate, ("large-chunked",)),
    Check("long", "uploads of minutes succeed", long, ("rate",)),
)
