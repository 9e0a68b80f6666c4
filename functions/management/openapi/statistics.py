"""Counts over everything, and what needs attention."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Schema,
    array,
    nullable,
    number,
    obj,
    one_of,
    ref,
    text,
    time,
)

SCHEMAS: Mapping[str, Schema] = {
    "Statistics": obj(
        {
            "private_project_count": number(),
            "private_repo_count": number(),
            "public_project_count": number(),
            "public_repo_count": number(),
            "total_project_count": number("0 for all but system administrators"),
            "total_repo_count": number("0 for all but system administrators"),
            "total_storage_consumption": number("bytes; 0 for all but system administrators"),
        }
    ),
    "Warnings": obj(
        {
            "warnings": array(ref("Warning")),
            "projects": obj({"looked_at": number("up to 40, the caller's own first"), "all": number()}),
        }
    ),
    "Warning": obj(
        {
            "kind": one_of(
                "quota", "robot", "token", "webhook", "collection-late", "collection-off", "collection-failed"
            ),
            "name": text("of the robot, the token or the webhook; the id of a collection"),
            "project": nullable(text()),
            "at": nullable(time("when it expires or expired, failed, or should have begun")),
            "detail": text("why it failed"),
            "used": nullable(number("bytes, of a quota")),
            "limit": nullable(number("bytes, of a quota")),
        }
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "getStatistic": Described("Counts of projects and repositories that the caller may see", ref("Statistics")),
    "listWarnings": Described("What needs the caller's attention", ref("Warnings")),
}
