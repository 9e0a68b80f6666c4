"""The audit trail."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import Described, Schema, array, flag, number, obj, page_of, ref, text, time

_ENTRY: Mapping[str, Schema] = {
    "id": number("the later, the larger"),
    "username": text("who did it: a user, a robot with its prefix, the operator or the system"),
    "resource": text("such as acme/ships:v1, or the name of a user or project"),
    "resource_type": text(),
    "operation": text("a verb"),
    "op_time": time(),
}

SCHEMAS: Mapping[str, Schema] = {
    "AuditLog": obj(_ENTRY),
    "AuditLogExt": obj(
        {**_ENTRY, "operation_description": text(), "operation_result": flag("false for a failure or a refusal")}
    ),
    "AuditLogEventType": obj({"event_type": text("<verb>_<resource type>")}),
}

_WHOSE = "; a system administrator sees all entries, others those of the projects whose logs they may list"
OPERATIONS: Mapping[str, Described] = {
    "listAuditLogs": page_of("List the trail" + _WHOSE, ref("AuditLog")),
    "listAuditLogExts": page_of("List the trail, with results" + _WHOSE, ref("AuditLogExt")),
    "listAuditLogEventTypes": Described("The kinds of entries", array(ref("AuditLogEventType"))),
    "getLogs": page_of("List a project's trail", ref("AuditLog")),
    "getLogExts": page_of("List a project's trail, with results", ref("AuditLogExt")),
}
