"""Failures with a cause outside this program: a sentence for a person and an exit code for a script."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `python -m local`, with their meanings."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitCode:
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    OK = 0, "it was stopped; everything pushed was kept"
    UNFORESEEN = 1, "a bug in this program; the traceback is on stderr"
    USAGE = 2, "the command line is wrong"
    PORT_TAKEN = 3, "the port is in use"
    DEPENDENCY_MISSING = 4, "a Python package is missing"
    OTHER_STATE = 5, "the state has another version, or the directory is not a state directory"
    STATE_IN_USE = 6, "the state directory is in use"
    DISK_FULL = 7, "the disk is full, or the state could not be saved"
    COMPONENT_FAILED = 8, "the embedded AWS or a function did not start, or died"


class Failure(Exception):
    """Stops the program with a sentence on stderr, no traceback, and its own exit code."""

    def __init__(self, code: ExitCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
