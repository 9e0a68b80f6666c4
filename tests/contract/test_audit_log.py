"""What every log of the trail and every store of pull counts does."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore import xform_name
from moto import mock_aws

from local.audit import TrailReader
from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.table import Table
from roadstead.aws.trail.cloudwatch_logs import CloudWatchAuditLog
from roadstead.names import RepositoryName
from roadstead.trail.audit_log import Appended, AuditLog, LogLine
from roadstead.trail.pull_counts import REMEMBERED, Artifact, PullCounts, Puller, Pulls
from tests import aws
from tests.memory.audit import MemoryAuditLog, MemoryPullCounts

NOW = 1_795_521_600_000
SHIPS = RepositoryName("acme/ships")
A, B = Artifact(SHIPS, "sha256:a"), Artifact(SHIPS, "sha256:b")


@dataclass(frozen=True)
class Log:
    log: AuditLog
    written: Callable[[], list[str]]  # ids, in the order in which a reader sees them


def entry(identifier: str, at: int) -> LogLine:
    text = json.dumps({"id": identifier, "time": f"{at:013d}"})
    return LogLine(identifier, at, text)


@pytest.fixture(params=["memory", "moto", "ministack", "embedded"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    if request.param == "memory":
        memory = MemoryAuditLog()
        yield Log(memory, lambda: [line.id for line in memory.lines])
    elif request.param == "moto":
        with mock_aws():
            yield _cloudwatch(aws.client("logs"))
    else:
        yield _cloudwatch(aws.client("logs", request.getfixturevalue(f"{request.param}_endpoint")))


def _cloudwatch(client: Any) -> Log:
    group = f"/audit/{uuid.uuid4().hex}"
    client.create_log_group(logGroupName=group)
    reader: Any = _Calls(client)
    return Log(CloudWatchAuditLog(client, group), lambda: [one["id"] for one in TrailReader(reader, group).entries()])


class _Calls:
    """boto3's client under the interface of the embedded cloud's."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def call(self, _: str, operation: str, **parameters: Any) -> Any:
        return getattr(self._client, xform_name(operation))(**parameters)


def _now() -> int:
    """What is older than two weeks, or in the future, is refused."""
    return int(time.time() * 1000)


def test_lines_are_there_when_they_were_added(log: Log) -> None:
    now = _now()
    assert log.log.append([entry("a", now), entry("b", now + 1)]) == Appended()
    assert log.log.append([entry("c", now + 2)]) == Appended()
    assert log.written() == ["a", "b", "c"]


def test_lines_come_in_any_order(log: Log) -> None:
    now = _now()
    lines = [entry(str(place), now - place * 60_000) for place in range(20)]
    assert log.log.append(lines) == Appended()
    assert sorted(log.written()) == sorted(str(place) for place in range(20))


def test_nothing_is_no_call_and_no_error(log: Log) -> None:
    assert log.log.append([]) == Appended()
    assert log.written() == []


def test_more_than_one_batch_is_written(log: Log) -> None:
    now = _now()
    filler = "x" * 200_000
    lines = [LogLine(str(place), now, json.dumps({"id": str(place), "time": "0", "x": filler})) for place in range(12)]
    assert log.log.append(lines) == Appended()
    assert sorted(log.written()) == sorted(str(place) for place in range(12))


def test_a_line_that_is_too_long_is_rejected_and_holds_up_no_other(log: Log) -> None:
    now = _now()
    long = LogLine("long", now, json.dumps({"id": "long", "time": "0", "x": "é" * 131_072}))
    assert log.log.append([entry("a", now), long, entry("b", now)]) == Appended(rejected=(long,))
    assert sorted(log.written()) == ["a", "b"]


@pytest.fixture(params=["memory", "moto", "ministack", "embedded"])
def counts(request: pytest.FixtureRequest) -> Iterator[PullCounts]:
    if request.param == "memory":
        yield MemoryPullCounts()
    elif request.param == "moto":
        with mock_aws():
            yield _dynamo(aws.client("dynamodb"))
    else:
        yield _dynamo(aws.client("dynamodb", request.getfixturevalue(f"{request.param}_endpoint")))


def _dynamo(client: Any) -> DynamoPullCounts:
    index = f"index-{uuid.uuid4().hex}"
    aws.make_tables(client, index, f"identity-{uuid.uuid4().hex}")
    return DynamoPullCounts(Table(client, index))


def test_what_was_never_pulled_has_no_count(counts: PullCounts) -> None:
    assert counts.find(SHIPS) == {}
    assert counts.total(SHIPS) == Pulls(0, 0)
    assert counts.find_pullers(SHIPS, A.digest) == {}


def test_pulls_add_up_batch_by_batch(counts: PullCounts) -> None:
    counts.add("1", {A: Pulls(2, NOW), B: Pulls(1, NOW)}, {})
    counts.add("2", {A: Pulls(3, NOW + 5)}, {})
    assert counts.find(SHIPS) == {A.digest: Pulls(5, NOW + 5), B.digest: Pulls(1, NOW)}
    assert counts.total(SHIPS) == Pulls(6, NOW + 5)


def test_a_batch_counts_once_however_often_it_comes_and_in_whatever_order(counts: PullCounts) -> None:
    first, second = {A: Pulls(2, NOW)}, {A: Pulls(1, NOW + 1)}
    ada = {Puller(SHIPS, A.digest, "ada"): Pulls(1, NOW)}
    for batch, pulls in (("2", second), ("1", first), ("1", first), ("2", second), ("1", first)):
        counts.add(batch, pulls, ada)
    assert counts.find(SHIPS) == {A.digest: Pulls(3, NOW + 1)}
    assert counts.find_pullers(SHIPS, A.digest) == {"ada": Pulls(2, NOW)}
    assert counts.total(SHIPS) == Pulls(3, NOW + 1)


def test_the_last_eight_batches_are_remembered(counts: PullCounts) -> None:
    for number in range(REMEMBERED):
        counts.add(str(number), {A: Pulls(1, NOW + number)}, {})
    for number in range(REMEMBERED):
        counts.add(str(number), {A: Pulls(1, NOW + number)}, {})
    assert counts.find(SHIPS) == {A.digest: Pulls(REMEMBERED, NOW + REMEMBERED - 1)}


def test_a_batch_that_was_added_in_part_is_completed(counts: PullCounts) -> None:
    """As after a death between two writes: the batch comes again, with all that it held."""
    if isinstance(counts, MemoryPullCounts):
        pytest.skip("nobody dies within memory")
    counts.add("1", {A: Pulls(2, NOW)}, {})
    counts.add("1", {A: Pulls(2, NOW), B: Pulls(1, NOW)}, {Puller(SHIPS, A.digest, ""): Pulls(2, NOW)})
    assert counts.find(SHIPS) == {A.digest: Pulls(2, NOW), B.digest: Pulls(1, NOW)}
    assert counts.find_pullers(SHIPS, A.digest) == {"": Pulls(2, NOW)}


def test_what_was_seen_renews_the_time_and_not_the_count(counts: PullCounts) -> None:
    counts.add("1", {A: Pulls(2, NOW)}, {})
    counts.add("2", {A: Pulls(0, NOW + 9), B: Pulls(0, NOW + 9)}, {})
    counts.add("3", {A: Pulls(0, NOW + 3)}, {})
    counts.add("4", {A: Pulls(1, NOW + 4)}, {})
    assert counts.find(SHIPS) == {A.digest: Pulls(3, NOW + 9), B.digest: Pulls(0, NOW + 9)}


def test_pullers_are_kept_apart(counts: PullCounts) -> None:
    ada, robot = Puller(SHIPS, A.digest, "ada@example.com"), Puller(SHIPS, A.digest, "robot$acme+ci")
    counts.add("1", {A: Pulls(2, NOW)}, {ada: Pulls(1, NOW), robot: Pulls(1, NOW - 1)})
    counts.add("2", {A: Pulls(1, NOW)}, {ada: Pulls(1, NOW + 1)})
    found = counts.find_pullers(SHIPS, A.digest)
    assert found == {"ada@example.com": Pulls(2, NOW + 1), "robot$acme+ci": Pulls(1, NOW - 1)}
    assert counts.find_pullers(SHIPS, B.digest) == {}


def test_repositories_are_kept_apart(counts: PullCounts) -> None:
    counts.add("1", {A: Pulls(1, NOW), Artifact("acme/ships2", A.digest): Pulls(7, NOW)}, {})
    assert counts.find(SHIPS) == {A.digest: Pulls(1, NOW)}
    assert counts.find(RepositoryName("acme/ships2")) == {A.digest: Pulls(7, NOW)}


def test_a_batch_of_many_artifacts_counts_once_too(counts: PullCounts) -> None:
    many = {Artifact(SHIPS, f"sha256:{place:03d}"): Pulls(1, NOW) for place in range(120)}
    counts.add("1", many, {})
    counts.add("1", dict(reversed(many.items())), {})
    found = counts.find(SHIPS)
    assert len(found) == 120 and set(found.values()) == {Pulls(1, NOW)}
