"""Counts over everything."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import Described, Schema, number, obj, ref

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
    )
}

OPERATIONS: Mapping[str, Described] = {
    "getStatistic": Described("Counts of projects and repositories that the caller may see", ref("Statistics"))
}
