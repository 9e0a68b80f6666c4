"""What commands ask of AWS, in their own words; `aws.py` has the answers, tests have others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Secret:
    """A parameter's value and when it was last changed, in seconds since the epoch."""

    value: str = field(repr=False)
    changed: float


class Parameters(Protocol):
    def find(self, name: str) -> Secret | None: ...

    def create(self, name: str, value: str) -> bool:
        """False, and nothing changed, when there is one already."""
        ...

    def replace(self, name: str, value: str) -> None: ...


class KeyValues(Protocol):
    """CloudFront's key-value store."""

    def find(self, key: str) -> str | None: ...

    def put(self, key: str, value: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A KMS key as `TOKEN_KEYS` names it. `thumbprint` as the published key's `kid`; empty when it cannot be read."""

    id: str
    spec: str
    usage: str
    state: str
    thumbprint: str = ""


class SigningKeys(Protocol):
    def describe(self, key_id: str) -> SigningKey: ...

    def create(self, alias: str) -> str:
        """The ARN of a new key."""
        ...


@dataclass(frozen=True, slots=True)
class TableState:
    name: str
    status: str
    recovery: bool  # point-in-time recovery
    expiry: bool  # TTL by `expires`
    protected: bool  # from deletion
    items: int  # about, some hours old


@dataclass(frozen=True, slots=True)
class BucketState:
    name: str
    public_access_blocked: bool
    versioned: bool
    encrypted: bool
    tls_only: bool


class Inspector(Protocol):
    """How things are set up."""

    def table(self, name: str) -> TableState: ...

    def bucket(self, name: str) -> BucketState: ...

    def alarms(self, prefix: str) -> Mapping[str, str]:
        """Names of alarms that ring, and why they do."""
        ...


class Logs(Protocol):
    def query(self, group: str, text: str, since: int, until: int) -> Sequence[Mapping[str, str]]:
        """The rows of a query of CloudWatch Logs Insights; times in seconds since the epoch. Raises Failure."""
        ...


class Listing(Protocol):
    """Everything of a kind, sorted; reads the whole identity table, but no password hash."""

    def users(self) -> Sequence[Mapping[str, object]]: ...

    def projects(self) -> Sequence[Mapping[str, object]]: ...

    def members(self, project: str) -> Mapping[str, str]:
        """Role by user."""
        ...
