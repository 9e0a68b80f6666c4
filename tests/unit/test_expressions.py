"""Regular expressions in rules."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.expressions import MAX_PLACES, Expression, check_expression, expression_matches


@pytest.mark.parametrize(
    ("expression", "yes", "no"),
    [
        (r"v\d+\.\d+\.\d+", ("v1.2.3", "v10.0.11"), ("v1.2", "v1.2.3-rc1", "xv1.2.3", "v1a2a3")),
        ("(dev|test)-.*", ("dev-", "test-7"), ("prod-7", "dev")),
        ("(?:a|b)c", ("ac", "bc"), ("a", "abc")),
        ("[a-f0-9]{7,40}", ("abcdef0", "0" * 40), ("abcdef", "0" * 41, "g" * 7)),
        ("[^0-9]+", ("abc",), ("", "a1")),
        ("a{2}", ("aa",), ("a", "aaa")),
        ("a{2,}", ("aa", "aaaaa"), ("a",)),
        ("a{0}b", ("b",), ("ab",)),
        ("(a|)b?", ("", "a", "b", "ab"), ("ba",)),
        ("(a*)*", ("", "aaa"), ("b",)),
        (r"\w+", ("aZ_9",), ("a-b",)),
        (r"[\d.-]+", ("1.2-3",), ("a",)),
        (r"a\.b\{\|", ("a.b{|",), ("axb{|",)),
        ("pr/[0-9]+", ("pr/7",), ("pr-7",)),
        ("a,b-c_d/e:f@g", ("a,b-c_d/e:f@g",), ("a",)),
    ],
)
def test_an_expression_matches_as_documented(expression: str, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    check_expression(expression)
    assert [text for text in yes if not expression_matches(expression, text)] == []
    assert [text for text in no if expression_matches(expression, text)] == []


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "1 to 256"),
        ("a b", "no space"),
        ("é", "ASCII"),
        ("a" * 257, "1 to 256"),
        ("^v1", r"leave \^ out"),
        ("v1$", r"leave \$ out"),
        (r"(a)\1", "no back-references"),
        (r"\bv", "only"),
        (r"\S", "only"),
        ("a\\", "only"),
        ("(?=a)", "no lookaround"),
        ("(?<n>a)", "no lookaround"),
        ("(?i)a", "no flag"),
        ("a*?", "no lazy"),
        ("a++", "no lazy"),
        ("a{2}{3}", "no lazy"),
        ("*a", "nothing to repeat"),
        ("(|+)", "nothing to repeat"),
        ("(a", r"no \) after"),
        ("a)", r"no \( before"),
        ("(" * 21 + "a" + ")" * 21, "20 deep"),
        ("[a", r"no \] after"),
        ("[]", "no character"),
        ("[z-a]", "in their order"),
        (r"[\d-z]", "of two characters"),
        ("[[:alpha:]]", "the character itself"),
        ("]", "the character itself"),
        ("}", "the character itself"),
        ("a{", "begins"),
        ("a{x}", "begins"),
        ("a{,2}", "begins"),
        ("a{1000}", "begins"),
        ("a{3,2}", "in order"),
        ("a{101}", "at most 100"),
        ("(a{100}){3}", "more than 256"),
        ("((((){100}){100}){100}){100}", "more than 256"),
        ("(((a{2,}){50}){50}){50}", "more than 256"),
    ],
)
def test_what_is_not_supported_is_refused_with_a_message(expression: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_expression(expression)


@pytest.mark.parametrize(
    "expression",
    ["(a+)+b", "(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*a){10}b", "(a?){100}a{100}", "([a-z]+)*[0-9]", "(.*)(.*)(.*)x"],
)
def test_hostile_expressions_take_steps_in_proportion_to_the_text(expression: str) -> None:
    compiled = Expression(expression)
    assert compiled.size <= MAX_PLACES
    steps = []
    for length in (2_500, 5_000, 10_000):
        matched, taken = compiled.walk("a" * length)
        assert not matched
        assert taken <= compiled.size * length
        steps.append(taken)
    assert steps[2] <= 2.1 * steps[1] <= 4.41 * steps[0]


def test_an_expression_of_the_greatest_size_is_matched() -> None:
    expression = "(a?b?){100}[^c]{56}"
    assert Expression(expression).size == MAX_PLACES
    assert expression_matches(expression, "ab" * 100 + "z" * 56)
    assert not expression_matches(expression, "ab" * 100 + "z" * 57)


ATOMS = st.sampled_from(["a", "b", "-", ".", "[ab]", "[^a]", "[a-c]", r"\d", r"\w", r"\.", r"[\d.]", "()"])
COUNTS = st.sampled_from(["", "", "?", "*", "+", "{2}", "{0}", "{1,}", "{0,2}", "{2,3}"])


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, COUNTS).map(lambda pair: f"({pair[0]}){pair[1]}"),
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map("|".join),
    )


SMALL = st.recursive(st.tuples(ATOMS, COUNTS).map("".join), _larger, max_leaves=8)


@given(SMALL, st.text("abc1.-", max_size=9))
def test_an_expression_matches_what_pythons_regular_expressions_match(expression: str, text: str) -> None:
    try:
        check_expression(expression)
    except ValueError as error:
        assert "more than 256" in str(error)
        return
    assert expression_matches(expression, text) == (re.fullmatch(expression, text, re.ASCII) is not None)


@given(st.text("ab()|[]{}^$*+?\\.-,:=!<P12d", max_size=12))
def test_whatever_is_accepted_means_the_same_to_python(expression: str) -> None:
    try:
        check_expression(expression)
    except ValueError:
        return
    compiled = re.compile(expression, re.ASCII)
    for text in ("", "a", "b", "ab", "aab", "1", "a1b2", "-", "a-b", ".", ","):
        assert expression_matches(expression, text) == (compiled.fullmatch(text) is not None)
