"""The picture of where a pull's time goes."""

from __future__ import annotations

from xml.etree import ElementTree

from bench.sections.pull_profile import WAIT, Profile, draw

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_have_the_widths_of_their_parts_and_fill_the_row() -> None:
    drawn = ElementTree.fromstring(draw([Profile("warm <pull>", {"Roadstead": 30.0, WAIT: 10.0})]))
    bars = [one for one in drawn.iter(f"{SVG}rect") if one.find(f"{SVG}title") is not None]
    widths = [float(one.attrib["width"]) for one in bars]
    assert [round(width / sum(widths), 2) for width in widths] == [0.75, 0.25]
    assert sum(widths) == 820
    texts = [one.text for one in drawn.iter(f"{SVG}text")]
    assert texts[0] == "warm <pull>: 40 ms"
    assert {"Roadstead", WAIT} <= set(texts)
