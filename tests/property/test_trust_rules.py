"""Trust rules, for any pattern and any claims: they fit what a regular expression of the same meaning fits."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.identity.providers.trust import RuleRefused, TrustRule, check_rules, glob_fits

ISSUER = "https://issuer.example"
letters = st.text("ab/*:.", max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(letters, letters)
def test_a_pattern_fits_as_the_regular_expression_does(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert glob_fits(pattern, text) == bool(re.fullmatch(expression, text, re.DOTALL))


@given(st.dictionaries(st.sampled_from(["sub", "ref"]), letters, min_size=1), st.dictionaries(st.text(), anything))
def test_a_rule_fits_only_claims_that_are_texts_or_whole_numbers(rules: dict[str, str], claims: dict[str, Any]) -> None:
    rule = TrustRule(ISSUER, "registry", rules)
    if rule.fits(claims):
        for name, pattern in rules.items():
            assert type(claims[name]) in (str, int)
            assert glob_fits(pattern, str(claims[name]))


@given(anything)
def test_any_document_is_a_rule_or_refused_by_a_sentence(document: Any) -> None:
    for value in (document, {"issuer": ISSUER, "audience": "registry", "claims": document}):
        try:
            rule = TrustRule.from_json(value)
            assert check_rules([rule], [ISSUER]) == (rule,)
        except RuleRefused as refused:
            assert str(refused)
            continue
        assert TrustRule.from_json(rule.as_json()) == rule
        assert any(not pattern.startswith("*") for pattern in rule.claims.values())


@pytest.mark.parametrize("length", [1_000, 16_000])
def test_a_pattern_of_many_stars_takes_no_longer_than_its_text(length: int) -> None:
    assert not glob_fits("a*a*a*a*b", "a" * length)
