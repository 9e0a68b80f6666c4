"""Requests beside one another, their AWS calls in every order that a plan gives: the invariants hold after each."""

from __future__ import annotations

import os

import pytest

from tests.invariants.cloud import Cloud
from tests.invariants.invariants import check
from tests.invariants.operations import DOCUMENTS, Work
from tests.invariants.registry import Registry
from tests.invariants.scenarios import SCENARIOS, Ends, Scenario, end_of
from tests.invariants.schedules import Chooser, Run, interleave, plans, switching

# How many orders of each scenario; a nightly run can try more.
SCHEDULES = int(os.environ.get("INVARIANT_SCHEDULES", "90"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_interleaved_requests_end_as_if_serial(cloud: Cloud, scenario: Scenario) -> None:
    work = Work()
    scenario.prepare(Registry(cloud), work)
    check(cloud, DOCUMENTS)
    before = cloud.freeze()
    count = len(scenario.requests)
    seen: set[Ends] = set()
    serial = [_run(cloud, before, scenario, work, switching(first, ())) for first in range(count)]
    steps = max(len(run.trace) for run in serial)
    for name, choose in plans(steps, count, SCHEDULES):
        run = _run(cloud, before, scenario, work, choose)
        try:
            ends = tuple(end_of(outcome) for outcome in run.outcomes)
            assert ends in scenario.ends, f"they ended as {ends}"
            assert scenario.after(Registry(cloud), ends), f"not so after {ends}"
            check(cloud, DOCUMENTS)
        except Exception as error:
            raise AssertionError("\n".join([f"{scenario.name}: {name}: {error!r}", *run.trace])) from error
        seen.add(ends)
    assert seen >= {tuple(end_of(outcome) for outcome in run.outcomes) for run in serial}


def _run(cloud: Cloud, before: tuple[object, ...], scenario: Scenario, work: Work, choose: Chooser) -> Run:
    cloud.thaw(before)
    operations = [lambda request=request: request(Registry(cloud), work) for request in scenario.requests]
    return interleave(cloud, operations, choose)
