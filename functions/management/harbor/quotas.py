"""Harbor's document of a quota: bytes alone, `storage`, -1 for no limit. A quota has its project's id.

Source: Harbor, src/server/v2.0/handler/model/quota.go and src/pkg/quota/driver/project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.management.errors import bad_request
from functions.management.harbor.shapes import timestamp
from roadstead.identity.directory import Project
from roadstead.identity.lists import ListedProject
from roadstead.lifecycle.policy.quotas import MAX_BYTES, UNLIMITED, Quota


def quota_document(project: Project | ListedProject, quota: Quota, used: int) -> dict[str, Any]:
    return {
        "id": project.id,
        "ref": {"id": project.id, "name": project.name, "owner_name": project.created_by},
        **amounts(quota, used),
        "creation_time": timestamp(project.created),
        "update_time": timestamp(project.created),
    }


def amounts(quota: Quota, used: int) -> dict[str, dict[str, int]]:
    return {"hard": {"storage": quota.storage}, "used": {"storage": used}}


def storage_limit(document: Mapping[str, Any], name: str, *, most: int = MAX_BYTES) -> int | None:
    """Return a limit, or None where it is absent or null. Raises 400."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not (1 <= value <= most or value == UNLIMITED):
        raise bad_request(f"{name} must be a number from 1 to {most}, or -1 for no limit")
    return value
