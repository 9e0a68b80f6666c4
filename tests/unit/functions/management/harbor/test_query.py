"""Harbor's query language: what each form selects, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.management.errors import ManagementError
from functions.management.harbor.query import AnyOf, Exact, Sort, parse_query


@dataclass(frozen=True)
class Item:
    name: str
    id: int = 0
    tags: tuple[str, ...] = ()
    pushed: datetime | None = None
    public: bool = False


FIELDS: dict[str, Callable[[Item], object]] = {
    "name": lambda item: item.name,
    "id": lambda item: item.id,
    "tags": lambda item: item.tags or None,
    "push_time": lambda item: item.pushed,
    "public": lambda item: item.public,
}
ITEMS = [
    Item("Alpha", 1, ("v1", "latest"), datetime(2026, 1, 1, tzinfo=UTC), True),
    Item("beta", 2, ("v2",), datetime(2026, 2, 1, tzinfo=UTC)),
    Item("[gamma", 3),
]


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("", ["Alpha", "beta", "[gamma"]),
        ("name=beta", ["beta"]),
        ("name=BETA", []),
        ("name=~ALP", ["Alpha"]),
        ("name=~a,id=2", ["beta"]),
        (r"name=\[gamma", ["[gamma"]),
        ("id=[2~3]", ["beta", "[gamma"]),
        ("id=[2~]", ["beta", "[gamma"]),
        ("id=[~1]", ["Alpha"]),
        ("push_time=[2026-01-15T00:00:00~2026-03-01T00:00:00]", ["beta"]),
        ("id={1 3}", ["Alpha", "[gamma"]),
        ("name={'beta' nobody}", ["beta"]),
        ("tags=(v1 latest)", ["Alpha"]),
        ("tags=(v1 v2)", []),
        ("tags=nil", ["[gamma"]),
        ("tags%3Dnil", ["[gamma"]),
        ("tags=v2", ["beta"]),
        ("public=true", ["Alpha"]),
        ("unknown=1", ["Alpha", "beta", "[gamma"]),
        ("id=[a~b]", []),
    ],
)
def test_a_query_selects(q: str, names: list[str]) -> None:
    assert [item.name for item in parse_query(q, None).filtered(ITEMS, FIELDS)] == names


@pytest.mark.parametrize(
    "q", ["name", "name=", "=x", "name=~", "id=[1]", "id=[1~2", "id=[~]", "id={1", "id=(1", "a=1,,"]
)
def test_a_malformed_query_is_a_bad_request(q: str) -> None:
    with pytest.raises(ManagementError) as caught:
        parse_query(q, None)
    assert caught.value.code.status == 400


def test_a_query_is_bounded() -> None:
    for q in ("a=" + "b" * 3_000, ",".join(["a=b"] * 21)):
        with pytest.raises(ManagementError):
            parse_query(q, None)


def test_items_are_sorted_by_each_key_in_turn() -> None:
    items = [Item("b", 1), Item("a", 2), Item("a", 1)]
    default = (Sort("id"),)
    assert parse_query(None, "name,-id").sorted(items, FIELDS, default) == [Item("a", 2), Item("a", 1), Item("b", 1)]
    assert parse_query(None, "unknown").sorted(items, FIELDS, default) == [Item("b", 1), Item("a", 1), Item("a", 2)]
    assert parse_query(None, "push_time").sorted(ITEMS, FIELDS, default)[0].name == "[gamma"


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_a_query_or_a_bad_request(q: str, sort: str) -> None:
    try:
        query = parse_query(q, sort)
    except ManagementError as error:
        assert error.code.status == 400
    else:
        assert set(query.filtered(ITEMS, FIELDS)) <= set(ITEMS)
        assert len(query.sorted(ITEMS, FIELDS, (Sort("id"),))) == len(ITEMS)


def test_a_plus_is_a_space_only_in_what_is_encoded_twice() -> None:
    assert parse_query("name=robot$ships+builder", None).terms == {"name": Exact("robot$ships+builder")}
    assert parse_query("name%3D%7Ba+b%7D", None).terms == {"name": AnyOf(("a", "b"))}
