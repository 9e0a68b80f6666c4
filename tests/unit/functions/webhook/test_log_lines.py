"""What the other functions' logs bring, and the counts of pulls."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.hosting import lines
from functions.webhook.log_lines import NotRecorded
from roadstead.trail.entries import AuditEntry, Operation, Outcome
from roadstead.trail.pull_counts import Pulls
from tests.unit.functions.webhook.parts import ADA, DIGEST, NOON, Function, audit_line, log_event, pull

OTHER = "sha256:" + "b" * 64


@pytest.fixture
def function() -> Function:
    return Function()


def test_a_line_is_written_as_the_function_told_it(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    entry = AuditEntry("e1", NOON, Operation.LOGIN, ADA, Outcome.FAILURE, detail="method=password")
    lines.tell(entry)
    function.handle(log_event(capsys.readouterr().out.rstrip("\n")))
    assert function.entries == [entry]


def test_pulls_are_counted_by_artifact_in_one_write(function: Function) -> None:
    told = [pull("1"), pull("2", at=NOON + 5), pull("3", OTHER), pull("4", operation=Operation.PULL_BLOB)]
    function.handle(log_event(*map(audit_line, told)))
    assert function.pulls() == {DIGEST: Pulls(2, NOON + 5), OTHER: Pulls(1, NOON)}
    assert (function.log.appends, function.counts.count) == (1, 1)


def test_without_pulls_nothing_is_counted(function: Function) -> None:
    function.handle(log_event(audit_line(AuditEntry("e1", NOON, Operation.LOGIN, ADA))))
    assert function.counts.count == 0


def test_a_batch_that_comes_again_is_counted_once(function: Function) -> None:
    batch = log_event(audit_line(pull("1")), audit_line(pull("2")))
    for _ in range(3):
        function.handle(batch)
    assert function.pulls() == {DIGEST: Pulls(2, NOON)}
    assert function.ids == ["1", "2"] * 3


def test_a_line_that_is_there_twice_is_one_pull(function: Function) -> None:
    function.handle(log_event(audit_line(pull("1")), audit_line(pull("1")), ids=["x", "y"]))
    assert function.pulls() == {DIGEST: Pulls(1, NOON)}


def test_other_batches_are_counted_besides(function: Function) -> None:
    function.handle(log_event(audit_line(pull("1")), ids=["x"]))
    function.handle(log_event(audit_line(pull("2")), ids=["y"]))
    assert function.pulls() == {DIGEST: Pulls(2, NOON)}


def test_what_the_log_does_not_take_has_the_whole_batch_come_again_and_counts_it_once(function: Function) -> None:
    batch = log_event(audit_line(pull("1")), audit_line(pull("2")))
    function.log.refused = {"2"}
    with pytest.raises(NotRecorded):
        function.handle(batch)
    assert function.pulls() == {}
    function.log.refused = set()
    function.handle(batch)
    assert function.pulls() == {DIGEST: Pulls(2, NOON)} and set(function.ids) == {"1", "2"}


def test_counts_that_fail_have_the_batch_come_again(function: Function) -> None:
    batch = log_event(audit_line(pull("1")))
    function.counts.calls = {1}
    with pytest.raises(RuntimeError):
        function.handle(batch)
    function.handle(batch)
    assert function.pulls() == {DIGEST: Pulls(1, NOON)} and function.ids == ["1", "1"]


@pytest.mark.parametrize(
    "message",
    ["", "no json", "[]", "7", '{"level": "INFO"}', '{"audit": null}', '{"audit": {"schema": 9}}', '{"audit": {}}'],
)
def test_a_line_that_cannot_be_understood_is_kept_apart(function: Function, message: str) -> None:
    function.handle(log_event(audit_line(pull("1")), message, audit_line(pull("2"))))
    assert function.ids == ["1", "2"]
    (letter,) = function.letters.sent
    assert (letter["source"], letter["record"]["message"]) == ("logs", message)


def test_a_dead_letter_that_cannot_be_kept_has_the_batch_come_again(function: Function) -> None:
    function.letters.calls = {1}
    with pytest.raises(NotRecorded):
        function.handle(log_event(audit_line(pull("1")), "no json"))
    function.handle(log_event(audit_line(pull("1")), "no json"))
    assert len(function.letters.sent) == 1 and function.pulls() == {DIGEST: Pulls(1, NOON)}


def test_cloudwatch_looking_whether_somebody_is_there_is_no_event(function: Function) -> None:
    function.handle(log_event("CWL CONTROL MESSAGE: Checking health", kind="CONTROL_MESSAGE"))
    assert function.log.appends == 0 and function.letters.sent == []


@pytest.mark.parametrize("data", [None, {}, {"data": "!"}, {"data": "eA=="}], ids=str)
def test_what_is_not_of_cloudwatch_is_an_error(function: Function, data: Any) -> None:
    with pytest.raises(ValueError, match="not an event of CloudWatch Logs"):
        function.handle({"awslogs": data})


def test_a_batch_leaves_one_line_of_metrics(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    told = [pull("1"), pull("2"), pull("3", operation=Operation.PULL_BLOB)]
    function.handle(log_event(*map(audit_line, told)))
    (line,) = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert {name: document[name] for name in ("AuditEntries", "Pulls", "function")} == {
        "AuditEntries": 3,
        "Pulls": 2,
        "function": "webhook",
    }
