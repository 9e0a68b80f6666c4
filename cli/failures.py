"""What ends a command with a sentence."""

from __future__ import annotations

OK, FAILED, USAGE = 0, 1, 2  # exit codes; 2 is argparse's too


class Failure(Exception):
    """A command cannot do what it was asked for; the message is a sentence for a person, with no secret in it."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
