"""What a month costs, as far as the registry knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.management.application import Application
from functions.management.composition import build
from functions.management.costs import GB, PRICES_OF, Reads, Relay
from functions.management.handlers.system import costs as costs_module
from functions.management.settings import Settings
from roadstead.aws.catalog.dynamodb_pages import DynamoPages
from roadstead.aws.table import Table
from roadstead.digest import Digest
from roadstead.names import ProjectName
from tests.unit.functions.management.client import Browser, Desk, basic

PATH = "/api/roadstead/v1/costs"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def store(desk: Desk, project: str, *sizes: int) -> None:
    own = {Digest.of(f"{size}".encode()): size for size in sizes}
    desk.catalog.change_usage(ProjectName(project), own=own, disown={})


def costs(desk: Desk, who: str = "ada") -> Any:
    status, found, _ = Browser(desk).ask("GET", PATH, headers=basic(who))
    assert status == 200
    return found


def told(desk: Desk, reads: Reads, relay: Relay) -> None:
    desk.application = Application(replace(desk.services, reads=reads, relay=relay))


def amounts(found: Any) -> dict[str, float | None]:
    return {one["name"]: one["usd"] for one in found["items"]}


def test_an_idle_registry_pays_for_its_key_and_its_secret(desk: Desk) -> None:
    told(desk, Reads.FUNCTION, Relay.WEB_FUNCTION)
    found = costs(desk)
    assert (found["total_known"], found["projects"], found["more"]) == (1.40, [], False)
    assert (found["as_of"], found["currency"]) == ("2027-01-15T08:00:00.000Z", "USD")
    assert (found["prices_of"], found["region"]) == (PRICES_OF, "us-east-1")
    assert {name for name, usd in amounts(found).items() if usd == 0} == {"relay", "storage"}


def test_storage_is_what_quotas_count_by_project_the_largest_first(desk: Desk) -> None:
    store(desk, "open", 10 * GB)
    store(desk, "ships", 10 * GB, 90 * GB)  # one layer is in both
    found = costs(desk)
    assert found["projects"] == [
        {"project": "ships", "bytes": 100 * GB, "usd": 2.3},
        {"project": "open", "bytes": 10 * GB, "usd": 0.23},
    ]
    (storage,) = (one for one in found["items"] if one["name"] == "storage")
    assert storage == {"name": "storage", "quantity": 110 * GB, "unit": "byte", "usd": 2.53}
    assert found["total_known"] == 3.93


def test_what_is_not_known_is_null_and_not_in_the_total(desk: Desk) -> None:
    found = costs(desk)
    unknown = {"relay", "deleted", "tables", "pulls", "pushes", "transfer"}
    assert {name for name, usd in amounts(found).items() if usd is None} == unknown
    assert {one["name"] for one in found["items"] if one["quantity"] is None} == unknown
    assert (found["reads"], found["relay"], found["total_known"]) == (None, None, 1.40)


@pytest.mark.parametrize(
    ("relay", "usd", "pushes"), [(Relay.FARGATE, 49.40, 67.77), (Relay.NONE, 0, 67.77), (Relay.WEB_FUNCTION, 0, 74.17)]
)
def test_a_relay_costs_by_the_month_or_by_the_push(desk: Desk, relay: Relay, usd: float, pushes: float) -> None:
    told(desk, Reads.FUNCTION, relay)
    found = costs(desk)
    assert (found["relay"], amounts(found)["relay"]) == (relay.value, usd)
    assert found["total_known"] == 1.40 + usd
    assert found["rates"][-1] == {"name": "pushes", "a_month": 15_000, "usd": pytest.approx(pushes, abs=0.005)}


@pytest.mark.parametrize(("reads", "usd"), [(Reads.UNKNOWN, 18.258), (Reads.FUNCTION, 18.258), (Reads.API, 29.258)])
def test_pulls_cost_more_where_the_api_takes_reads(desk: Desk, reads: Reads, usd: float) -> None:
    told(desk, reads, Relay.WEB_FUNCTION)
    assert costs(desk)["rates"][1] == {"name": "pulls", "a_month": 1_000_000, "usd": usd}


def test_that_there_are_more_projects_is_said_and_the_total_has_them_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs_module, "MOST", 1)
    store(desk, "open", GB)
    store(desk, "ships", 2 * GB)
    found = costs(desk)
    assert ([one["project"] for one in found["projects"]], found["more"]) == (["ships"], True)
    assert amounts(found)["storage"] == pytest.approx(3 * 0.023)


class Counting:
    """A DynamoDB without items that counts reads."""

    def __init__(self) -> None:
        self.reads = 0

    def batch_get_item(self, **_: Any) -> dict[str, Any]:
        self.reads += 1
        return {"Responses": {}}


def test_a_thousand_projects_cost_ten_reads_of_usage_and_no_other_call(desk: Desk) -> None:
    for number in range(998):
        desk.accounts.create_project(f"dock{number}")
    dynamodb = Counting()
    desk.application = Application(replace(desk.services, pages=DynamoPages(Table(dynamodb, "index"))))
    assert costs(desk)["projects"] == []
    assert dynamodb.reads == 10


def test_only_system_administrators_see_costs(desk: Desk) -> None:
    for who in ("bob", "eve"):
        assert Browser(desk).ask("GET", PATH, headers=basic(who))[0] == 403
    assert Browser(desk).ask("GET", PATH)[0] == 401


def test_the_function_is_told_of_its_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    least = {"IDENTITY_TABLE": "identity", "INDEX_TABLE": "index", "BUCKET": "bucket"}
    services = build(Settings.from_environ({**least, "READS": "api", "RELAY_KIND": "fargate"}))
    assert (services.reads, services.relay) == (Reads.API, Relay.FARGATE)
