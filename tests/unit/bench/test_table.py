from __future__ import annotations

from bench.table import WIDTH, table


def test_the_first_column_is_aligned_left_and_the_others_right() -> None:
    text = table("Title", "What it says.", ["name", "ms"], [["a", "1.00"], ["longer", "10.00"]])
    assert text == "\n".join(
        ("Title", "=====", "What it says.", "", "name       ms", "------  -----", "a        1.00", "longer  10.00", "")
    )


def test_prose_in_the_last_column_is_wrapped_within_its_column() -> None:
    words = "word " * 60
    lines = table("T", "explained " * 30, ["name", "calls"], [["a", words], ["b", "none"]], prose=True).splitlines()
    assert max(map(len, lines)) <= WIDTH
    column = next(line for line in lines if line.startswith("a ")).index("word")
    assert [line.index("word") for line in lines if "word" in line] == [column] * 3
    assert next(line for line in lines if line.startswith("b ")).index("none") == column
    assert sum(line.count("word") for line in lines) == 60


def test_an_empty_cell_of_prose_is_still_a_line() -> None:
    assert table("T", "", ["name", "calls"], [["a", ""]], prose=True).splitlines()[-1] == "a"
