"""Counts over everything, and what needs attention."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Schema,
    array,
    flag,
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
            "more": flag("there are more robots or webhooks than are listed"),
            "projects": obj({"looked_at": number("for quotas, up to 200, the caller's own first"), "all": number()}),
        }
    ),
    "Home": obj(
        {
            "statistics": nullable(
                obj(
                    {
                        "projects": number(),
                        "repositories": number(),
                        "storage": nullable(number("bytes; null for all but system administrators")),
                    }
                ),
            ),
            "attention": nullable(ref("Warnings")),
            "repositories": obj(
                {
                    "total": number("of those that the caller may see"),
                    "last": array(ref("Repository"), "up to 8, the last one pushed to first"),
                    "projects": obj({"looked_at": number("up to 200, the caller's own first"), "all": number()}),
                }
            ),
            "activity": array(ref("AuditLogExt"), "the last 8 entries of the trail that the caller may see"),
            "push_to": nullable(text("where there is no repository: a project that the caller may push to")),
            "read_only": flag(),
            "providers": nullable(
                obj({"oidc_endpoint": text("empty if there is none"), "ldap_url": text("empty if there is none")}),
            ),
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
    "getHome": Described(
        "What the console's first page shows: counts and warnings for who is signed in, what was pushed and done last",
        ref("Home"),
    ),
    "listWarnings": Described("What needs the caller's attention", ref("Warnings")),
}
