"""The error codes of the OCI Distribution specification and the one exception that carries them.

Source: distribution-spec 1.1.1, section "Error Codes"; `TOOMANYREQUESTS` is code-15 there, `UNAUTHORIZED` and
`DENIED` are code-11 and code-12. Each code has its default HTTP status, so that it is decided in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from roadstead.documents import compact


class ErrorCode(Enum):
    """A code of the specification with its default HTTP status."""

    BLOB_UNKNOWN = ("BLOB_UNKNOWN", 404)
    BLOB_UPLOAD_INVALID = ("BLOB_UPLOAD_INVALID", 400)
    BLOB_UPLOAD_UNKNOWN = ("BLOB_UPLOAD_UNKNOWN", 404)
    DIGEST_INVALID = ("DIGEST_INVALID", 400)
    MANIFEST_BLOB_UNKNOWN = ("MANIFEST_BLOB_UNKNOWN", 404)
    MANIFEST_INVALID = ("MANIFEST_INVALID", 400)
    MANIFEST_UNKNOWN = ("MANIFEST_UNKNOWN", 404)
    NAME_INVALID = ("NAME_INVALID", 400)
    NAME_UNKNOWN = ("NAME_UNKNOWN", 404)
    SIZE_INVALID = ("SIZE_INVALID", 400)
    TAG_INVALID = ("TAG_INVALID", 400)
    UNAUTHORIZED = ("UNAUTHORIZED", 401)
    DENIED = ("DENIED", 403)
    UNSUPPORTED = ("UNSUPPORTED", 405)
    TOOMANYREQUESTS = ("TOOMANYREQUESTS", 429)
    # Not in the specification's table: distribution responds with it to unexpected errors, and clients print it.
    UNKNOWN = ("UNKNOWN", 500)

    def __init__(self, code: str, status: int) -> None:
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One element of the `errors` array: a code, a message for users, and details for programs."""

    code: ErrorCode
    message: str
    detail: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"code": self.code.code, "message": self.message}
        if self.detail is not None:
            entry["detail"] = dict(self.detail)
        return entry


class RegistryError(Exception):
    """An error that is reported to the client. Every other exception becomes a generic 500.

    `status` overrides the code's own; `headers` are sent with the response (a challenge, a `Range`, an `Allow`).
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        status: int | None = None,
        detail: Mapping[str, Any] | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.entries: tuple[ErrorEntry, ...] = (ErrorEntry(code, message, detail),)
        self.status = code.status if status is None else status
        self.headers = tuple(headers)

    @classmethod
    def several(cls, entries: Iterable[ErrorEntry]) -> RegistryError:
        """Return one error with many entries (every blob that a manifest lacks); the first decides the status."""
        entries = tuple(entries)
        error = cls(entries[0].code, entries[0].message)
        error.entries = entries
        return error

    def add_headers(self, *headers: tuple[str, str]) -> None:
        self.headers += headers


def error_body(entries: Iterable[ErrorEntry]) -> bytes:
    """Return the body of an error response (distribution-spec 1.1.1, "Error Codes")."""
    return compact({"errors": [entry.as_json() for entry in entries]}).encode()
