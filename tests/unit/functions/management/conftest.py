"""What the management function does on AWS, recorded once for the tests that look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.functions.management.cloud import Called, Place, running
from tests.unit.functions.management.recording import Recorded, record_changes, record_reads

# Each recording ends its cloud: moto has one for the whole process.


@pytest.fixture(scope="session")
def recorded() -> dict[str, Recorded]:
    """Every change, by its route's operation."""
    with pytest.MonkeyPatch.context() as patch, running(patch) as place:
        return record_changes(place)


@pytest.fixture(scope="session")
def reads() -> dict[str, tuple[int, tuple[Called, ...]]]:
    """The status and the calls of every read, by its route's operation."""
    with pytest.MonkeyPatch.context() as patch, running(patch) as place:
        return record_reads(place)


@pytest.fixture
def place() -> Iterator[Place]:
    """A deployment with nothing in it but its administrator."""
    with pytest.MonkeyPatch.context() as patch, running(patch) as one:
        yield one
