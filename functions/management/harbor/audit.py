"""Harbor's audit logs: operations as a verb and a kind of resource, resources by name.

Source: Harbor, src/pkg/auditext/model and src/controller/event/model; `event_type` is `<verb>_<resource type>`.
"""

from __future__ import annotations

import hashlib
from typing import Any

from functions.management.harbor.shapes import milliseconds
from roadstead.trail.entries import AuditEntry, Operation, Outcome

# Operations whose names are not a verb and a noun.
_NAMED = {
    Operation.UPLOAD: ("create", "blob"),
    Operation.UPLOAD_RECEIVED: ("create", "blob"),
    Operation.MOUNT: ("create", "blob"),
    Operation.PUSH: ("create", "artifact"),
    Operation.PULL: ("pull", "artifact"),
    Operation.PULL_BLOB: ("pull", "blob"),
    Operation.DELETE_MANIFEST: ("delete", "artifact"),
    Operation.TAG: ("create", "tag"),
    Operation.UNTAG: ("delete", "tag"),
    Operation.LABEL: ("create", "artifact_label"),
    Operation.UNLABEL: ("delete", "artifact_label"),
    Operation.COLLECT: ("delete", "garbage"),
    Operation.ROBOT_EXPIRES: ("expire", "robot"),
    Operation.LOGIN: ("login", "user"),
    Operation.SEE: ("read", "artifact"),
    Operation.PERMISSION_REFUSED: ("refuse", "permission"),
    Operation.CHANGE_PASSWORD: ("update", "user"),
}
_VERBS = {"change": "update", "set": "update", "remove": "delete"}


def kind_of(operation: Operation) -> tuple[str, str]:
    """Return the verb and the kind of resource of an operation."""
    if operation in _NAMED:
        return _NAMED[operation]
    verb, _, noun = str(operation).partition("-")
    return _VERBS.get(verb, verb), noun.replace("-", "_") or "system"


EVENT_TYPES = tuple(sorted({"_".join(kind_of(operation)) for operation in Operation if operation is not Operation.SEE}))


def resource_of(entry: AuditEntry) -> str:
    """`acme/ships:v1`, `acme/ships@sha256:…`, or the name of a user or project."""
    if entry.repository:
        if entry.reference and not entry.reference.startswith("sha"):
            return f"{entry.repository}:{entry.reference}"
        digest = entry.digest or entry.reference
        return f"{entry.repository}@{digest}" if digest else entry.repository
    if entry.project and entry.user:
        return f"{entry.project}/{entry.user}"
    return entry.user or entry.project or "system"


def audit_id(entry: AuditEntry) -> int:
    """Ordered by time, below 2^53, the same every time."""
    digest = hashlib.sha256(entry.id.encode()).digest()
    return entry.at << 11 | int.from_bytes(digest[:2], "big") >> 5


def audit_log_document(entry: AuditEntry) -> dict[str, Any]:
    verb, kind = kind_of(entry.operation)
    return {
        "id": audit_id(entry),
        "username": entry.actor.name,
        "resource": resource_of(entry),
        "resource_type": kind,
        "operation": verb,
        "op_time": milliseconds(entry.at),
    }


def audit_log_ext_document(entry: AuditEntry) -> dict[str, Any]:
    said = f"{entry.operation}: {resource_of(entry)}"
    return {
        **audit_log_document(entry),
        "operation_description": f"{said} ({entry.detail})" if entry.detail else said,
        "operation_result": entry.outcome is Outcome.SUCCESS,
    }
