"""Ranges and conditions of a GET, as S3 has them: one range; several, or one that is not well formed, are ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from local.cloud.errors import AwsError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def part(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and length; None for the whole object. Raises AwsError when there is nothing in the range."""
    found = _RANGE.fullmatch(header.strip()) if header is not None else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        if not length:
            raise _unsatisfiable(found.group(), size)
        return size - length, length
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise _unsatisfiable(found.group(), size)
    return start, end - start + 1


def check_conditions(headers: Mapping[str, str], etag: str, modified: int) -> bool:
    """Whether a GET is answered with 304; `modified` in milliseconds. Raises AwsError with 412.

    If-Match wins over If-Unmodified-Since, and If-None-Match over If-Modified-Since (RFC 9110, section 13.2.2).
    """
    if (wanted := headers.get("if-match")) is not None:
        if not _matches(wanted, etag):
            raise precondition("If-Match")
    elif (since := _time(headers.get("if-unmodified-since"))) is not None and modified // 1000 > since:
        raise precondition("If-Unmodified-Since")
    if (unwanted := headers.get("if-none-match")) is not None:
        return _matches(unwanted, etag)
    since = _time(headers.get("if-modified-since"))
    return since is not None and modified // 1000 <= since


def check_write(headers: Mapping[str, str], etag: str | None) -> None:
    """The conditions of a PUT, a completion or a DELETE; `etag` is of the object that is there. Raises AwsError."""
    unwanted, wanted = headers.get("if-none-match"), headers.get("if-match")
    if unwanted is not None:
        if unwanted.strip() != "*":
            raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
        if etag is not None:
            raise precondition("If-None-Match")
    if wanted is not None:
        if etag is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
        if not _matches(wanted, etag):
            raise precondition("If-Match")


def precondition(header: str) -> AwsError:
    return AwsError(
        "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412, Condition=header
    )


def _matches(header: str, etag: str) -> bool:
    tags = [one.strip().removeprefix("W/").strip('"') for one in header.split(",")]
    return "*" in tags or etag in tags


def _time(header: str | None) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except ValueError:
        return None


def _unsatisfiable(wanted: str, size: int) -> AwsError:
    fields = {"RangeRequested": wanted, "ActualObjectSize": size, "-content-range": f"bytes */{size}"}
    return AwsError("InvalidRange", "The requested range is not satisfiable", 416, **fields)
