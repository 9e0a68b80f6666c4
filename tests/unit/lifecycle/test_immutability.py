"""Which tags a rule selects, and what a policy keeps of it."""

from __future__ import annotations

import pytest

from roadstead.lifecycle.policy.document import Policy
from roadstead.lifecycle.policy.immutability import ImmutableRule, Selector, rule_for
from roadstead.names import RepositoryName, Tag

EVERYWHERE = (Selector("**"),)


def rule(tags: str, repositories: str = "**", *, number: int = 1, disabled: bool = False) -> ImmutableRule:
    def selectors(text: str) -> tuple[Selector, ...]:
        return tuple(Selector(one.removeprefix("!"), one.startswith("!")) for one in text.split())

    return ImmutableRule(number, selectors(tags), selectors(repositories), disabled)


@pytest.mark.parametrize(
    ("tags", "repositories", "reference", "kept"),
    [
        ("v*", "**", "ships/galleon:v1", True),
        ("v*", "**", "ships/galleon:latest", False),
        ("!latest", "**", "ships/galleon:v1", True),
        ("!latest", "**", "ships/galleon:latest", False),
        ("v* !*-rc*", "**", "ships/galleon:v1", True),
        ("v* !*-rc*", "**", "ships/galleon:v1-rc1", False),
        ("**", "galleon", "ships/galleon:v1", True),  # the name without its project
        ("**", "galleon", "ships/fleet/galleon:v1", False),
        ("**", "**/galleon", "ships/fleet/galleon:v1", True),
        ("**", "!galleon", "ships/galleon:v1", False),
        ("**", "!galleon", "ships/sloop:v1", True),
        ("**", "single", "library/single:v1", True),
    ],
)
def test_a_rule_keeps_the_tags_that_every_selector_selects(
    tags: str, repositories: str, reference: str, kept: bool
) -> None:
    name, _, tag = reference.partition(":")
    assert (rule_for([rule(tags, repositories)], RepositoryName.parse(name), Tag(tag)) is not None) == kept


def test_the_first_enabled_rule_that_matches_is_named() -> None:
    rules = [rule("v*", number=1, disabled=True), rule("w*", number=2), rule("v*", number=3), rule("**", number=4)]
    found = rule_for(rules, RepositoryName("ships/galleon"), Tag("v1"))
    assert found is not None
    assert str(found) == "rule 3 (tags v*, repositories **)"


def test_a_tag_of_cosigns_moves_whatever_the_rules_say() -> None:
    tag = Tag(f"sha256-{'0' * 64}.sig")
    assert rule_for([rule("**")], RepositoryName("ships/galleon"), tag) is None


def test_a_policy_comes_back_as_it_was_written() -> None:
    rules = (rule("v* !*-rc*", "a !b/**", number=7, disabled=True), ImmutableRule(8, EVERYWHERE, EVERYWHERE, False, 3))
    assert Policy.parse(Policy(rules).document()) == Policy(rules)
    assert Policy.parse("") == Policy.parse(Policy().document()) == Policy()
