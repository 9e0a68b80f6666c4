"""Where a password comes from: a prompt, standard input, or chance; never an argument, which others could read."""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Callable
from typing import TextIO

from cli.failures import USAGE, Failure

GENERATED_BYTES = 24  # 32 characters


def read_secret(stream: TextIO, what: str) -> str:
    """One line of standard input, without its end. Raises Failure when it is empty."""
    line = stream.readline().rstrip("\r\n")
    if not line:
        raise Failure(f"There is no {what} on standard input.", USAGE)
    return line


def new_password(
    *, generate: bool, from_stdin: bool, stdin: TextIO | None = None, prompt: Callable[[str], str] = getpass.getpass
) -> tuple[str, bool]:
    """A new password, and whether it was made here (and must be shown). Raises Failure."""
    stream = stdin or sys.stdin
    if generate:
        return secrets.token_urlsafe(GENERATED_BYTES), True
    if from_stdin:
        return read_secret(stream, "password"), False
    if not stream.isatty():
        raise Failure("Nobody is there to be asked: give --password-stdin or --generate.", USAGE)
    password = prompt("New password: ")
    if prompt("Again: ") != password:
        raise Failure("The two are not the same; nothing was changed.")
    return password, False
