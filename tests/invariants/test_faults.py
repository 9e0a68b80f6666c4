"""Every operation with a fault at every one of its AWS calls: the invariants hold, and trying again succeeds."""

from __future__ import annotations

import pytest
from botocore.exceptions import BotoCoreError

from roadstead.errors import RegistryError
from tests.invariants.cloud import Cloud
from tests.invariants.faults import Crash, Fault, Faulty
from tests.invariants.invariants import check
from tests.invariants.operations import DOCUMENTS, OPERATIONS, Operation, Work
from tests.invariants.registry import Registry


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_after_a_fault_at_any_call_a_retry_succeeds(cloud: Cloud, operation: Operation, fault: Fault) -> None:
    work = Work()
    operation.prepare(Registry(cloud), work)
    check(cloud, DOCUMENTS)
    before = cloud.freeze()
    whole = Faulty()
    with cloud.intercepted(whole):
        operation.run(Registry(cloud), work)
    assert operation.achieved(Registry(cloud), work)
    check(cloud, DOCUMENTS)
    for place, call in enumerate(whole.calls):
        cloud.thaw(before)
        try:
            _strike(cloud, operation, work, Faulty(fault, place))
            _try_again(cloud, operation, work)
        except AssertionError as error:
            raise AssertionError(f"{operation.name}: {fault} call {place}, {call}: {error}") from error


def _strike(cloud: Cloud, operation: Operation, work: Work, faulty: Faulty) -> None:
    expected = () if faulty.fault is Fault.REPEATED else (Crash, BotoCoreError)
    try:
        with cloud.intercepted(faulty):
            operation.run(Registry(cloud), work)
    except expected:
        pass
    except RegistryError as error:
        raise AssertionError(f"a repeated request is refused: {error}") from error
    assert faulty.struck
    check(cloud, DOCUMENTS)


def _try_again(cloud: Cloud, operation: Operation, work: Work) -> None:
    try:
        operation.run(Registry(cloud), work)
    except RegistryError as error:
        assert error.entries[0].code in operation.over, f"the next try is refused: {error}"
    check(cloud, DOCUMENTS)
    assert operation.achieved(Registry(cloud), work), "it was not achieved"
    check(cloud, DOCUMENTS)
