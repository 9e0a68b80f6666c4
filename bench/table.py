"""Tables of plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 120  # characters
_GAP = "  "


def table(
    title: str, explanation: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, prose: bool = False
) -> str:
    """Return a table: the first column aligned left, the others right.

    With `prose` the last column is aligned left, too, and wrapped so that no line is wider than `WIDTH`.
    """
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    if prose:
        widths[-1] = min(widths[-1], WIDTH - sum(widths[:-1]) - len(_GAP) * (len(widths) - 1))
    lines = [title, "=" * len(title), *textwrap.wrap(explanation, WIDTH), ""]
    for row in (header, ["-" * width for width in widths], *rows):
        *cells, last = row
        pieces = textwrap.wrap(last, widths[-1]) if prose else [last]
        lines.append(_line([*cells, *pieces[:1]], widths, prose=prose))
        lines += [_line([*[""] * len(cells), piece], widths, prose=prose) for piece in pieces[1:]]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int], *, prose: bool) -> str:
    aligned = [
        cell.ljust(width) if place == 0 or (prose and place == len(widths) - 1) else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=False))
    ]
    return _GAP.join(aligned).rstrip()
