"""Requests that are sent again: without conditions, and without what only the conditions used."""

from __future__ import annotations

from bench.replay import unconditional


def test_a_write_loses_its_condition_and_what_only_that_used() -> None:
    assert unconditional(
        {
            "TableName": "t",
            "UpdateExpression": "SET #a = :a",
            "ConditionExpression": "#b = :b",
            "ExpressionAttributeNames": {"#a": "a", "#b": "b"},
            "ExpressionAttributeValues": {":a": {"N": "1"}, ":b": {"N": "2"}},
        }
    ) == {
        "TableName": "t",
        "UpdateExpression": "SET #a = :a",
        "ExpressionAttributeNames": {"#a": "a"},
        "ExpressionAttributeValues": {":a": {"N": "1"}},
    }


def test_a_put_keeps_its_item_alone() -> None:
    condition = {"ConditionExpression": "v = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}}
    assert unconditional({"Item": {"pk": {"S": "x"}}, **condition}) == {"Item": {"pk": {"S": "x"}}}


def test_a_transaction_keeps_its_checks_and_not_its_token() -> None:
    check = {"ConditionCheck": {"Key": {}, "ConditionExpression": "attribute_exists(pk)"}}
    put = {"Put": {"Item": {}, "ConditionExpression": "attribute_not_exists(pk)"}}
    assert unconditional({"TransactItems": [check, put], "ClientRequestToken": "t"}) == {
        "TransactItems": [check, {"Put": {"Item": {}}}]
    }


def test_a_query_is_sent_as_it_was() -> None:
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "x"}}}
    assert unconditional(dict(query)) == query
