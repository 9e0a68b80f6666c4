"""Errors that end a command with a message."""

from __future__ import annotations

OK, FAILED, USAGE = 0, 1, 2  # exit codes; 2 is argparse's too


class Failure(Exception):
    """A command failed. The message is a sentence for a person and contains no secret."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
