"""Which AWS quota limits the registry at a number of pulls a second, and what raises it. Arithmetic, not a measurement.

A pull is a token, HEAD and GET of the manifest by tag, and GET of config and layers. `calls.py` counts the calls of
each request in the real handlers; durations in Lambda are assumptions; quotas are AWS's published defaults, each with
its source. The result is the share of each quota that the load uses: above 100 % the quota is the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.sections.calls import Counts
from bench.table import table

LOADS = (10, 1_000, 100_000)  # pulls a second
READ_UNITS = 1  # of a strongly consistent read up to 4 KB, as of links, tags and most small manifests
_REQUEST = "a request for a higher quota"
_PASSWORD_TOKEN = "GET token, password known"


class Resource(StrEnum):
    API = "API Gateway requests"
    LAMBDA = "Lambda concurrency"
    LAMBDA_RATE = "Lambda environments, new"
    TABLE = "DynamoDB reads, table"
    PARTITION = "DynamoDB reads, one repository"
    KMS = "KMS signatures"
    S3 = "S3 GETs, one prefix"
    EDGE = "CloudFront requests"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What nobody measured: seconds in Lambda for an invocation and for a call, and what clients fetch."""

    layers: int = 8  # and a config
    handler: float = 0.002
    call: float = 0.004
    cold_share: float = 0.001  # of invocations that start an environment, in steady load
    lifetime: float = 3_600.0  # seconds between two certificates of an environment
    direct_mode: bool = False
    hottest: float = 0.2  # share of all pulls that go to the most popular repository


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of pulls amounts to, per second."""

    pulls: float
    requests: float
    seconds: float  # of Lambda
    index_reads: float
    tokens: float
    assumed: Assumptions

    @property
    def certificates(self) -> float:
        """Signatures by KMS: one for each token environment and lifetime."""
        environments = max(1.0, self.tokens * (self.assumed.handler + self.assumed.call))
        return environments / self.assumed.lifetime


@dataclass(frozen=True, slots=True)
class Quota:
    """A published default, as of 2026-11. `amount` is what a load uses of it; `lift` says what raises it."""

    limit: float
    unit: str
    source: str
    lift: str
    amount: Callable[[Load], float]


QUOTAS: Mapping[Resource, Quota] = {
    Resource.API: Quota(
        10_000, "/s", "API Gateway quotas (2,500 in some regions)", _REQUEST, lambda load: load.requests
    ),
    Resource.LAMBDA: Quota(1_000, "", "Lambda quotas (10 in new accounts)", _REQUEST, lambda load: load.seconds),
    Resource.LAMBDA_RATE: Quota(
        100,
        "/s",
        "Lambda scaling behavior: 1,000 each 10 s and function",
        "provisioned concurrency before a rush",
        lambda load: load.requests * load.assumed.cold_share,
    ),
    Resource.TABLE: Quota(
        40_000, "/s", "DynamoDB quotas, on demand, each table", _REQUEST, lambda load: load.index_reads * READ_UNITS
    ),
    Resource.PARTITION: Quota(
        3_000,
        "/s",
        "DynamoDB: read units of one partition",
        "DynamoDB, which splits a hot repository by key, over minutes",
        lambda load: load.index_reads * READ_UNITS * load.assumed.hottest,
    ),
    Resource.KMS: Quota(
        1_000,
        "/s",
        "KMS request quotas, cryptographic operations (ECC)",
        "TOKEN_MODE=certified, which is the default",
        lambda load: load.tokens if load.assumed.direct_mode else load.certificates,
    ),
    Resource.S3: Quota(
        5_500,
        "/s",
        "S3: requests a second and prefix",
        "S3, which splits by key, over minutes",
        lambda load: load.pulls * (load.assumed.layers + 1) * load.assumed.hottest,
    ),
    Resource.EDGE: Quota(250_000, "/s", "CloudFront quotas, each distribution", _REQUEST, lambda load: load.requests),
}


@dataclass(frozen=True, slots=True)
class Demand:
    """How much of one resource a load uses."""

    resource: Resource
    amount: float

    @property
    def share(self) -> float:
        return self.amount / QUOTAS[self.resource].limit


def requests_of_a_pull(counts: Counts, layers: int) -> dict[str, tuple[int, int]]:
    """Return, by operation of `bench.sections.calls`, its number in a pull and its calls to DynamoDB."""
    often = {
        _PASSWORD_TOKEN: 1,
        "HEAD manifest by tag": 1,
        "GET manifest by tag": 1,
        "GET blob, 256 KiB: 307 to S3": layers + 1,
    }
    return {name: (times, sum(call.startswith("dynamodb.") for call in counts[name])) for name, times in often.items()}


def demands(pulls: float, counts: Counts, assumed: Assumptions) -> list[Demand]:
    """Return what `pulls` a second use of each resource."""
    requests = requests_of_a_pull(counts, assumed.layers)
    load = Load(
        pulls=pulls,
        requests=pulls * sum(times for times, _ in requests.values()),
        seconds=pulls * sum(times * (assumed.handler + reads * assumed.call) for times, reads in requests.values()),
        index_reads=pulls * sum(times * reads for name, (times, reads) in requests.items() if name != _PASSWORD_TOKEN),
        tokens=pulls * requests[_PASSWORD_TOKEN][0],
        assumed=assumed,
    )
    return [Demand(resource, quota.amount(load)) for resource, quota in QUOTAS.items()]


def binding(found: Sequence[Demand]) -> Demand:
    """Return the demand with the largest share of its quota."""
    return max(found, key=lambda demand: demand.share)


def show(counts: Counts, assumed: Assumptions) -> str:
    by_load = {load: demands(load, counts, assumed) for load in LOADS}
    rows = []
    for place, resource in enumerate(Resource):
        quota = QUOTAS[resource]
        shares = [_share(by_load[load][place].share) for load in LOADS]
        rows.append([resource.value, f"{quota.limit:,.0f}{quota.unit}", *shares, quota.lift])
    verdicts = [f"{load:>7,} pulls/s: {_verdict(binding(found))}" for load, found in by_load.items()]
    text = table(
        "Which quota is the limit, by arithmetic",
        f"Pulls a second of an image with {assumed.layers} layers: token, HEAD and GET of the tag, "
        f"{assumed.layers + 1} blobs. Calls are counted in the real handlers. Assumed: "
        f"{assumed.handler * 1000:g} ms of CPU an invocation, {assumed.call * 1000:g} ms a call, "
        f"{assumed.hottest:.0%} of all pulls on one repository, {assumed.cold_share:.1%} cold starts. "
        "Nothing here was measured in AWS.",
        ["resource", "quota", *(f"{load:,}/s" for load in LOADS), "raised by"],
        rows,
        prose=True,
    )
    sources = [f"  {resource.value}: {quota.source}" for resource, quota in QUOTAS.items()]
    return "\n".join([text, *verdicts, "", "Sources", *sources, ""])


def _share(share: float) -> str:
    return f"{share:.1%}" if share < 10 else f"{share * 100:,.0f}%"


def _verdict(first: Demand) -> str:
    quota = QUOTAS[first.resource]
    if first.share <= 1:
        return f"within all quotas; the nearest is {first.resource.value} at {_share(first.share)}"
    return f"{first.resource.value} is the limit, at {1 / first.share:.2%} of that load; raised by {quota.lift}"
