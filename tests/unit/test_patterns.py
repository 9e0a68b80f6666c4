"""Patterns of repositories and tags."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.patterns import check_pattern, matches


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("**", ("a", "a/b", "a/b/c", ""), ()),
        ("*", ("a", ""), ("a/b",)),
        ("crane", ("crane",), ("cranes", "a/crane", "Crane", "")),
        ("cargo/*", ("cargo/crane", "cargo/"), ("cargo", "cargo/crane/x", "a/cargo/crane")),
        ("cargo/**", ("cargo/crane", "cargo/crane/x"), ("cargo", "cargos/x")),
        ("**/crane", ("crane", "cargo/crane", "a/b/crane"), ("cargo/acrane", "crane/x")),
        ("a/**/z", ("a/z", "a/b/z", "a/b/c/z"), ("az", "a/bz")),
        ("a**z", ("az", "a/z", "abcz"), ("a", "z", "azb")),
        ("v?", ("v1", "va"), ("v", "v10", "v/")),
        ("v1.*", ("v1.", "v1.2", "v1.2.3"), ("v1", "v10", "v12.3")),
        ("{a,b/*}", ("a", "b/c"), ("b", "{a,b/*}")),
        ("v{1,2}.{0,1}*", ("v1.0", "v2.1-rc1"), ("v3.0", "v1.2")),
        ("{a,}b", ("ab", "b"), ("a",)),
        ("*-*-*", ("a-b-c", "--", "a-b-c-d"), ("a-b",)),
        ("***", ("a/b",), ()),
        ("a.b", ("a.b",), ("axb",)),
    ],
)
def test_a_pattern_matches_as_documented(pattern: str, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    check_pattern(pattern)
    assert [text for text in yes if not matches(pattern, text)] == []
    assert [text for text in no if matches(pattern, text)] == []


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("", "not a pattern"),
        ("a b", "not a pattern"),
        ("[a-z]", "not a pattern"),
        ("a" * 257, "not a pattern"),
        ("a\n", "not a pattern"),
        ("{a", "braces"),
        ("a}", "braces"),
        ("}a{", "braces"),
        ("{a,{b,c}}", "braces"),
        ("{a,b}" * 7, "alternatives"),
        ("{a,b}" * 40, "alternatives"),
        ("**/" * 80, "alternatives"),
    ],
)
def test_a_malformed_pattern_is_refused_with_a_message(pattern: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_pattern(pattern)


def test_hostile_patterns_are_matched_in_bounded_time() -> None:
    begin = time.process_time()
    for pattern in ("a*" * 100 + "b", "**a" * 80 + "b", "*?" * 127, "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}" + "*a" * 100):
        check_pattern(pattern)
        assert not matches(pattern, "a" * 254 + "/")
    assert time.process_time() - begin < 2


SIMPLE = st.lists(st.sampled_from(["a", "b", "/", "*", "**x", "?"]), max_size=8).map("".join)


@given(SIMPLE, st.text("abx/", max_size=10))
def test_a_pattern_matches_like_its_regular_expression(pattern: str, text: str) -> None:
    parts = re.findall(r"\*\*+|.", pattern)
    meaning = {"*": "[^/]*", "?": "[^/]"}
    expected = "".join(".*" if part.startswith("**") else meaning.get(part, re.escape(part)) for part in parts)
    assert matches(pattern, text) == (re.fullmatch(expected, text) is not None)
