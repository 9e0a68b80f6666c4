"""Reading the local audit trail, and the questions to it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from local import audit
from local.audit import QUESTIONS, TrailReader
from local.cloud.client import Client
from local.failures import ExitCode, Failure
from local.state import StateDirectory
from observability.queries import QUERIES


def entry(identifier: str, operation: str = "push", **fields: Any) -> dict[str, Any]:
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    given = {"schema": 1, "outcome": "success", "actor": {"name": "ada", "kind": "user"}, "time": now, **fields}
    return {"id": identifier, "operation": operation, **given}


class Logs(Client):
    """CloudWatch Logs with pages of two lines, and of one stream."""

    def __init__(self) -> None:
        self.streams: dict[str, list[str]] = {}

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation == "DescribeLogStreams":
            names = sorted(self.streams)
            place = int(parameters.get("nextToken", "0"))
            more = {"nextToken": str(place + 1)} if place + 1 < len(names) else {}
            return {"logStreams": [{"logStreamName": name} for name in names[place : place + 1]], **more}
        assert operation == "GetLogEvents" and parameters["startFromHead"]
        start = int(parameters.get("nextToken", "f/0")[2:])
        page = self.streams[parameters["logStreamName"]][start : start + 2]
        return {"events": [{"message": line} for line in page], "nextForwardToken": f"f/{start + len(page)}"}


def test_every_entry_is_read_once_in_the_order_of_time() -> None:
    logs = Logs()
    reader = TrailReader(logs)
    assert reader.entries() == []
    a, b, c = (entry(name, time=f"2026-11-24T12:00:0{place}.000Z") for place, name in enumerate("abc"))
    logs.streams["x"] = [json.dumps(one) for one in (c, a, a, c, b)]
    logs.streams["y"] = [json.dumps(b)]
    assert [one["id"] for one in reader.entries()] == ["a", "b", "c"]
    assert reader.entries() == []
    logs.streams["y"].append(json.dumps(entry("d")))
    logs.streams["z"] = [json.dumps(a)]
    assert [one["id"] for one in reader.entries()] == ["d"]


def asked(name: str, entries: list[dict[str, Any]], argument: str = "") -> list[dict[str, Any]]:
    return list(QUESTIONS[name].answer(entries, argument))


def test_pulls_lists_who_pulled_a_digest() -> None:
    entries = [
        entry("1", "pull", digest="sha256:a"),
        entry("2", "pull-blob", digest="sha256:a"),
        entry("3", "push", digest="sha256:a"),
        entry("4", "pull", digest="sha256:b"),
    ]
    assert [one["id"] for one in asked("pulls", entries, "sha256:a")] == ["1", "2"]


def test_failed_logins_are_counted_by_address() -> None:
    failed = [entry(str(n), "login", outcome="failure", source_address="192.0.2.1", time=str(n)) for n in range(3)]
    other = entry("x", "login", outcome="failure", source_address="192.0.2.2", actor={"name": "bob", "kind": "user"})
    answer = asked("failed-logins", [other, *failed, entry("ok", "login", source_address="192.0.2.3")])
    assert answer[0] == {"source_address": "192.0.2.1", "failures": 3, "names": 1, "latest": "2"}
    assert [one["source_address"] for one in answer] == ["192.0.2.1", "192.0.2.2"]


def test_deletions_lists_those_of_the_last_week() -> None:
    entries = [
        entry("1", "delete-manifest"),
        entry("2", "delete-blob"),
        entry("3", "untag"),
        entry("4", "push"),
        entry("5", "untag", time="2020-01-01T00:00:00.000Z"),
    ]
    assert [one["id"] for one in asked("deletions", entries)] == ["1", "2", "3"]


def test_pushes_are_counted_by_user() -> None:
    entries = [entry("1", repository="a/b"), entry("2", "tag", repository="a/c"), entry("3", "pull", repository="a/b")]
    (answer,) = asked("pushes", entries)
    assert (answer["user"], answer["pushes"], answer["repositories"]) == ("ada", 2, 2)


def test_every_question_is_a_saved_query() -> None:
    saved = {query.name.partition("/")[2] for query in QUERIES}
    for question in ("who pulled this digest", "failed logins by address", "what was deleted", "pushes by user"):
        assert question in saved
    assert len(QUESTIONS) == 4


def test_a_printed_entry_has_no_control_or_bidirectional_character() -> None:
    hostile = entry("a", user_agent="curl\x1b[2J\x9b31m\u202egnp.exe\t\n\x7f")
    line = audit.printed(hostile)
    assert line.isascii() and line.isprintable()
    assert json.loads(line) == hostile


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


@pytest.mark.parametrize("ask", ["dance", "pulls", "failed-logins now"])
def test_an_unknown_question_is_refused_with_the_known_ones(state: StateDirectory, ask: str) -> None:
    with pytest.raises(Failure, match="The questions are: pulls DIGEST") as refused:
        list(audit.read(state, follow=False, ask=ask))
    assert refused.value.code is ExitCode.USAGE


def test_reading_without_a_registry_is_a_failure(state: StateDirectory) -> None:
    with pytest.raises(Failure, match="No registry runs in"):
        list(audit.read(state, follow=False, ask=""))


def test_reading_waits_until_earlier_events_are_delivered(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.path.mkdir()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        state.delivered_file.touch()
        os.utime(state.delivered_file, (100.0, 99.0 + len(slept)))

    monkeypatch.setattr(time, "sleep", sleep)
    audit._wait_for_delivery(state, 102.0)
    assert len(slept) == 3
