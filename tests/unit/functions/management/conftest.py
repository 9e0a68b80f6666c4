"""What the management function does on AWS, recorded once for the tests that look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.functions.management.cloud import Called, Place, running
from tests.unit.functions.management.recording import Recorded, record_changes, record_reads


@pytest.fixture(scope="package")
def deployment() -> Iterator[Place]:
    with pytest.MonkeyPatch.context() as patch, running(patch) as one:
        yield one


@pytest.fixture(scope="package")
def recorded(deployment: Place) -> dict[str, Recorded]:
    """Every change, by its route's operation."""
    return record_changes(deployment)


@pytest.fixture(scope="package")
def reads(deployment: Place) -> dict[str, tuple[int, tuple[Called, ...]]]:
    """The status and the calls of every read, by its route's operation."""
    return record_reads(deployment)


@pytest.fixture
def place(deployment: Place) -> Place:
    """A deployment with nothing in it but its administrator."""
    deployment.begin()
    return deployment
