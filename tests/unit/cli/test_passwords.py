"""Where passwords come from."""

from __future__ import annotations

import io

import pytest

from cli.__main__ import main
from cli.failures import Failure
from cli.passwords import new_password


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_one_is_read_from_standard_input_without_its_line_end() -> None:
    stdin = io.StringIO(" with spaces \r\nmore")
    assert new_password(generate=False, from_stdin=True, stdin=stdin) == (" with spaces ", False)


def test_generated_ones_are_long_differ_and_are_shown() -> None:
    made = [new_password(generate=True, from_stdin=False) for _ in range(2)]
    assert made[0] != made[1]
    assert all(shown and len(password) >= 32 for password, shown in made)


def test_a_person_is_asked_twice() -> None:
    answers = iter(["a good password", "a good password", "one", "other"])

    def ask(_: str) -> str:
        return next(answers)

    assert new_password(generate=False, from_stdin=False, stdin=Terminal(), prompt=ask) == ("a good password", False)
    with pytest.raises(Failure, match="not the same"):
        new_password(generate=False, from_stdin=False, stdin=Terminal(), prompt=ask)


@pytest.mark.parametrize(("from_stdin", "words"), [(True, "no password on standard input"), (False, "Nobody is there")])
def test_a_script_that_gives_none_is_told(from_stdin: bool, words: str) -> None:
    with pytest.raises(Failure, match=words):
        new_password(generate=False, from_stdin=from_stdin, stdin=io.StringIO())


def test_a_password_is_no_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["user", "create", "ada", "--password", "secret"])
    assert "secret" not in capsys.readouterr().out
