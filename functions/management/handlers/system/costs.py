"""What the registry costs a month, as far as it knows: an estimate by list prices, not the bill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.management.call import Call
from functions.management.costs import FARGATE, GB, KEY, PRICES_OF, SECRET, STORED_GB, Reads, Relay, price_of
from functions.management.harbor.shapes import timestamp
from functions.management.route import OWN, SystemAdmin, route
from roadstead.http import Response

MOST = 100  # projects that one answer has
REGION = "us-east-1"
_RATES = (("pulls", 300_000, 0), ("pulls", 1_000_000, 0), ("pushes", 0, 15_000))  # pulls and pushes a month


def get_costs(call: Call) -> Response:
    """Estimate what a month costs with what is stored now.

    Bytes are what quotas count: a layer of two projects counts in both, and is stored once. Costs one Query for each
    9,000 projects, and a read for each 100.
    """
    services = call.services
    names = [one.project.name for one in call.visible_projects(roles=False)]
    used = services.pages.usage(names) if names else {}
    items = _items(sum(used.values()), services.relay)
    largest = sorted(used, key=lambda name: (-used[name], name))
    document = {
        "as_of": timestamp(int(services.clock())),
        "currency": "USD",
        "prices_of": PRICES_OF,
        "region": REGION,
        "reads": _known(services.reads),
        "relay": _known(services.relay),
        "items": items,
        "total_known": _usd(sum(one["usd"] for one in items if one["usd"] is not None)),
        "rates": _rates(services.reads, services.relay),
        "projects": [
            {"project": name, "bytes": used[name], "usd": _usd(used[name] / GB * STORED_GB)} for name in largest[:MOST]
        ],
        "more": len(largest) > MOST,
    }
    return Response.json(200, document)


def _items(stored: int, relay: Relay) -> Sequence[dict[str, Any]]:
    return [
        _item("signing-key", 1, "key", KEY),
        _item("secret", 1, "secret", SECRET),
        _relay(relay),
        _item("storage", stored, "byte", stored / GB * STORED_GB),
        _item("deleted", None, "byte", None),  # what stays until the trash and the collector let it go, and versions
        _item("tables", None, "byte", None),  # with their backups
        _item("pulls", None, "pull", None),
        _item("pushes", None, "push", None),
        _item("transfer", None, "byte", None),
    ]


def _relay(relay: Relay) -> dict[str, Any]:
    """One task, of the default size; a web function is billed by pushes."""
    quantity, amount = {
        Relay.FARGATE: (1, FARGATE),
        Relay.WEB_FUNCTION: (0, 0.0),
        Relay.NONE: (0, 0.0),
        Relay.UNKNOWN: (None, None),
    }[relay]
    return _item("relay", quantity, "task", amount)


def _rates(reads: Reads, relay: Relay) -> list[dict[str, Any]]:
    return [
        {"name": name, "a_month": pulls or pushes, "usd": _usd(price_of(pulls, pushes, reads=reads, relay=relay))}
        for name, pulls, pushes in _RATES
    ]


def _item(name: str, quantity: int | None, unit: str, usd: float | None) -> dict[str, Any]:
    return {"name": name, "quantity": quantity, "unit": unit, "usd": None if usd is None else _usd(usd)}


def _known(value: Reads | Relay) -> str | None:
    return None if value.value == "unknown" else value.value


def _usd(amount: float) -> float:
    return round(amount, 4)


ROUTES = (route("getCosts", "GET", f"{OWN}/costs", SystemAdmin(), get_costs),)
