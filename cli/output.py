"""What commands print: sentences for people, or one JSON document for scripts. Progress goes to stderr.

Whatever is printed may contain text that others chose, so control and bidirectional characters are escaped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from roadstead.printable import printable


class Output:
    """With `as_json`, only results go to `out`, and exactly one document."""

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None, progress: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._progress = progress or sys.stderr

    def say(self, sentence: str) -> None:
        """Print a line for people; nothing with `as_json`."""
        if not self.as_json:
            _print(sentence, self._out)

    def progress(self, sentence: str) -> None:
        """Print what a slow command is doing, to stderr."""
        _print(sentence, self._progress)

    def result(self, document: Any, lines: Iterable[str] = ()) -> None:
        """Print the command's result: `document` for scripts, `lines` for people."""
        if self.as_json:
            lines = json.dumps(document, ensure_ascii=False, indent=2).split("\n")
        for line in lines:
            _print(line, self._out)

    def record(self, record: Mapping[str, object]) -> None:
        """Print a result of named values: `name  value` lines for people."""
        self.result(record, fields(record))

    def records(self, records: Sequence[Mapping[str, object]], columns: Mapping[str, str]) -> None:
        """Print a list as a table; `columns` are the names of the records' values by heading."""
        rows = [[cell(record[name]) for name in columns.values()] for record in records]
        self.result(records, table([list(columns), *rows]))


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines with aligned columns."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def tab_separated(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a line of column names and a line for each row; a row without a column has an empty cell."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    return ["\t".join(map(printable, line)) for line in cells]


def fields(record: Mapping[str, object]) -> list[str]:
    """Return a record as lines of `name  value`."""
    return table([(name, cell(value)) for name, value in record.items()])


def cell(value: object) -> str:
    """Return a value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _print(line: str, file: TextIO) -> None:
    """Print a line; tabs in it are column separators."""
    print("\t".join(map(printable, line.split("\t"))), file=file, flush=True)
