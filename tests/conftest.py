"""What more than one suite stands on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.strict_s3 import StrictS3, strict_s3


@pytest.fixture(scope="session")
def strict() -> Iterator[StrictS3]:
    """One strict S3 for all tests of a process, which keep apart by the names of their buckets. A failure, never a
    skip, where it is not installed."""
    with strict_s3() as running:
        yield running


@pytest.fixture(scope="session")
def session_strict(strict: StrictS3) -> StrictS3:
    """The same, for suites whose own `strict` is one of several."""
    return strict
