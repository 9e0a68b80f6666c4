"""What commands print cannot be forged by the text in it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from cli.audit_commands import ask
from cli.output import Output, fields, table
from tests.unit.cli.fake_cloud import STACK, FakeCloud

HOSTILE = "curl\tada\x1b[2J\x9b31m\u202egnp.exe\u2028"
SHOWN = r"curl\tada\u001b[2J\u009b31m\u202egnp.exe\u2028"


class FakeLogs:
    def query(self, group: str, text: str, since: int, until: int) -> list[dict[str, str]]:
        return [{"user": "ada", "user_agent": HOSTILE}, {"user": "bob", "digest": "d"}]


@pytest.fixture
def printed() -> io.StringIO:
    return io.StringIO()


def ask_pushes(output: Output) -> None:
    from argparse import Namespace
    from dataclasses import replace

    cloud = FakeCloud(replace(STACK, audit_log_group="/roadstead/audit"))
    cloud.logs = FakeLogs()
    ask(Namespace(question="pushes", digest="", days=7), cloud.as_cloud(), output)


def test_cells_of_the_audit_trail_cannot_move_the_cursor_or_forge_columns(printed: io.StringIO) -> None:
    ask_pushes(Output(out=printed, progress=io.StringIO()))
    assert printed.getvalue().splitlines() == ["user\tuser_agent\tdigest", f"ada\t{SHOWN}\t", "bob\t\td"]


def test_json_of_the_audit_trail_has_no_control_character_and_says_the_same(printed: io.StringIO) -> None:
    ask_pushes(Output(as_json=True, out=printed, progress=io.StringIO()))
    assert SHOWN in printed.getvalue()
    assert json.loads(printed.getvalue())[0]["user_agent"] == HOSTILE


@pytest.mark.parametrize("lines", [table([["a", HOSTILE]]), fields({"a": HOSTILE}), [f"a  {HOSTILE}"]])
def test_every_line_that_is_printed_is_neutralised(printed: io.StringIO, lines: Any) -> None:
    Output(out=printed).result(None, lines)
    assert printed.getvalue().rstrip().replace("\t", r"\t") == f"a  {SHOWN}"


def test_sentences_and_progress_are_neutralised(printed: io.StringIO) -> None:
    output = Output(out=printed, progress=printed)
    output.say("\x9b31mred")
    output.progress("\u202edas")
    assert printed.getvalue() == "\\u009b31mred\n\\u202edas\n"


def test_a_table_aligns_its_columns_by_what_is_printed(printed: io.StringIO) -> None:
    output = Output(out=printed)
    output.records([{"n": "a\tb", "x": True}, {"n": "c", "x": False}], {"NAME": "n", "X": "x"})
    assert printed.getvalue().splitlines() == ["NAME  X", "a\\tb  yes", "c     no"]
