"""Batches that PutLogEvents takes, and what becomes of lines when it takes none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from roadstead.aws.trail.cloudwatch_logs import CloudWatchAuditLog
from roadstead.trail.audit_log import (
    MAX_BATCH_BYTES,
    MAX_BATCH_LINES,
    MAX_SPAN,
    OVERHEAD,
    Appended,
    LogLine,
    batches,
)

NOON = 1_795_521_600_000
DAY = 24 * 3_600 * 1_000


def line(identifier: str, at: int = NOON, text: str = "{}") -> LogLine:
    return LogLine(identifier, at, text)


@given(
    st.lists(st.tuples(st.integers(NOON - 3 * DAY, NOON), st.integers(1, 200_000), st.sampled_from("xé")), max_size=40)
)
def test_batches_hold_every_line_once_within_the_limits(shapes: list[tuple[int, int, str]]) -> None:
    lines = [line(str(place), at, letter * size) for place, (at, size, letter) in enumerate(shapes)]
    made = list(batches(lines))
    assert sorted(one.id for batch in made for one in batch) == sorted(one.id for one in lines)
    for batch in made:
        assert sum(len(one.text.encode()) + OVERHEAD for one in batch) <= MAX_BATCH_BYTES
        assert [one.at for one in batch] == sorted(one.at for one in batch)
        assert batch[-1].at - batch[0].at <= MAX_SPAN


def test_a_batch_has_no_more_lines_than_one_may_have() -> None:
    assert [len(batch) for batch in batches([line(str(place)) for place in range(MAX_BATCH_LINES + 1)])] == [10_000, 1]


class Logs:
    """CloudWatch Logs as far as the store uses it; `fail` decides by the number of the call, from 1."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.streams: list[str] = []
        self.written: list[str] = []
        self.fail: Callable[[str, int], Exception | None] = lambda _, __: None
        self.info: dict[str, int] | None = None

    def _called(self, name: str) -> None:
        self.calls.append(name)
        error = self.fail(name, self.calls.count(name))
        if error is not None:
            raise error

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:
        self._called("create")
        self.streams.append(logStreamName)

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[Any]) -> dict[str, Any]:
        self._called("put")
        self.written += [event["message"] for event in logEvents]
        return {"rejectedLogEventsInfo": self.info} if self.info else {}


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutLogEvents")


def always(name: str, error: Exception) -> Callable[[str, int], Exception | None]:
    return lambda called, _: error if called == name else None


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def log(logs: Logs) -> CloudWatchAuditLog:
    return CloudWatchAuditLog(logs, "/audit", clock=lambda: NOON / 1000)


def test_a_process_has_one_stream_a_day(logs: Logs) -> None:
    now = [NOON / 1000]
    log = CloudWatchAuditLog(logs, "/audit", clock=lambda: now[0])
    log.append([line("a")])
    log.append([line("b")])
    now[0] += 86_400
    log.append([line("c")])
    assert logs.calls == ["create", "put", "put", "create", "put"]
    days = [stream.partition("/")[0] for stream in logs.streams]
    assert days == ["2026-11-24", "2026-11-25"] and len({stream.partition("/")[2] for stream in logs.streams}) == 1


def test_processes_have_streams_of_their_own(logs: Logs) -> None:
    for _ in range(2):
        CloudWatchAuditLog(logs, "/audit").append([line("a")])
    assert len(set(logs.streams)) == 2


@pytest.mark.parametrize(
    "error",
    [refused("ThrottlingException"), refused("ServiceUnavailableException"), EndpointConnectionError(endpoint_url="x")],
    ids=repr,
)
def test_what_could_not_be_sent_is_answered(logs: Logs, log: CloudWatchAuditLog, error: Exception) -> None:
    logs.fail = always("put", error)
    assert log.append([line("a"), line("b")]) == Appended(unsent=(line("a"), line("b")))
    logs.fail = lambda _, __: None
    assert log.append([line("a"), line("b")]) == Appended()
    assert logs.written == ["{}", "{}"]


def test_what_went_before_the_failure_is_written(logs: Logs, log: CloudWatchAuditLog) -> None:
    lines = [line(str(day), NOON + day * 2 * DAY) for day in range(3)]
    logs.fail = lambda name, count: refused("ThrottlingException") if (name, count) == ("put", 2) else None
    assert log.append(lines) == Appended(unsent=tuple(lines[1:]))
    assert logs.calls == ["create", "put", "put"]


def test_a_stream_that_cannot_be_made_leaves_all_unsent(logs: Logs, log: CloudWatchAuditLog) -> None:
    logs.fail = always("create", refused("ThrottlingException"))
    assert log.append([line("a")]).unsent == (line("a"),)
    logs.fail = lambda _, __: None
    assert log.append([line("a")]) == Appended()


def test_a_stream_that_is_there_already_is_used(logs: Logs, log: CloudWatchAuditLog) -> None:
    logs.fail = always("create", refused("ResourceAlreadyExistsException"))
    assert log.append([line("a")]) == Appended()


def test_a_stream_that_was_deleted_is_made_again(logs: Logs, log: CloudWatchAuditLog) -> None:
    log.append([line("a")])
    logs.fail = lambda name, count: refused("ResourceNotFoundException") if (name, count) == ("put", 2) else None
    assert log.append([line("b")]) == Appended()
    assert logs.calls == ["create", "put", "put", "create", "put"]


@pytest.mark.parametrize(
    ("info", "rejected"),
    [
        ({"tooOldLogEventEndIndex": 2}, "ab"),
        ({"expiredLogEventEndIndex": 1}, "a"),
        ({"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2}, "ab"),
        ({"tooNewLogEventStartIndex": 3}, "d"),
        ({"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 3}, "ad"),
        ({"tooNewLogEventStartIndex": 0}, "abcd"),
    ],
)
def test_what_cloudwatch_drops_silently_is_answered(
    logs: Logs, log: CloudWatchAuditLog, info: dict[str, int], rejected: str
) -> None:
    logs.info = info
    appended = log.append([line(name, NOON + place) for place, name in enumerate("abcd")])
    assert "".join(one.id for one in appended.rejected) == rejected and appended.unsent == ()
