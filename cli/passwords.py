"""Reads or generates passwords: by prompt, from standard input or at random. Never an argument: others can read it."""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Callable
from typing import TextIO

from cli.failures import USAGE, Failure

GENERATED_BYTES = 24  # 32 characters


def read_secret(stream: TextIO, what: str) -> str:
    """Return one line of standard input, without its line end. Raises Failure if it is empty."""
    line = stream.readline().rstrip("\r\n")
    if not line:
        raise Failure(f"There is no {what} on standard input.", USAGE)
    return line


def new_password(
    *, generate: bool, from_stdin: bool, stdin: TextIO | None = None, prompt: Callable[[str], str] = getpass.getpass
) -> tuple[str, bool]:
    """Return a new password, and whether it was generated (and must be shown). Raises Failure."""
    stream = stdin or sys.stdin
    if generate:
        return secrets.token_urlsafe(GENERATED_BYTES), True
    if from_stdin:
        return read_secret(stream, "password"), False
    if not stream.isatty():
        raise Failure("There is no terminal to ask for the password: use --password-stdin or --generate.", USAGE)
    password = prompt("New password: ")
    if prompt("Again: ") != password:
        raise Failure("The passwords differ; nothing was changed.")
    return password, False
