"""What a deployment costs a month: list prices of us-east-1, and what pulls and pushes ask of each service.

The one table of prices. `python -m bench costs` prints docs/operations/costs.md from it, where the prices have their
sources, and the API estimates what a registry costs (`handlers/system/costs.py`). The log lines are made by the
functions' own code, so their bytes are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from functions.hosting import metrics
from functions.hosting.observation import Observation
from roadstead.documents import compact
from roadstead.trail.entries import Actor, AuditEntry, Operation

MILLION = 1_000_000
PRICES_OF = "2026-11-26"  # when they were looked up last
EVENT_BYTES = 26  # that CloudWatch Logs adds to each line

# USD
HTTP_API = 1.00 / MILLION
EDGE_REQUEST, FREE_EDGE_REQUESTS = 1.00 / MILLION, 10 * MILLION
EDGE_FUNCTION, FREE_EDGE_FUNCTIONS = 0.10 / MILLION, 2 * MILLION
LAMBDA_AT_EDGE = 0.60 / MILLION
LAMBDA_REQUEST, FREE_LAMBDA_REQUESTS = 0.20 / MILLION, MILLION
LAMBDA_SECOND, FREE_LAMBDA_SECONDS = 0.0000133334, 400_000  # of 1 GB, arm64
READ_UNIT, WRITE_UNIT = 0.125 / MILLION, 0.625 / MILLION
LOG_BYTE = 0.50 / 1e9
S3_GET, S3_PUT = 0.40 / MILLION, 5.00 / MILLION
STORED_GB, GB = 0.023, 1024**3  # S3 bills GB of 2^30 bytes
TO_ORIGIN_GB = 0.02
RELAY_PUSH = 2 * 16 * LAMBDA_SECOND  # 2 GB for 16 s, which 200 MB take at 100 Mbit/s
KEY, SECRET = 1.00, 0.40
KEY_AND_SECRET = KEY + SECRET
FARGATE = 49.40  # one task, a load balancer, an address


class Reads(StrEnum):
    """What takes reads (docs/adr/0028); the values of `distribution.reads`, or unknown to the function."""

    UNKNOWN = "unknown"
    FUNCTION = "function"
    API = "api"


class Relay(StrEnum):
    """Which relay there is: the values of `relay.kind`, or unknown to the function."""

    UNKNOWN = "unknown"
    WEB_FUNCTION = "web-function"
    FARGATE = "fargate"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Use:
    """What one pull or push asks for: requests, seconds of 1 GB, units, bytes of log lines."""

    api: int
    edge: int  # requests to CloudFront, each with a viewer-request function
    responses: int  # viewer-response and origin-response functions
    invocations: int
    seconds: float
    reads: int
    writes: int
    logs: int
    gets: int
    puts: int
    origin_gb: float = 0.0
    relay: float = 0.0  # USD


@dataclass(frozen=True, slots=True)
class Load:
    """`pulls` and `pushes` a month, and `stored` GB."""

    name: str
    pulls: int = 0
    pushes: int = 0
    stored: float = 0.0

    def of(self, name: str) -> float:
        """Return how much of something all pulls and pushes ask for, by its name in `Use`."""
        return float(self.pulls * getattr(PULL, name) + self.pushes * getattr(PUSH, name))


def line_bytes() -> int:
    """The line of a request for a blob, not of an environment's first, which says that it is."""
    seen = Observation("JKJaXmPLvHcESHA=", "1-67891233-abcdef012345678912345678", "blobs.get")
    seen.count("BlobPulls")
    seen.count("PullBytes", 25_000_000)
    document = metrics.request_line(
        "registry", seen, method="GET", status=307, code="", seconds=0.00321, received=0, sent=0
    )
    document.pop("ColdStarts", None)
    return len(compact(document, ascii_only=False)) + EVENT_BYTES


def entry_bytes(operation: Operation, detail: str) -> int:
    """An entry of the trail twice: in the function's log, and in the trail's."""
    agent = (
        "docker/29.1.2 go/go1.25.1 git-commit/d4 kernel/6.8.0 os/linux arch/amd64 UpstreamClient(Docker-Client/29.1.2)"
    )
    actor = Actor(
        "ci-builder",
        token_id="f" * 32,
        source_ip="203.0.113.9",
        user_agent=agent,
        request_id="JKJaXmPLvHcESHA=",
        trace_id="1-67891233-abcdef012345678912345678",
    )
    name = "" if operation is Operation.LOGIN else "platform/services/api"
    entry = AuditEntry(
        "f" * 32,
        1_800_000_000_123,
        operation,
        actor,
        project="platform" if name else "",
        repository=name,
        reference="2026.11.26-1234" if name else "",
        digest=f"sha256:{'f' * 64}" if name else "",
        media_type="application/vnd.oci.image.manifest.v1+json" if name else "",
        size=2_100 if name else 0,
        detail=detail,
    )
    return 2 * (len(compact(entry.as_json(), ascii_only=False)) + EVENT_BYTES) + len('{"audit":}')


_LAYERS = 8
_BATCH_LINE = 150  # of the webhook function, for what it was handed
# The challenge at the edge; HEAD of the manifest at the API; token, manifest, config and layers at the functions' URLs,
# which cost nothing (docs/adr/0028). Two entries of the trail, each handed over by itself. Reads: 8 for a token, 2 for
# the manifest, 9 for blobs. Writes: the counts of pulls.
PULL = Use(
    api=1,
    edge=5 + _LAYERS,
    responses=0,
    invocations=4 + _LAYERS + 2,
    seconds=0.010 * (4 + _LAYERS) + 0.25 * 0.05 * 2,
    reads=19,
    writes=3,
    logs=(4 + _LAYERS) * line_bytes()
    + entry_bytes(Operation.PULL, "blobs=9 blob_bytes=204800000")
    + entry_bytes(Operation.LOGIN, "method=password")
    + 2 * (_BATCH_LINE + EVENT_BYTES),
    gets=_LAYERS,
    puts=0,
)
# 200 MB in eight new layers by Docker's classic store, all by the API: its few GETs are not subtracted. Units:
# docs/benchmarks.md, "Write units of a push", with the sessions of the relay. Invocations beside the API's: the webhook
# function's (streams, objects) and the indexer's.
PUSH = Use(
    api=31,
    edge=49,
    responses=18 + 18,
    invocations=31 + 12,
    seconds=0.010 * 31 + 0.5 * 0.1 * 12,
    reads=120,
    writes=180 + 29 + 22,
    logs=49 * line_bytes() + 12 * entry_bytes(Operation.PUSH, "") + 12 * (_BATCH_LINE + EVENT_BYTES),
    gets=0,
    puts=60,
    origin_gb=0.2,
    relay=RELAY_PUSH,
)


def rows(load: Load) -> Iterator[tuple[str, float]]:
    """Each service's name and USD a month."""

    def beyond(amount: float, free: float) -> float:
        return max(0.0, amount - free)

    yield "HTTP API", load.of("api") * HTTP_API
    edge = load.of("edge")
    yield (
        "CloudFront: requests, functions, Lambda@Edge",
        beyond(edge, FREE_EDGE_REQUESTS) * EDGE_REQUEST
        + beyond(edge + load.of("responses") / 2, FREE_EDGE_FUNCTIONS) * EDGE_FUNCTION
        + load.of("responses") / 2 * LAMBDA_AT_EDGE,
    )
    yield "CloudFront: bytes to the origin", load.of("origin_gb") * TO_ORIGIN_GB
    yield (
        "Lambda",
        beyond(load.of("invocations"), FREE_LAMBDA_REQUESTS) * LAMBDA_REQUEST
        + beyond(load.of("seconds"), FREE_LAMBDA_SECONDS) * LAMBDA_SECOND,
    )
    yield "the relay, a web function: less than", load.of("relay")
    yield "DynamoDB", load.of("reads") * READ_UNIT + load.of("writes") * WRITE_UNIT
    yield "logs", load.of("logs") * LOG_BYTE
    yield "S3: requests", load.of("gets") * S3_GET + load.of("puts") * S3_PUT
    yield "S3: storage", load.stored * STORED_GB
    yield "KMS key 1.00, secret 0.40", KEY_AND_SECRET


def total(load: Load) -> float:
    return sum(amount for _, amount in rows(load))


def price_of(pulls: int, pushes: int, *, reads: Reads, relay: Relay) -> float:
    """Return what so many pulls or pushes a month cost beside what is fixed and stored: USD, after what is free.

    Where it is not known, reads go to functions and the relay is a web function, as by default. A Fargate task is
    fixed, so pushes do not pay for it.
    """
    load = Load("", pulls, pushes)
    amount = total(load) - KEY_AND_SECRET
    if reads is Reads.API:
        amount += pulls * (PULL.edge - 1 - PULL.api) * HTTP_API  # all but the challenge
    if relay in (Relay.FARGATE, Relay.NONE):
        amount -= load.of("relay")
    return amount
