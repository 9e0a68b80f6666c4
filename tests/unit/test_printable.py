"""Text of others cannot move the cursor, forge a column or change the order in which it is read."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.printable import encodable, printable

_UNSAFE = ("Cc", "Cs", "Zl", "Zp")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("docker/29.0 go/1.25 (linux)", "docker/29.0 go/1.25 (linux)"),
        ("žluťoučký kůň 船", "žluťoučký kůň 船"),
        ("a\tb", r"a\tb"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[2J", r"\u001b[2J"),
        ("\x9b31m", r"\u009b31m"),
        ("\x7f", r"\u007f"),
        ("user\u202etxt.exe", r"user\u202etxt.exe"),
        ("\u2066\u2069\u200f", r"\u2066\u2069\u200f"),
        ("\ufeffa", r"\ufeffa"),
        ("\U000e0041", r"\udb40\udc41"),
    ],
)
def test_control_and_bidirectional_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_no_text_keeps_a_control_or_bidirectional_character(text: str) -> None:
    shown = printable(text)
    assert not [one for one in shown if unicodedata.category(one) in _UNSAFE]
    assert not [
        one
        for one in shown
        if unicodedata.bidirectional(one) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI")
    ]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaping_a_json_document_does_not_change_what_it_says(text: str) -> None:
    assert json.loads(printable(json.dumps(text, ensure_ascii=False))) == text


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_every_text_can_be_encoded_and_changes_by_its_unpaired_surrogates_alone(text: str) -> None:
    shown = encodable(text)
    shown.encode()
    assert shown == "".join("?" if unicodedata.category(one) == "Cs" else one for one in text)
