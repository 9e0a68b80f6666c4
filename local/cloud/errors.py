"""Errors as AWS answers them."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """An error that the client gets to see: its code, a message for a person, the HTTP status and further fields."""

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


class Unavailable(AwsError):
    """The state could not be written: the disk is full, or broken. Nothing was changed; clients try again."""

    def __init__(self, reason: str) -> None:
        super().__init__("InternalServerError", f"The embedded AWS cannot write its state: {reason}", 500)


def validation(message: str) -> AwsError:
    """What most services answer to a request that is not well formed."""
    return AwsError("ValidationException", message)


def not_emulated(what: str) -> AwsError:
    """The refusal of what AWS does and this does not, because Roadstead does not ask for it."""
    return AwsError("NotImplemented", f"The embedded AWS does not have {what}; local/cloud/ says what it has.", 501)
