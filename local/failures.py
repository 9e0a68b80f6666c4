"""What can go wrong for reasons outside this program: a sentence for a person and an exit code for a script."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `python -m local`. 1 is an error of this program itself, 2 a command line it cannot read."""

    OK = 0
    PORT_TAKEN = 3
    DEPENDENCY_MISSING = 4
    OTHER_STATE = 5  # a state directory of another version, or a directory that is none of ours
    STATE_IN_USE = 6
    DISK_FULL = 7
    COMPONENT_FAILED = 8  # the embedded AWS or a function did not start, or died
    NOT_RUNNING = 9


class Failure(Exception):
    """Stops the program with a sentence on stderr, no traceback, and its own exit code."""

    def __init__(self, code: ExitCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
