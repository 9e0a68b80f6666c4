"""What commands need of AWS, as Protocols; `aws.py` implements them, and so do the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Secret:
    """A parameter's value, and when it last changed, in seconds since the epoch."""

    value: str = field(repr=False)
    changed: float


class Parameters(Protocol):
    def find(self, name: str) -> Secret | None: ...

    def create(self, name: str, value: str) -> bool:
        """Create a parameter. Return False, changing nothing, if it exists."""
        ...

    def replace(self, name: str, value: str) -> None: ...


class KeyValues(Protocol):
    """CloudFront's key-value store."""

    def find(self, key: str) -> str | None: ...

    def put(self, key: str, value: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A KMS key. `id` is as in `TOKEN_KEYS`; `thumbprint` is the published key's `kid`, empty if it cannot be read."""

    id: str
    spec: str
    usage: str
    state: str
    thumbprint: str = ""


class SigningKeys(Protocol):
    def describe(self, key_id: str) -> SigningKey: ...

    def create(self, alias: str) -> str:
        """Create a key; return its ARN."""
        ...


@dataclass(frozen=True, slots=True)
class TableState:
    name: str
    status: str
    recovery: bool  # point-in-time recovery
    expiry: bool  # TTL on the attribute `expires`
    protected: bool  # against deletion
    items: int  # an estimate, some hours old


@dataclass(frozen=True, slots=True)
class BucketState:
    name: str
    public_access_blocked: bool
    versioned: bool
    encrypted: bool
    tls_only: bool


class Inspector(Protocol):
    """Reads how a deployment is set up."""

    def table(self, name: str) -> TableState: ...

    def bucket(self, name: str) -> BucketState: ...

    def alarms(self, prefix: str) -> Mapping[str, str]:
        """Return the alarms in the state ALARM: description by name."""
        ...


class Logs(Protocol):
    def query(self, group: str, text: str, since: int, until: int) -> Sequence[Mapping[str, str]]:
        """Run a CloudWatch Logs Insights query and return its rows. Times are in seconds since the epoch.

        Raises Failure.
        """
        ...


class Account(Protocol):
    """An AWS account in one region, before there is a deployment."""

    @property
    def region(self) -> str: ...

    def identity(self) -> str:
        """Return who the credentials belong to, as an ARN. Raises Failure."""
        ...

    def stack_status(self, name: str) -> str:
        """Return the status of a stack; empty if there is none."""
        ...

    def taken(self, prefix: str) -> Sequence[str]:
        """Return the resources with fixed names that a deployment with this prefix creates and that exist already."""
        ...

    def is_bootstrapped(self) -> bool:
        """Whether the CDK has been set up here."""
        ...

    def lambda_concurrency(self) -> int: ...

    def knows_type(self, name: str) -> bool:
        """Whether CloudFormation has a type of resource here."""
        ...

    def distributions(self) -> int: ...

    def try_distribution(self) -> str:
        """Create a distribution that serves nothing, and delete it. Return why that was refused, or an empty text."""
        ...
