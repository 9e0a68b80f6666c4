"""The backends on which every contract suite runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import aws


@pytest.fixture(scope="session")
def ministack_endpoint() -> Iterator[str]:
    """One ministack for all tests of a process. Tests keep apart by the names of their tables and buckets."""
    with aws.ministack() as endpoint:
        yield endpoint
