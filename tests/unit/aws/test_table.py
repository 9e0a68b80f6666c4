"""One table: what goes over the wire, what is repeated and what is refused."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from roadstead.aws.ranges import Order
from roadstead.aws.table import (
    BATCH_GET,
    BATCH_WRITE,
    Count,
    Item,
    Key,
    Table,
    TransactionFailed,
    Write,
    check,
    delete,
    put,
    update,
)
from roadstead.conflicts import Conflict, Throttled
from roadstead.digest import Digest
from tests import aws


@pytest.fixture(scope="module")
def client() -> Any:
    return aws.client("dynamodb")


@pytest.fixture
def table(client: Any) -> Iterator[Table]:
    with mock_aws():
        name = f"index-{uuid.uuid4().hex}"
        aws.make_tables(client, name, f"identity-{uuid.uuid4().hex}")
        yield Table(client, name)


def error(code: str, *reasons: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": ""},
            "CancellationReasons": [{"Code": reason} for reason in reasons],
        },
        "Operation",
    )


class Scripted:
    """A client that answers each call with the next of its answers, or raises it, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.requests.append(dict(request))  # as it was when it was sent
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def scripted(*answers: Any) -> tuple[Table, Scripted, list[float]]:
    client, slept = Scripted(*answers), list[float]()
    return Table(client, "index", sleep=slept.append), client, slept


# Values


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    ["text", "", 0, -1, 2**63, True, False, None, b"", b"\0\xff", [], [1, "a", b"b"], {}, {"a": {"b": [b"c"]}}],
)
def test_values_come_back_as_they_went_in(table: Table, value: object) -> None:
    table.put_item(("a", "b"), {"value": value})
    assert table.get(("a", "b")) == {"pk": "a", "sk": "b", "value": value}


def test_names_and_enums_are_plain_strings_on_the_wire(table: Table) -> None:
    digest = Digest.of(b"")
    table.put_item((digest, Colour.RED), {"digest": digest, "colour": Colour.RED, "all": [digest]})
    found = table.get((str(digest), "red"))
    assert found is not None
    assert {type(found[name]) for name in ("digest", "colour")} == {str}
    assert found["all"] == [str(digest)]


# Reads


def test_every_read_is_strongly_consistent() -> None:
    table, client, _ = scripted({}, {"Responses": {}}, {"Items": []})
    table.get(("a", "b"))
    table.batch_get([("a", "b")])
    list(table.query("a"))
    get, batch, query = client.requests
    assert get["ConsistentRead"] and query["ConsistentRead"] and batch["RequestItems"]["index"]["ConsistentRead"]


def test_a_key_that_is_asked_for_twice_is_asked_once(table: Table) -> None:
    table.put_item(("a", "b"), {})
    assert set(table.batch_get([("a", "b"), ("a", "b"), ("a", "c")])) == {("a", "b")}


def test_any_number_of_keys_is_read_a_hundred_at_a_time(table: Table, client: Any) -> None:
    keys: list[Key] = [("a", f"{number:04}") for number in range(2 * BATCH_GET + 1)]
    table.batch_write(puts=[(key, {"n": 1}) for key in keys])
    calls = aws.record_calls(client)
    assert set(table.batch_get(iter(keys))) == set(keys)
    assert calls == ["dynamodb.BatchGetItem"] * 3
    assert table.batch_get([]) == {}
    assert len(calls) == 3


def test_a_projection_takes_what_was_named_and_the_keys(table: Table) -> None:
    table.put_item(("a", "b"), {"size": 1, "data": b"x", "key": "k"})
    assert table.batch_get([("a", "b")], ("size", "key")) == {("a", "b"): {"pk": "a", "sk": "b", "size": 1, "key": "k"}}


def item(sk: str) -> dict[str, Any]:
    return {"pk": {"S": "a"}, "sk": {"S": sk}}


def test_keys_that_dynamodb_left_are_asked_for_again() -> None:
    left = {"UnprocessedKeys": {"index": {"Keys": [item("2")]}}}
    table, client, slept = scripted(
        {"Responses": {"index": [item("1")]}, **left},
        {"Responses": {"index": []}, **left},
        {"Responses": {"index": [item("2")]}},
    )
    assert set(table.batch_get([("a", "1"), ("a", "2")])) == {("a", "1"), ("a", "2")}
    assert client.requests[1]["RequestItems"]["index"]["Keys"] == [item("2")]
    assert len(slept) == 1  # only where nothing at all came


def test_a_table_that_answers_nothing_is_busy_in_the_end() -> None:
    left = {"Responses": {}, "UnprocessedKeys": {"index": {"Keys": [item("1")]}}}
    table, _, slept = scripted(*[left] * 20)
    with pytest.raises(Throttled):
        table.batch_get([("a", "1")])
    assert len(slept) == 8 and max(slept) <= 1.0


@pytest.mark.parametrize("there", [True, False])
def test_a_long_read_goes_on_while_keys_are_answered(there: bool) -> None:
    """Whether there is an item or not: every second answer here leaves all keys that were asked for."""
    keys: list[Key] = [("a", f"{number:02}") for number in range(12)]
    wire = [item(sk) for _, sk in keys]

    def answers(first: int, end: int) -> dict[str, Any]:
        found = wire[first:end] if there else []
        return {"Responses": {"index": found}, "UnprocessedKeys": {"index": {"Keys": wire[end:]}}}

    table, _, slept = scripted(
        *(answer for place in range(12) for answer in (answers(place, place), answers(place, place + 1)))
    )
    assert set(table.batch_get(keys)) == (set(keys) if there else set())
    assert len(slept) == 12


def keys_of(items: Iterator[Item]) -> list[str]:
    return [item["sk"] for item in items]


@pytest.fixture
def filled(table: Table) -> Table:
    for sk in ("a#1", "a#10", "a#2", "a#é", "b", "b#1", "c"):
        table.put_item(("p", sk), {"at": 1, "size": 2})
    table.put_item(("q", "a#1"), {})
    return table


def test_a_partition_is_read_by_prefix_in_byte_order(filled: Table) -> None:
    assert keys_of(filled.query("p", prefix="a#")) == ["a#1", "a#10", "a#2", "a#é"]
    assert keys_of(filled.query("p")) == ["a#1", "a#10", "a#2", "a#é", "b", "b#1", "c"]
    assert keys_of(filled.query("absent")) == []


@pytest.mark.parametrize(
    "after", ["", "a", "a#", "a#1", "a#1\0", "a#15", "a#é", "a#\U0010ffff", "a$", "b", "zz", "x" * 5000]
)
@pytest.mark.parametrize("prefix", ["", "a#", "b", "b#", "x"])
def test_a_query_goes_on_behind_any_text(filled: Table, prefix: str, after: str) -> None:
    everything = keys_of(filled.query("p"))
    expected = [sk for sk in everything if sk.startswith(prefix) and sk > after]
    assert keys_of(filled.query("p", prefix=prefix, after=after)) == expected


@pytest.mark.parametrize(
    "after", ["", "a", "a#", "a#1", "a#1\0", "a#15", "a#é", "a#\U0010ffff", "a$", "b", "zz", "x" * 5000]
)
@pytest.mark.parametrize("prefix", ["", "a#", "b", "b#", "x"])
@pytest.mark.parametrize("limit", [None, 1, 2])
def test_a_query_goes_back_before_any_text(filled: Table, prefix: str, after: str, limit: int | None) -> None:
    everything = keys_of(filled.query("p"))
    expected = [sk for sk in reversed(everything) if sk.startswith(prefix) and sk < after]
    found = keys_of(filled.query("p", prefix=prefix, after=after, backward=True, limit=limit))
    assert found == expected[:limit]


@pytest.mark.parametrize("prefix", ["", "a#", "b", "x"])
def test_a_query_goes_back_from_the_end(filled: Table, prefix: str) -> None:
    there = keys_of(filled.query("p", prefix=prefix))
    assert keys_of(filled.query("p", prefix=prefix, backward=True)) == there[::-1]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("after", ["a#\ud800", "\ud800", "a\udfff#", "\ud800" * 2000])
def test_a_text_that_is_no_utf8_leads_to_no_other_prefix(filled: Table, after: str, backward: bool) -> None:
    """A lone surrogate is stored nowhere; `?` stands for it."""
    stored = after.replace("\ud800", "?").replace("\udfff", "?")
    there = [sk for sk in ("a#1", "a#10", "a#2", "a#é") if (sk < stored if backward else sk > stored)]
    found = keys_of(filled.query("p", prefix="a#", after=after, backward=backward))
    assert found == (there[::-1] if backward else there)


def test_an_item_that_is_gone_back_to_costs_no_place_on_the_page() -> None:
    """The key that a page begins before is in the answer, and is no item of the page."""
    pages = {"Items": [item("c"), item("b")], "LastEvaluatedKey": item("b")}, {"Items": [item("a")]}
    table, client, _ = scripted(*pages)
    assert keys_of(table.query("a", after="c", backward=True, limit=2)) == ["b", "a"]
    assert [request["Limit"] for request in client.requests] == [3, 2]
    assert not client.requests[0]["ScanIndexForward"]


@pytest.mark.parametrize(("prefix", "number"), [("", 7), ("a#", 4), ("b", 2), ("x", 0)])
def test_a_count_brings_no_item(filled: Table, client: Any, prefix: str, number: int) -> None:
    calls = aws.record_calls(client)
    assert filled.count("p", prefix=prefix) == Count(number, whole=True)
    assert calls == ["dynamodb.Query"]


def test_a_count_of_many_pages_is_their_sum_or_says_that_there_are_more() -> None:
    pages = [
        {"Count": 1000, "LastEvaluatedKey": item("1")},
        {"Count": 500, "LastEvaluatedKey": item("2")},
        {"Count": 7},
    ]
    table, client, _ = scripted(*pages, *pages)
    assert table.count("a") == Count(1507, whole=True)
    assert [request.get("ExclusiveStartKey") for request in client.requests] == [None, item("1"), item("2")]
    assert {(request["Select"], request["ConsistentRead"]) for request in client.requests} == {("COUNT", True)}
    assert table.count("a", pages=2) == Count(1500, whole=False)
    assert table.count("a", pages=2) == Count(7, whole=True)


def test_an_index_has_an_order_of_its_own_and_is_read_as_it_is() -> None:
    """A global secondary index refuses a consistent read."""
    table, client, _ = scripted({"Items": []}, {"Count": 0})
    pushed = Order("pushed", index="by-push")
    list(table.query("a", prefix="t#", after="t#5", backward=True, order=pushed, attributes=("digest",)))
    table.count("a", prefix="t#", order=pushed)
    query, count = client.requests
    assert query["IndexName"] == count["IndexName"] == "by-push"
    assert query["ExpressionAttributeNames"]["#sk"] == "pushed"
    assert {"pk", "sk", "digest", "pushed"} <= set(query["ExpressionAttributeNames"].values())
    assert "ConsistentRead" not in query and "ConsistentRead" not in count


@pytest.fixture
def indexed(client: Any) -> Iterator[Table]:
    with mock_aws():
        name = f"index-{uuid.uuid4().hex}"
        keys = ("pk", "sk", "pushed")
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-push",
                    "KeySchema": [
                        {"AttributeName": "pk", "KeyType": "HASH"},
                        {"AttributeName": "pushed", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        table = Table(client, name)
        for number in range(5):
            table.put_item(("p", f"tag#{number}"), {"pushed": f"t#{9 - number}"})
        table.put_item(("p", "blob#1"), {"at": 1})
        yield table


def test_an_index_is_read_both_ways(indexed: Table) -> None:
    pushed = Order("pushed", index="by-push")
    newest = indexed.query("p", prefix="t#", backward=True, order=pushed)
    assert keys_of(newest) == [f"tag#{number}" for number in range(5)]
    after = indexed.query("p", prefix="t#", after="t#8", backward=True, limit=2, order=pushed, attributes=("at",))
    assert keys_of(after) == ["tag#2", "tag#3"]
    assert keys_of(indexed.query("p", prefix="t#", after="t#7", order=pushed)) == ["tag#1", "tag#0"]
    assert indexed.count("p", order=pushed) == Count(5, whole=True)


@pytest.mark.parametrize("limit", [0, 1, 3, 4, 9])
def test_a_limit_bounds_what_is_read(filled: Table, limit: int) -> None:
    assert keys_of(filled.query("p", prefix="a#", limit=limit)) == ["a#1", "a#10", "a#2", "a#é"][:limit]


def test_a_projected_query_takes_what_was_named(filled: Table) -> None:
    (only,) = filled.query("q", attributes=("at",))
    assert only == {"pk": "q", "sk": "a#1"}
    assert next(filled.query("p", attributes=("size",))) == {"pk": "p", "sk": "a#1", "size": 2}


def test_pages_are_read_as_they_are_consumed() -> None:
    page = {"Items": [item("1"), item("2")], "LastEvaluatedKey": item("2")}
    table, client, _ = scripted(page, {"Items": [item("3")]})
    items = table.query("a", limit=5)
    assert [next(items)["sk"], next(items)["sk"]] == ["1", "2"]
    assert len(client.requests) == 1
    assert keys_of(items) == ["3"]
    assert [(one["Limit"], one.get("ExclusiveStartKey")) for one in client.requests] == [(5, None), (3, item("2"))]


def test_a_limit_that_is_reached_ends_the_reading() -> None:
    table, client, _ = scripted({"Items": [item("1"), item("2")], "LastEvaluatedKey": item("2")})
    assert keys_of(table.query("a", limit=2)) == ["1", "2"]
    assert len(client.requests) == 1


# Single writes


def test_an_update_answers_the_new_item_and_the_others_nothing(table: Table) -> None:
    key = ("a", "b")
    assert table.write(put(key, {"n": 1}, "attribute_not_exists(pk)")) is None
    assert table.write(update(key, "SET n = :n", "n = :old", {":n": 2, ":old": 1})) == {"pk": "a", "sk": "b", "n": 2}
    assert table.write(delete(key, "n = :n", {":n": 2})) is None
    assert table.get(key) is None


@pytest.mark.parametrize(
    "write",
    [
        put(("a", "b"), {}, "attribute_not_exists(pk)"),
        update(("a", "b"), "SET n = :n", "n = :n", {":n": 9}),
        delete(("a", "b"), "#n = :n", {":n": 9}, {"#n": "n"}),
    ],
)
def test_a_condition_that_does_not_hold_is_a_conflict(table: Table, write: Write) -> None:
    table.put_item(("a", "b"), {"n": 1})
    with pytest.raises(Conflict):
        table.write(write)
    assert table.get(("a", "b")) == {"pk": "a", "sk": "b", "n": 1}


def test_a_write_beside_a_transaction_on_its_item_is_repeated() -> None:
    table, client, slept = scripted(error("TransactionConflictException"), {"Attributes": {"n": {"N": "1"}}})
    assert table.write(update(("a", "b"), "SET n = :n", values={":n": 1})) == {"n": 1}
    assert client.requests[0] == client.requests[1]
    assert len(slept) == 1


def test_an_unconditional_put_beside_a_transaction_on_its_item_is_repeated() -> None:
    table, client, slept = scripted(error("TransactionConflictException"), {})
    table.put_item(("a", "b"), {"n": 1})
    assert client.requests[0] == client.requests[1]
    assert len(slept) == 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_any_other_error_rises(code: str) -> None:
    table, client, _ = scripted(error(code), error(code))
    with pytest.raises(ClientError):
        table.write(put(("a", "b"), {}))
    with pytest.raises(ClientError):
        table.transact([put(("a", "b"), {})])
    assert len(client.requests) == 2


# Transactions


def test_all_writes_happen_or_none(table: Table) -> None:
    table.put_item(("a", "1"), {"n": 1})
    with pytest.raises(TransactionFailed) as failed:
        table.transact([put(("a", "2"), {}), check(("a", "1"), "n = :n", {":n": 2}), delete(("a", "3"))])
    assert failed.value.failed == (1,)
    assert table.get(("a", "2")) is None
    table.transact([put(("a", "2"), {}), check(("a", "1"), "n = :n", {":n": 1})])
    assert table.get(("a", "2")) is not None


@pytest.mark.parametrize(
    "busy",
    [
        error("TransactionCanceledException", "None", "TransactionConflict"),
        error("TransactionCanceledException", "ThrottlingError"),
        error("TransactionCanceledException", "ProvisionedThroughputExceeded", "None"),
        error("TransactionConflictException"),
        error("TransactionInProgressException"),
    ],
)
def test_a_collision_is_tried_again(busy: ClientError) -> None:
    table, client, slept = scripted(busy, busy, {})
    table.transact([put(("a", "b"), {})])
    assert len(client.requests) == 3
    assert all(0 <= seconds <= 1 for seconds in slept)
    table, _, _ = scripted(*[busy] * 20)
    with pytest.raises(Throttled):
        table.transact([put(("a", "b"), {})])


def test_a_condition_among_collisions_is_a_condition() -> None:
    table, _, slept = scripted(
        error("TransactionCanceledException", "TransactionConflict", "None", "ConditionalCheckFailed")
    )
    with pytest.raises(TransactionFailed) as failed:
        table.transact([put(("a", "b"), {})])
    assert failed.value.failed == (2,)
    assert slept == []


def test_a_transaction_that_is_wrong_rises() -> None:
    table, _, _ = scripted(error("TransactionCanceledException", "ValidationError"))
    with pytest.raises(ClientError):
        table.transact([put(("a", "b"), {})])


# Batches


def test_puts_and_deletes_go_25_to_a_request(table: Table, client: Any) -> None:
    keys: list[Key] = [("a", f"{number:03}") for number in range(BATCH_WRITE + 1)]
    calls = aws.record_calls(client)
    table.batch_write(puts=[(key, {"n": 1}) for key in keys])
    assert calls == ["dynamodb.BatchWriteItem"] * 2
    table.batch_write(deletes=keys)
    assert keys_of(table.query("a")) == []
    calls.clear()
    table.batch_write()
    assert calls == []


def test_what_dynamodb_left_is_written_again() -> None:
    left = {"UnprocessedItems": {"index": [{"DeleteRequest": {"Key": item("1")}}]}}
    table, client, slept = scripted(left, {})
    table.batch_write(deletes=[("a", "1"), ("a", "2")])
    assert client.requests[1]["RequestItems"]["index"] == left["UnprocessedItems"]["index"]
    assert len(slept) == 1
    table, _, _ = scripted(*[left] * 20)
    with pytest.raises(Throttled):
        table.batch_write(deletes=[("a", "1")])


def test_a_long_write_goes_on_while_something_is_written() -> None:
    """The uses of a manifest with 2,000 layers are 80 requests."""
    left = {"UnprocessedItems": {"index": [{"DeleteRequest": {"Key": item("1")}}]}}
    table, _, slept = scripted(*[left] * 12, {})
    table.batch_write(deletes=[("a", str(number)) for number in range(12 * 24 + 1)])
    assert len(slept) == 12 and max(slept) <= 0.02
