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

_READS, _RELAYS = ("function", "api"), ("web-function", "fargate", "none")


def _usd(description: str = "") -> Schema:
    return {"type": "number", "description": description} if description else {"type": "number"}


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
    "Costs": obj(
        {
            "as_of": time(),
            "currency": one_of("USD"),
            "prices_of": text("when the prices were looked up", format="date"),
            "region": text("of the prices"),
            "reads": nullable(
                text("`distribution.reads`; null where it is not known: `function` is assumed", enum=[*_READS, None])
            ),
            "relay": nullable(
                text("`relay.kind`; null where it is not known: rates are of `web-function`", enum=[*_RELAYS, None])
            ),
            "items": array(ref("CostItem"), "a month with what is stored now"),
            "total_known": _usd("of the items whose price is known"),
            "rates": array(
                obj(
                    {
                        "name": one_of("pulls", "pushes"),
                        "a_month": number("of images of 200 MB in eight layers"),
                        "usd": _usd("by themselves, after what is free: nothing counts how many there are"),
                    }
                )
            ),
            "projects": array(
                obj({"project": text(), "bytes": number("as quotas count them"), "usd": _usd()}),
                "up to 100, the largest first; without those that store nothing",
            ),
            "more": flag("there are more than 100 such projects"),
        }
    ),
    "CostItem": obj(
        {
            "name": one_of(
                "signing-key", "secret", "relay", "storage", "deleted", "tables", "pulls", "pushes", "transfer"
            ),
            "quantity": nullable(number("null where it is not known")),
            "unit": one_of("key", "secret", "task", "byte", "pull", "push"),
            "usd": nullable(_usd("null where it is not known")),
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
    "getCosts": Described(
        "Estimate what the registry costs a month by list prices, which is not the bill", ref("Costs")
    ),
    "listWarnings": Described("What needs the caller's attention", ref("Warnings")),
}
