"""What can go wrong for reasons outside this program: a sentence for a person and an exit code for a script."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `python -m local`, each with what it means."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    OK = 0, "it was stopped, and all that was pushed is kept"
    UNFORESEEN = 1, "an error of this program; the traceback is on stderr"
    USAGE = 2, "a command line that it cannot read"
    PORT_TAKEN = 3, "the port is taken"
    DEPENDENCY_MISSING = 4, "a Python package is missing"
    OTHER_STATE = 5, "the state is of another version, or the directory none of ours"
    STATE_IN_USE = 6, "the state directory is in use"
    DISK_FULL = 7, "the disk is full, or the state could not be saved"
    COMPONENT_FAILED = 8, "the embedded AWS or a function did not start, or died"


class Failure(Exception):
    """Stops the program with a sentence on stderr, no traceback, and its own exit code."""

    def __init__(self, code: ExitCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
