"""What the stores count on in DynamoDB itself: indexes, expressions, limits. The embedded one has to refuse what
DynamoDB refuses; where a witness is laxer, it is left out by name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

BY_PUSH = {
    "IndexName": "by-push",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "pushed", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["digest", "size"]},
}


class Table:
    """One with the index `by-push`, sparse: `pushed` is on tags alone."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.name = f"table-{uuid.uuid4().hex}"
        client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "pushed")],
            GlobalSecondaryIndexes=[BY_PUSH],
        )

    def put(self, pk: str, sk: str, **more: Any) -> None:
        self.client.put_item(TableName=self.name, Item={"pk": {"S": pk}, "sk": {"S": sk}, **more})

    def get(self, pk: str, sk: str) -> Any:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        return self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")

    def update(self, pk: str, sk: str, expression: str, **more: Any) -> Any:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        more.setdefault("ReturnValues", "ALL_NEW")
        answer = self.client.update_item(TableName=self.name, Key=key, UpdateExpression=expression, **more)
        return answer.get("Attributes")

    def query(self, condition: str, values: dict[str, str], **more: Any) -> Any:
        return self.client.query(
            TableName=self.name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
            **more,
        )


@pytest.fixture(params=["moto", "ministack", "embedded"])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    if request.param == "moto":
        with mock_aws():
            yield Table(request.getfixturevalue("moto_dynamodb"))
    else:
        yield Table(request.getfixturevalue(f"{request.param}_dynamodb"))


@pytest.fixture
def strict_table(embedded_dynamodb: Any) -> Table:
    """The embedded one alone, for what the others do not refuse."""
    return Table(embedded_dynamodb)


def keys(answer: Any, name: str = "sk") -> list[str]:
    return [item[name]["S"] for item in answer["Items"]]


def refused(ask: Callable[[], object], code: str = "ValidationException") -> str:
    with pytest.raises(ClientError) as raised:
        ask()
    assert raised.value.response["Error"]["Code"] == code
    return str(raised.value.response["Error"]["Message"])


def with_tags(table: Table, count: int) -> Table:
    for number in range(count):
        pushed = f"t#{count - number:013d}#v{number}"
        more = {"digest": {"S": f"d{number}"}, "size": {"N": str(number)}, "by": {"S": "ada"}, "pushed": {"S": pushed}}
        table.put("repo#a", f"tag#v{number}", **more)
    table.put("repo#a", "meta")
    table.put("repo#b", "tag#other", pushed={"S": "t#1"})
    return table


class TestIndex:
    def test_has_what_has_its_key_in_its_order_with_what_it_projects(self, table: Table) -> None:
        with_tags(table, 3)
        answer = table.query("pk = :pk", {":pk": "repo#a"}, IndexName="by-push")
        assert keys(answer) == ["tag#v2", "tag#v1", "tag#v0"]
        assert answer["Items"][0].keys() == {"pk", "sk", "pushed", "digest", "size"}

    def test_is_read_both_ways_and_page_by_page(self, table: Table) -> None:
        with_tags(table, 7)
        for forward in (True, False):
            found, more = list[str](), dict[str, Any]()
            while True:
                answer = table.query(
                    "pk = :pk AND begins_with(pushed, :t)", {":pk": "repo#a", ":t": "t#"}, IndexName="by-push",
                    ScanIndexForward=forward, Limit=3, **more,
                )  # fmt: skip
                found += keys(answer)
                if "LastEvaluatedKey" not in answer:
                    break
                more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
            expected = [f"tag#v{number}" for number in range(7)]
            assert found == (expected[::-1] if forward else expected)

    def test_counts_without_items(self, table: Table) -> None:
        with_tags(table, 5)
        answer = table.query("pk = :pk", {":pk": "repo#a"}, IndexName="by-push", Select="COUNT")
        assert (answer["Count"], answer.get("Items", [])) == (5, [])

    def test_follows_a_move_an_update_and_a_deletion(self, table: Table) -> None:
        with_tags(table, 2)
        table.put("repo#a", "tag#v0", pushed={"S": "t#0"}, digest={"S": "new"})
        table.update("repo#a", "tag#v1", "REMOVE pushed")
        answer = table.query("pk = :pk", {":pk": "repo#a"}, IndexName="by-push")
        assert [(item["sk"]["S"], item["digest"]["S"]) for item in answer["Items"]] == [("tag#v0", "new")]
        table.client.delete_item(TableName=table.name, Key={"pk": {"S": "repo#a"}, "sk": {"S": "tag#v0"}})
        assert keys(table.query("pk = :pk", {":pk": "repo#a"}, IndexName="by-push")) == []

    def test_is_not_read_consistently_nor_for_what_it_does_not_project(self, strict_table: Table) -> None:
        values = {":pk": "repo#a"}
        with_tags(strict_table, 1)
        refused(lambda: strict_table.query("pk = :pk", values, IndexName="by-push", ConsistentRead=True))
        refused(lambda: strict_table.query("pk = :pk", values, IndexName="by-push", Select="ALL_ATTRIBUTES"))
        refused(lambda: strict_table.put("repo#a", "x", pushed={"N": "1"}))
        refused(lambda: strict_table.put("repo#a", "x", pushed={"S": ""}))


class TestQuery:
    @pytest.mark.parametrize(
        "condition, values, expected",
        [
            ("sk = :a", {":a": "b"}, ["b"]),
            ("sk > :a", {":a": "b"}, ["b0", "c", "é", "😀"]),
            ("sk >= :a", {":a": "b"}, ["b", "b0", "c", "é", "😀"]),
            ("sk < :a", {":a": "b"}, ["B", "a"]),
            ("sk <= :a", {":a": "b"}, ["B", "a", "b"]),
            ("sk BETWEEN :a AND :b", {":a": "a", ":b": "b0"}, ["a", "b", "b0"]),
            ("begins_with(sk, :a)", {":a": "b"}, ["b", "b0"]),
        ],
    )
    def test_orders_by_bytes(self, table: Table, condition: str, values: dict[str, str], expected: list[str]) -> None:
        for sk in ("c", "b0", "é", "b", "😀", "a", "B"):
            table.put("p", sk)
        answer = table.query(f"pk = :pk AND {condition}", {":pk": "p", **values})
        assert keys(answer) == expected
        assert keys(table.query(f"pk = :pk AND {condition}", {":pk": "p", **values}, ScanIndexForward=False)) == [
            *reversed(expected)
        ]

    def test_filters_after_it_has_counted_what_it_read(self, table: Table) -> None:
        for number in range(6):
            table.put("p", str(number), even={"BOOL": number % 2 == 0})
        answer = table.client.query(
            TableName=table.name,
            KeyConditionExpression="pk = :pk",
            FilterExpression="even = :yes",
            ExpressionAttributeValues={":pk": {"S": "p"}, ":yes": {"BOOL": True}},
            Limit=4,
        )
        assert (keys(answer), answer["Count"], answer["ScannedCount"]) == (["0", "2"], 2, 4)
        assert answer["LastEvaluatedKey"] == {"pk": {"S": "p"}, "sk": {"S": "3"}}

    def test_a_page_has_a_megabyte(self, strict_table: Table) -> None:
        for number in range(5):
            strict_table.put("p", str(number), data={"S": "x" * 300_000})
        first = strict_table.query("pk = :pk", {":pk": "p"})
        assert keys(first) == ["0", "1", "2", "3"]
        assert keys(strict_table.query("pk = :pk", {":pk": "p"}, ExclusiveStartKey=first["LastEvaluatedKey"])) == ["4"]


class TestUpdate:
    def test_sets_adds_removes_and_answers_what_is_there_now(self, table: Table) -> None:
        table.put("p", "s", a={"N": "1"}, gone={"S": "x"}, tags={"SS": ["a"]}, m={"M": {}})
        found = table.update(
            "p",
            "s",
            "SET b = if_not_exists(b, :b), c = a + :one, m.#x = :b ADD n :one, tags :tags REMOVE gone",
            ExpressionAttributeValues={":b": {"S": "b"}, ":one": {"N": "1"}, ":tags": {"SS": ["b"]}},
            ExpressionAttributeNames={"#x": "x"},
        )
        assert (found["c"], found["n"]) == ({"N": "2"}, {"N": "1"})
        assert found["b"] == {"S": "b"} and found["m"] == {"M": {"x": {"S": "b"}}} and "gone" not in found
        assert sorted(found["tags"]["SS"]) == ["a", "b"]

    def test_makes_an_item_that_was_not_there(self, table: Table) -> None:
        assert table.update("p", "new", "ADD n :n", ExpressionAttributeValues={":n": {"N": "5"}}) == {
            "pk": {"S": "p"},
            "sk": {"S": "new"},
            "n": {"N": "5"},
        }

    def test_numbers_are_decimal_and_exact(self, strict_table: Table) -> None:
        table, big = strict_table, "12345678901234567890123456789012345678"
        table.put("p", "s", n={"N": big}, f={"N": "0.1"})
        found = table.update(
            "p", "s", "SET f = f + :f ADD n :one", ExpressionAttributeValues={":f": {"N": "0.2"}, ":one": {"N": "1"}}
        )
        assert (found["f"]["N"], found["n"]["N"]) == ("0.3", big[:-1] + "9")

    def test_a_condition_that_fails_changes_nothing_and_shows_the_item_if_asked(self, table: Table) -> None:
        table.put("p", "s", v={"N": "1"})
        with pytest.raises(ClientError) as raised:
            table.update(
                "p", "s", "SET v = :two", ConditionExpression="v = :two", ReturnValuesOnConditionCheckFailure="ALL_OLD",
                ExpressionAttributeValues={":two": {"N": "2"}},
            )  # fmt: skip
        assert raised.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
        assert table.get("p", "s")["v"] == {"N": "1"}


class TestRefusals:
    """Of the embedded DynamoDB, by Amazon's documentation: the witnesses let some of it pass."""

    def test_reserved_words_are_not_names(self, strict_table: Table) -> None:
        assert "reserved keyword: state" in refused(
            lambda: strict_table.update("p", "s", "SET state = :s", ExpressionAttributeValues={":s": {"S": "x"}})
        )

    def test_every_placeholder_is_used_and_defined(self, strict_table: Table) -> None:
        one = {":a": {"S": "x"}}
        assert "unused" in refused(
            lambda: strict_table.update("p", "s", "SET a = :a", ExpressionAttributeValues={**one, ":b": {"S": "x"}})
        )
        assert "not defined" in refused(
            lambda: strict_table.update("p", "s", "SET a = :a, b = :b", ExpressionAttributeValues=one)
        )
        assert "only be specified when using expressions" in refused(
            lambda: strict_table.client.put_item(
                TableName=strict_table.name,
                Item={"pk": {"S": "p"}, "sk": {"S": "s"}},
                ExpressionAttributeValues=one,
            )
        )

    @pytest.mark.parametrize(
        "item",
        [
            {"sk": {"S": "s"}},
            {"pk": {"S": ""}, "sk": {"S": "s"}},
            {"pk": {"N": "1"}, "sk": {"S": "s"}},
            {"pk": {"S": "x" * 2049}, "sk": {"S": "s"}},
            {"pk": {"S": "p"}, "sk": {"S": "x" * 1025}},
            {"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"S": "x" * 400 * 1024}},
            {"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"SS": []}},
            {"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"SS": ["a", "a"]}},
            {"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"N": "1" * 39}},
            {"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"N": "one"}},
            {"pk": {"S": "p"}, "sk": {"S": "s"}, "a": {"N": "1e126"}},
        ],
    )
    def test_an_item_is_well_formed(self, strict_table: Table, item: Any) -> None:
        refused(lambda: strict_table.client.put_item(TableName=strict_table.name, Item=item))

    @pytest.mark.parametrize(
        "expression", ["", "a =", "a = :a AND", "size(a)", "a = :a)", "a == :a", "a IN ()", "begins_with(a)", "a $ :a"]
    )
    def test_an_expression_is_well_formed(self, strict_table: Table, expression: str) -> None:
        refused(
            lambda: strict_table.client.put_item(
                TableName=strict_table.name,
                Item={"pk": {"S": "p"}, "sk": {"S": "s"}},
                ConditionExpression=expression,
                ExpressionAttributeValues={":a": {"S": "x"}},
            )
        )

    def test_paths_do_not_overlap_and_keys_do_not_change(self, strict_table: Table) -> None:
        values = {":a": {"S": "x"}}
        for expression in ("SET a = :a, a.b = :a", "SET pk = :a", "SET a.b = :a", "SET a = :a SET b = :a"):
            refused(lambda text=expression: strict_table.update("p", "s", text, ExpressionAttributeValues=values))  # type: ignore[misc]

    def test_a_transaction_has_one_action_for_an_item_and_a_hundred_at_most(self, strict_table: Table) -> None:
        def put(number: int) -> Any:
            item = {"pk": {"S": "p"}, "sk": {"S": str(number)}}
            return {"Put": {"TableName": strict_table.name, "Item": item}}

        transact = strict_table.client.transact_write_items
        refused(lambda: transact(TransactItems=[put(1), put(1)]))
        refused(lambda: transact(TransactItems=[put(number) for number in range(101)]))
        transact(TransactItems=[put(number) for number in range(100)], ClientRequestToken="once")
        transact(TransactItems=[put(number) for number in range(100)], ClientRequestToken="once")
        refused(
            lambda: transact(TransactItems=[put(1)], ClientRequestToken="once"), "IdempotentParameterMismatchException"
        )

    def test_a_range_is_the_right_way_round(self, strict_table: Table) -> None:
        refused(lambda: strict_table.query("pk = :pk AND sk BETWEEN :a AND :b", {":pk": "p", ":a": "b", ":b": "a"}))
        refused(lambda: strict_table.query("sk = :a", {":a": "b"}))
        refused(lambda: strict_table.query("pk > :a", {":a": "b"}))
