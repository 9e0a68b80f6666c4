"""The part of a partition that a Query reads: one key condition, which DynamoDB wants as one range of sort keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_SORT_KEY = 1_000  # bytes of a sort key that is searched for: DynamoDB takes 1,024, and no key of ours has half
_LAST = "\U0010ffff"  # sorts behind every other character


@dataclass(frozen=True, slots=True)
class Order:
    """What a partition is sorted by: the attribute `key`, in the table itself or in the index of that name."""

    key: str
    index: str = ""


BY_KEY = Order("sk")


@dataclass(frozen=True, slots=True)
class Range:
    """Sort keys that begin with `prefix` and come after `after`: above it, or below where it is read `backward`."""

    pk: str
    prefix: str = ""
    after: str | None = None
    backward: bool = False
    order: Order = BY_KEY

    def __post_init__(self) -> None:
        # First of all: what is not UTF-8 would sort elsewhere once it is.
        if self.after is not None:
            object.__setattr__(self, "after", _shortened(self.after))

    @property
    def empty(self) -> bool:
        """Whether no key can be in it; DynamoDB refuses a range that is upside down."""
        if self.after is None:
            return False
        return self.after <= self.prefix if self.backward else self.after >= self._last

    @property
    def inclusive(self) -> bool:
        """Whether the condition lets through the key `after` itself: no key is the last one below another."""
        return self.backward and self.after is not None and self.after < self._last

    @property
    def _last(self) -> str:
        return self.prefix + _LAST

    def condition(self) -> tuple[str, dict[str, Any], dict[str, str]]:
        """A KeyConditionExpression with its values and names."""
        between = self._between()
        names, values = {"#pk": "pk"}, {":pk": self.pk}
        if between is None and not self.prefix:
            return "#pk = :pk", values, names
        names["#sk"] = self.order.key
        if between is None:
            return "#pk = :pk AND begins_with(#sk, :prefix)", {**values, ":prefix": self.prefix}, names
        first, last = between
        return "#pk = :pk AND #sk BETWEEN :from AND :to", {**values, ":from": first, ":to": last}, names

    def _between(self) -> tuple[str, str] | None:
        """The first and the last sort key, where the prefix alone does not say it."""
        if self.after is None:
            return None
        if not self.backward:
            return (self.after + "\0", self._last) if self.after >= self.prefix else None
        return (self.prefix or "\0", self.after) if self.after < self._last else None


def _shortened(key: str) -> str:
    """A key to begin behind, cut to what DynamoDB takes; the same, to keys that are shorter than the cut."""
    return key.encode("utf-8", "replace")[:MAX_SORT_KEY].decode("utf-8", "ignore")
