"""Passwords come from a prompt, standard input or a generator."""

from __future__ import annotations

import io

import pytest

from cli.__main__ import main
from cli.failures import Failure
from cli.passwords import new_password


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_password_from_standard_input_has_no_line_end() -> None:
    stdin = io.StringIO(" with spaces \r\nmore")
    assert new_password(generate=False, from_stdin=True, stdin=stdin) == (" with spaces ", False)


def test_generated_passwords_are_long_unique_and_shown() -> None:
    made = [new_password(generate=True, from_stdin=False) for _ in range(2)]
    assert made[0] != made[1]
    assert all(shown and len(password) >= 32 for password, shown in made)


def test_a_typed_password_is_asked_for_twice() -> None:
    answers = iter(["a good password", "a good password", "one", "other"])

    def ask(_: str) -> str:
        return next(answers)

    assert new_password(generate=False, from_stdin=False, stdin=Terminal(), prompt=ask) == ("a good password", False)
    with pytest.raises(Failure, match="differ"):
        new_password(generate=False, from_stdin=False, stdin=Terminal(), prompt=ask)


@pytest.mark.parametrize(("from_stdin", "words"), [(True, "no password on standard input"), (False, "no terminal")])
def test_a_script_without_a_password_gets_a_failure(from_stdin: bool, words: str) -> None:
    with pytest.raises(Failure, match=words):
        new_password(generate=False, from_stdin=from_stdin, stdin=io.StringIO())


def test_a_password_cannot_be_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["user", "create", "ada", "--password", "secret"])
    assert "secret" not in capsys.readouterr().out
