"""A cloud for each process of tests, emptied for each test."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from roadstead.aws.content import index_items
from roadstead.content.uploads import uploads
from roadstead.content.uploads import writer as upload_writer
from tests.invariants.cloud import Cloud
from tests.invariants.registry import PART_BYTES, TAIL_BYTES


@pytest.fixture(scope="session")
def shared_cloud() -> Cloud:
    logging.getLogger("s3").setLevel(logging.WARNING)
    return Cloud()


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Iterator[Cloud]:
    shared_cloud.thaw()
    yield shared_cloud
    shared_cloud.thaw()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads of a few KB take the ways that otherwise take MB."""
    monkeypatch.setattr(upload_writer, "MIN_PART", PART_BYTES)
    monkeypatch.setattr(upload_writer, "MAX_TAIL", TAIL_BYTES)
    monkeypatch.setattr(uploads, "READ_BACK_BYTES", 2 * PART_BYTES)


@pytest.fixture(autouse=True)
def one_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the collector's calls are those that race, not looks into empty partitions."""
    monkeypatch.setattr(index_items, "_SHARDS", 1)
