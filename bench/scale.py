"""What binds the registry at a number of pulls a second, and which setting lifts it: arithmetic, no measurement of AWS.

A pull is what a client does: a token, HEAD and GET of the manifest by tag, GET of config and layers. The calls of each
request come from `bench.calls`, that is, from the real handlers; durations in Lambda are assumptions, given below and
on the command line; quotas are AWS's published defaults, each with its source. What is printed is the share of each
quota that the load takes: above 100 % it binds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.calls import Counts
from bench.table import table

LOADS = (10, 1_000, 100_000)  # pulls a second
READ_UNITS = 1  # of a strongly consistent read up to 4 KB; links and tags are below, small manifests mostly


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
class Quota:
    """A published default, as of 2026-11; `lift` is what raises it."""

    limit: float
    unit: str
    source: str
    lift: str


QUOTAS: Mapping[Resource, Quota] = {
    Resource.API: Quota(
        10_000, "/s", "API Gateway quotas (2,500 in some regions)", "a request for a higher account quota"
    ),
    Resource.LAMBDA: Quota(1_000, "", "Lambda quotas (10 in new accounts)", "a request for a higher account quota"),
    Resource.LAMBDA_RATE: Quota(
        100, "/s", "Lambda scaling behavior: 1,000 each 10 s and function", "provisioned concurrency before a rush"
    ),
    Resource.TABLE: Quota(40_000, "/s", "DynamoDB quotas, on demand, each table", "a request for a higher table quota"),
    Resource.PARTITION: Quota(
        3_000, "/s", "DynamoDB: read units of one partition", "DynamoDB splits a hot repository by key, over minutes"
    ),
    Resource.KMS: Quota(
        1_000, "/s", "KMS request quotas, cryptographic operations (ECC)", "TOKEN_MODE=certified, which is the default"
    ),
    Resource.S3: Quota(
        5_500, "/s", "S3: requests a second and prefix", "nothing: S3 splits by key by itself, over minutes"
    ),
    Resource.EDGE: Quota(250_000, "/s", "CloudFront quotas, each distribution", "a request for a higher quota"),
}


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Seconds that an invocation takes in Lambda beside its calls, and that a call takes; what a client fetches."""

    layers: int = 8  # and a config
    handler: float = 0.002
    call: float = 0.004
    cold_share: float = 0.001  # of invocations that start an environment, in steady load
    lifetime: float = 3_600.0  # seconds between two certificates of an environment
    direct_mode: bool = False
    hottest: float = 0.2  # share of all pulls that go to the most popular repository


@dataclass(frozen=True, slots=True)
class Demand:
    """What one load asks of one resource."""

    resource: Resource
    amount: float

    @property
    def share(self) -> float:
        return self.amount / QUOTAS[self.resource].limit


def requests_of_a_pull(counts: Counts, layers: int) -> dict[str, tuple[int, int]]:
    """By operation of `bench.calls`: how often a pull does it, and how many calls to DynamoDB each has."""
    often = {
        "GET token, password known": 1,
        "HEAD manifest by tag": 1,
        "GET manifest by tag": 1,
        "GET blob, 256 KiB: 307 to S3": layers + 1,
    }
    return {name: (times, sum(call.startswith("dynamodb.") for call in counts[name])) for name, times in often.items()}


def demands(pulls: float, counts: Counts, assumed: Assumptions) -> list[Demand]:
    """What `pulls` a second ask for."""
    requests = requests_of_a_pull(counts, assumed.layers)
    api = pulls * sum(times for times, _ in requests.values())
    seconds = pulls * sum(times * (assumed.handler + reads * assumed.call) for times, reads in requests.values())
    index = pulls * sum(times * reads for name, (times, reads) in requests.items() if "token" not in name)
    tokens = pulls * requests["GET token, password known"][0]
    environments = max(1.0, tokens * (assumed.handler + assumed.call))
    return [
        Demand(Resource.API, api),
        Demand(Resource.LAMBDA, seconds),
        Demand(Resource.LAMBDA_RATE, api * assumed.cold_share),
        Demand(Resource.TABLE, index * READ_UNITS),
        Demand(Resource.PARTITION, index * READ_UNITS * assumed.hottest),
        Demand(Resource.KMS, tokens if assumed.direct_mode else environments / assumed.lifetime),
        Demand(Resource.S3, pulls * (assumed.layers + 1) * assumed.hottest),
        Demand(Resource.EDGE, api),
    ]


def binding(found: Sequence[Demand]) -> Demand:
    """What gives way first."""
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
        "What binds, by arithmetic",
        f"Pulls a second of an image with {assumed.layers} layers: token, HEAD and GET of the tag, "
        f"{assumed.layers + 1} blobs. Calls are counted in the real handlers; assumed are "
        f"{assumed.handler * 1000:g} ms of CPU an invocation, {assumed.call * 1000:g} ms a call, "
        f"{assumed.hottest:.0%} of all pulls on one repository, {assumed.cold_share:.1%} cold starts. "
        "Nothing here was measured in AWS.",
        ["resource", "quota", *(f"{load:,}/s" for load in LOADS), "lifted by"],
        rows,
        prose=True,
    )
    sources = [f"  {resource.value}: {quota.source}" for resource, quota in QUOTAS.items()]
    return "\n".join([text, *verdicts, "", "Quotas by", *sources, ""])


def _share(share: float) -> str:
    return f"{share:.1%}" if share < 10 else f"{share * 100:,.0f}%"


def _verdict(first: Demand) -> str:
    quota = QUOTAS[first.resource]
    if first.share <= 1:
        return f"nothing binds; nearest is {first.resource.value} at {_share(first.share)} of its quota"
    return f"{first.resource.value} binds at {1 / first.share:.2%} of that load; lifted by {quota.lift}"
