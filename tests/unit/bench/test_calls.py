from __future__ import annotations

from bench.sections import calls


def test_calls_are_counted_by_service_and_listed_in_order() -> None:
    shown = calls.show(
        {
            "a": ("dynamodb.GetItem", "s3.PutObject", "dynamodb.GetItem", "dynamodb.GetItem"),
            "b": (),
        }
    ).splitlines()
    assert [line.split() for line in shown[-2:]] == [
        ["a", "3", "1", "-", "-", "GetItem,", "PutObject,", "GetItem", "x2"],
        ["b", "-", "-", "-", "-", "none"],
    ]
