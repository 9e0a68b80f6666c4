"""Garbage collection over Harbor's API, as Terraform's provider and harborapi call it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from roadstead.lifecycle.executions.executions import LogPart, Status
from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import Browser, Desk, basic

GC = "/api/v2.0/system/gc"
ADA = basic("ada")


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def run(browser: Browser, **parameters: Any) -> int:
    body = {"schedule": {"type": "Manual"}, "parameters": parameters}
    status, _, headers = browser.ask("POST", f"{GC}/schedule", body, ADA)
    assert status == 201
    return int(headers["location"].removeprefix(f"{GC}/"))


def test_there_is_a_schedule_before_anybody_sets_one(browser: Browser) -> None:
    status, document, _ = browser.ask("GET", f"{GC}/schedule", headers=ADA)
    assert (status, document["schedule"]) == (200, {"type": "Hourly", "cron": "0 0 * * * *"})
    assert json.loads(document["job_parameters"])["delete_untagged"] is False


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"type": "Daily"}, ("Daily", "0 0 0 * * *", "2027-01-16T00:00:00.000Z")),
        ({"type": "Weekly", "cron": "ignored"}, ("Weekly", "0 0 0 * * 0", "2027-01-17T00:00:00.000Z")),
        ({"type": "Custom", "cron": "0 30 3 * * *"}, ("Custom", "0 30 3 * * *", "2027-01-16T03:30:00.000Z")),
        ({"type": "None"}, ("None", "", None)),
    ],
)
def test_a_schedule_is_set_by_either_method(browser: Browser, sent: Any, shown: tuple[Any, ...]) -> None:
    body = {"schedule": sent, "parameters": {"delete_untagged": True, "workers": 1}}
    for method in ("PUT", "PUT"):
        assert browser.ask(method, f"{GC}/schedule", body, ADA)[0] == 200
    document = browser.ask("GET", f"{GC}/schedule", headers=ADA)[1]
    schedule = document["schedule"]
    assert (schedule["type"], schedule["cron"], schedule.get("next_scheduled_time")) == shown
    assert json.loads(document["job_parameters"])["delete_untagged"] is True
    again = browser.ask("POST", f"{GC}/schedule", body, ADA)[0]
    assert again == (201 if sent["type"] == "None" else 409)
    changes = [one for one in browser.desk.index.events if one.operation is Operation.CHANGE_COLLECTION]
    assert changes[0].detail.startswith(f"every={sent['type'].lower()}")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"schedule": {"type": "Custom", "cron": "daily"}},
        {"schedule": {"type": "Yearly"}},
        {"schedule": {"type": 1}},
        {"schedule": {"type": "Daily"}, "parameters": {"delete_untagged": "yes"}},
        {"schedule": {"type": "Daily"}, "parameters": []},
    ],
)
def test_a_schedule_that_cannot_be_is_refused(browser: Browser, body: Any) -> None:
    assert browser.ask("PUT", f"{GC}/schedule", body, ADA)[0] == 400


def test_a_run_by_hand_is_in_the_history_with_what_it_freed(browser: Browser) -> None:
    id_ = run(browser, dry_run=True)
    again = {"schedule": {"type": "Manual"}}
    assert browser.ask("POST", f"{GC}/schedule", again, ADA)[0] == 409
    was = browser.desk.executions.find(id_)
    assert was is not None
    progress = {
        "bytes_freed": 9,
        "blobs_deleted": 2,
        "leftovers_deleted": 1,
        "manifests_deleted": 3,
        "recovery_days": 1,
    }
    done = replace(was, status=Status.SUCCESS, ended=was.created + 1_000, progress=progress)
    browser.desk.executions.save(was, done, logs=[LogPart(1, 0, "blobs_deleted=2\n")])
    status, (one,), headers = browser.ask("GET", GC, headers=ADA)
    assert (status, headers["x-total-count"], one["id"], one["job_status"]) == (200, "1", id_, "Success")
    assert (one["job_kind"], one["schedule"]["type"]) == ("MANUAL", "Manual")
    parameters = json.loads(one["job_parameters"])
    assert (parameters["freed_space"], parameters["purged_blobs"], parameters["purged_manifests"]) == (9, 3, 3)
    assert parameters["dry_run"] is True
    ended = datetime.fromtimestamp(done.ended / 1000, UTC)
    until = (ended + timedelta(days=2)).strftime("%Y-%m-%dT00:00:00.000Z")
    assert parameters["stored_until"] == until
    assert browser.ask("GET", f"/api/roadstead/v1/executions/{id_}", headers=ADA)[1]["stored_until"] == until
    assert browser.ask("GET", f"{GC}/{id_}", headers=ADA)[1] == one
    assert browser.ask("GET", f"{GC}/{id_}/log", headers=ADA)[0] == 200
    assert browser.ask("PUT", f"{GC}/{id_}", headers=ADA)[0] == 400
    run(browser)


def test_a_run_can_be_stopped(browser: Browser) -> None:
    id_ = run(browser)
    assert browser.ask("PUT", f"{GC}/{id_}", headers=ADA)[0] == 200
    found = browser.desk.executions.find(id_)
    assert found is not None
    assert found.stopping
    for text in ("17", "x", "9" * 30):
        assert browser.ask("PUT", f"{GC}/{text}", headers=ADA)[0] == 404


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("", 401)])
def test_collecting_is_for_system_administrators(browser: Browser, who: str, status: int) -> None:
    headers = basic(who) if who else {}
    for method, path in (("GET", GC), ("GET", f"{GC}/schedule"), ("POST", f"{GC}/schedule"), ("PUT", f"{GC}/1")):
        assert browser.ask(method, path, None if method == "GET" else {}, headers)[0] == status
