"""What commands print: sentences for people, or one JSON document for scripts. Progress goes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO


class Output:
    """With `as_json` only `result` prints to `out`, and exactly one document."""

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None, progress: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._progress = progress or sys.stderr

    def say(self, sentence: str) -> None:
        """For people; left out of what scripts read."""
        if not self.as_json:
            print(sentence, file=self._out, flush=True)

    def progress(self, sentence: str) -> None:
        """What takes a while is told of as it goes."""
        print(sentence, file=self._progress, flush=True)

    def result(self, document: Any, lines: Iterable[str] = ()) -> None:
        """The command's result: `document` for scripts, `lines` for people."""
        if self.as_json:
            print(json.dumps(document, ensure_ascii=False, indent=2), file=self._out, flush=True)
            return
        for line in lines:
            print(line, file=self._out, flush=True)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with their columns under one another."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def fields(record: Mapping[str, object]) -> list[str]:
    """A record as lines of `name  value`."""
    return table([(name, _text(value)) for name, value in record.items()])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
