"""The registry as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cli.remote.shapes import HARBOR, OWN, Command, showing


def _cost_rows(found: Any) -> Sequence[Mapping[str, Any]]:
    """The items with their total, then prices of pulls and pushes, then projects; what is not known says so."""
    items = [{**one, "usd": "not known" if one["usd"] is None else one["usd"]} for one in found["items"]]
    total = {"name": "total of what is known", "usd": found["total_known"]}
    rates = [
        {"name": f"not counted: {one['name']} a month", "quantity": one["a_month"], "usd": one["usd"]}
        for one in found["rates"]
    ]
    projects = [
        {"name": f"storage of {one['project']}", "quantity": one["bytes"], "unit": "byte", "usd": one["usd"]}
        for one in found["projects"]
    ]
    more = [{"name": "there are more projects"}] if found["more"] else []
    return [*items, total, *rates, *projects, *more]


COMMANDS: tuple[Command, ...] = (
    showing("system", "show what the registry says of itself", f"{HARBOR}/systeminfo", name="info"),
    showing("system", "show whether the registry works", f"{HARBOR}/health", name="health"),
    showing("system", "count projects and repositories", f"{HARBOR}/statistics", name="statistics"),
    Command(
        "system",
        "costs",
        "estimate what the registry costs a month, by list prices: it is not the bill",
        "GET",
        f"{OWN}/costs",
        columns={"NAME": "name", "QUANTITY": "quantity", "UNIT": "unit", "USD": "usd"},
        rows=_cost_rows,
    ),
)
