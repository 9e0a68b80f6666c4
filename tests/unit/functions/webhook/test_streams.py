"""What the tables' streams bring, and how it fails."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Event, Operation
from tests.unit.functions.webhook.parts import (
    ADA,
    NOON,
    Function,
    audit_line,
    event,
    item_of,
    log_event,
    pull,
    record,
    stream,
)


@pytest.fixture
def function() -> Function:
    return Function()


def records(*identifiers: str) -> list[dict[str, Any]]:
    return [record(item_of(event(one)), number) for number, one in enumerate(identifiers, 1)]


def number(place: int) -> str:
    return f"{place:021d}"


def test_a_mutation_becomes_an_entry_with_all_that_its_event_says(function: Function) -> None:
    told = event("e1", Operation.PUSH, tags=("1", "latest"), media_type="application/x", size=77)
    assert function.failures(stream(record(item_of(told)))) == []
    (entry,) = function.entries
    assert entry == AuditEntry.of_event(told)
    assert (entry.actor, entry.at, entry.project) == (ADA, NOON, "acme")


def test_an_event_that_lapses_is_no_event_and_neither_is_any_other_item(function: Function) -> None:
    item = item_of(event("e1"))
    other = {"pk": "repo#acme/ships", "sk": "tag#1", "digest": "sha256:x"}
    told = stream(
        record(item, 1, name="REMOVE"),
        record(item, 2, name="MODIFY"),
        record(other, 3),
        record(other, 4, name="REMOVE"),
    )
    assert function.failures(told) == []
    assert function.log.appends == 0 and function.letters.sent == []


def test_records_come_in_one_write(function: Function) -> None:
    assert function.failures(stream(*records("a", "b", "c"))) == []
    assert function.ids == ["a", "b", "c"]
    assert function.log.appends == 1


def test_a_record_that_is_there_twice_is_written_once(function: Function) -> None:
    one = item_of(event("a"))
    assert function.failures(stream(record(one, 1), record(one, 2))) == []
    assert function.ids == ["a"]


def test_a_batch_that_comes_again_has_the_same_ids(function: Function) -> None:
    batch = stream(*records("a", "b"))
    function.handle(batch)
    function.handle(batch)
    assert function.ids == ["a", "b", "a", "b"]


def test_in_whatever_order_batches_come_all_is_written() -> None:
    batches = [stream(*records("a", "b")), stream(*records("c")), stream(*records("d", "e"))]
    for order in itertools.permutations(batches):
        function = Function()
        for batch in order:
            assert function.failures(batch) == []
        assert set(function.ids) == set("abcde")


def test_what_the_log_did_not_take_comes_again_from_there(function: Function) -> None:
    batch = records("a", "b", "c")
    function.log.refused = {"b"}
    assert function.failures(stream(*batch)) == [number(2)]
    function.log.refused = set()
    assert function.failures(stream(*batch[1:])) == []
    assert set(function.ids) == {"a", "b", "c"}


def test_a_log_that_takes_nothing_has_all_of_it_come_again(function: Function) -> None:
    function.log.refused = {"a", "b"}
    assert function.failures(stream(*records("a", "b"))) == [number(1)]
    assert function.ids == []


POISON: list[dict[str, Any]] = [
    {**record(item_of(event("x"))), "dynamodb": {"SequenceNumber": number(2)}},
    record({**item_of(event("x")), "operation": "dance"}, 2),
    record({**item_of(event("x")), "at": "noon"}, 2),
    record({key: value for key, value in item_of(event("x")).items() if key != "actor"}, 2),
    record({**item_of(event("x")), "tags": 7}, 2),
]


@pytest.mark.parametrize("poison", POISON, ids=["no keys", "operation", "time", "no actor", "tags"])
def test_a_record_that_cannot_be_understood_is_kept_apart_and_holds_nobody_up(
    function: Function, poison: dict[str, Any]
) -> None:
    first, _, last = records("a", "b", "c")
    assert function.failures(stream(first, poison, last)) == []
    assert function.ids == ["a", "c"]
    (letter,) = function.letters.sent
    assert letter["source"] == "stream" and letter["record"]["dynamodb"]["SequenceNumber"] == number(2)
    assert letter["reason"]


def test_a_dead_letter_that_cannot_be_kept_is_not_lost(function: Function) -> None:
    first, _, last = records("a", "b", "c")
    batch = (first, POISON[1], last)
    function.letters.calls = {1}
    assert function.failures(stream(*batch)) == [number(2)]
    assert function.failures(stream(*batch[1:])) == []
    assert len(function.letters.sent) == 1 and set(function.ids) == {"a", "c"}


def test_what_the_log_refuses_for_good_is_a_dead_letter(function: Function) -> None:
    function.log.rejected = {"b"}
    assert function.failures(stream(*records("a", "b", "c"))) == []
    assert function.ids == ["a", "c"]
    (letter,) = function.letters.sent
    assert "rejected" in letter["reason"] and letter["record"]["dynamodb"]["SequenceNumber"] == number(2)


@pytest.mark.parametrize("dies_after", ["the log", "nothing"])
def test_a_function_that_dies_leaves_what_a_second_try_completes(function: Function, dies_after: str) -> None:
    """It answers nothing, so the mapping brings the batch again; the log may have it twice, by the same ids."""
    batch = stream(*records("a", "b"))
    if dies_after == "the log":
        function.handle(batch)  # and the answer is lost
    assert function.failures(batch) == []
    assert set(function.ids) == {"a", "b"}


# The identity table


IDENTITY = Event(
    "i1", NOON, Operation.SET_MEMBER, Actor("operator", ActorKind.OPERATOR), "", project="acme", user="bob",
    detail="role=guest",
)  # fmt: skip


def test_an_event_of_the_identity_table_is_read_by_its_key(function: Function) -> None:
    item = item_of(IDENTITY)
    function.identities.items[item["pk"], item["sk"]] = item
    assert function.failures(stream(record(item, keys_only=True))) == []
    assert function.entries == [AuditEntry.of_event(IDENTITY)]
    assert function.identities.reads == [[(item["pk"], item["sk"])]]


def test_of_users_and_projects_nothing_is_read(function: Function) -> None:
    user = {"pk": "user#ada", "sk": "meta"}
    assert function.failures(stream(record(user, keys_only=True))) == []
    assert function.identities.reads == []


def test_an_event_that_is_gone_is_a_dead_letter(function: Function) -> None:
    assert function.failures(stream(record(item_of(IDENTITY), keys_only=True))) == []
    assert [letter["source"] for letter in function.letters.sent] == ["stream"]


# The counts


def test_an_event_of_a_deletion_drops_no_count_since_the_manifest_may_be_there_again(function: Function) -> None:
    function.handle(log_event(audit_line(pull("p1")), audit_line(pull("p2", "sha256:" + "b" * 64))))
    assert function.failures(stream(record(item_of(event("d", Operation.DELETE_MANIFEST))))) == []
    assert len(function.pulls()) == 2


def test_pages_have_changes_and_not_pulls(function: Function) -> None:
    function.handle(log_event(audit_line(pull("p1"))))
    function.handle(stream(record(item_of(event("e")))))
    assert [entry.id for entry in function.pages.entries.values()] == ["e"]


def test_what_was_seen_is_no_entry_of_the_trail(function: Function) -> None:
    function.handle(log_event(audit_line(pull("s", operation=Operation.SEE))))
    assert function.log.lines == []
    assert [pulls.count for pulls in function.pulls().values()] == [0]


def test_crossed_quotas_are_counted(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    operations = [Operation.WARN_QUOTA, Operation.EXCEED_QUOTA, Operation.EXCEED_QUOTA]
    told = [record(item_of(event(f"e{place}", one)), place) for place, one in enumerate(operations, 1)]
    assert function.failures(stream(*told)) == []
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (document["QuotaWarnings"], document["QuotasExceeded"]) == (1, 2)
