"""Access as data: scopes, claims and what permits what."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.identity.access import CATALOG_ACCESS, Access, parse_scope, parse_scopes
from roadstead.identity.tokens.granted import Granted


def test_equal_access_has_one_spelling() -> None:
    assert Access.to("a/b", "push", "pull").scope() == "repository:a/b:pull,push"
    assert Access.to("a/b", "delete", "x", "push", "pull", "*").as_claim() == {
        "type": "repository",
        "name": "a/b",
        "actions": ["pull", "push", "delete", "*", "x"],
    }
    assert CATALOG_ACCESS.scope() == "registry:catalog:*"


@pytest.mark.parametrize("access", [Access.to("a/b", "pull", "push"), Access.to("a/b"), CATALOG_ACCESS])
def test_a_claim_is_read_as_it_was_written(access: Access) -> None:
    assert Access.from_claim(access.as_claim()) == access


@pytest.mark.parametrize(
    "claim",
    [
        {},
        {"type": "repository", "name": "a"},
        {"type": "repository", "name": "a", "actions": None},
        {"type": "repository", "name": "a", "actions": "pull"},
        {"type": "repository", "name": "a", "actions": [1]},
        {"type": "repository", "name": None, "actions": []},
        {"type": 1, "name": "a", "actions": []},
    ],
)
def test_a_claim_of_another_shape_is_refused(claim: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Access.from_claim(claim)


@pytest.mark.parametrize(
    ("granted", "permitted"),
    [
        ([], False),
        ([Access.to("a/b", "pull", "push")], True),
        ([Access.to("a/b", "pull", "push", "delete")], True),
        ([Access.to("a/b", "pull"), Access.to("a/b", "push")], True),
        ([Access.to("a/b", "pull")], False),
        ([Access.to("a", "pull", "push"), Access.to("a/b/c", "pull", "push")], False),
        ([Access("plugin", "a/b", frozenset({"pull", "push"}))], False),
        ([Access.to("a/b", "*")], False),
    ],
)
def test_every_action_must_be_granted_on_that_very_resource(granted: list[Access], permitted: bool) -> None:
    assert Granted(tuple(granted)).permits(Access.to("a/b", "pull", "push")) is permitted


@pytest.mark.parametrize(
    ("text", "access"),
    [
        ("repository:a/b:pull", Access.to("a/b", "pull")),
        ("repository:a/b:push,pull,pull", Access.to("a/b", "pull", "push")),
        ("repository:a/b:", Access.to("a/b")),
        ("repository:host:5000/a:pull", Access.to("host:5000/a", "pull")),
        ("repository(plugin):a/b:pull", Access.to("a/b", "pull")),
        ("repository:hello-world:pull", Access.to("library/hello-world", "pull")),
        ("repository:A:pull", Access.to("A", "pull")),
        ("registry:catalog:*", CATALOG_ACCESS),
    ],
)
def test_scopes_of_the_documentation_are_read(text: str, access: Access) -> None:
    assert parse_scope(text) == access


@pytest.mark.parametrize("text", ["", "repository", "repository:a", ":a:pull", "repository::pull", "::"])
def test_other_scopes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a scope"):
        parse_scope(text)


def test_scopes_are_merged_by_resource_in_the_order_of_mention() -> None:
    found = parse_scopes(["repository:library/b:pull repository:a/a:pull", "repository:b:push", "", " "])
    assert found == (Access.to("library/b", "pull", "push"), Access.to("a/a", "pull"))
