"""What Harbor has and this registry has not: lists are empty, one is not found, creating is not supported."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Schema,
    array,
    mapping,
    number,
    obj,
    page_of,
    ref,
    text,
)

SCHEMAS: Mapping[str, Schema] = {
    "Schedule": obj({"schedule": obj({"type": text(), "cron": text()})}),
    "Nothing": obj({}, description="None of these exists."),
    "ScanMetrics": obj({"total": number(), "completed": number()}),
    "CveAllowlist": obj({"id": number(), "project_id": number(), "items": array(ref("CveAllowlistItem"))}),
    "CveAllowlistItem": obj({"cve_id": text()}),
}

_BODY = mapping({})


def _empty(what: str) -> Described:
    return page_of(f"An empty list: there are no {what} here", ref("Nothing"))


def _none(what: str) -> Described:
    return Described(f"Not found: there is no {what} here", ref("Nothing"), also=(404,))


def _refused(what: str) -> Described:
    return Described(f"Not supported: {what}", body=_BODY, also=(400,))


def _no_schedule(what: str) -> Described:
    return Described(f"Accepts the schedule None: there are no {what} here", body=_BODY, also=(400,))


OPERATIONS: Mapping[str, Described] = {
    "listScanners": _empty("scanners"),
    "createScanner": _refused("scanners"),
    "pingScanner": _refused("scanners"),
    "getScanner": _none("scanner"),
    "getScannerOfProject": Described("An empty object: there is no scanner", ref("Nothing")),
    "setScannerOfProject": _refused("scanners"),
    "listScannerCandidatesOfProject": _empty("scanners"),
    "getScanAllSchedule": Described("The schedule None", ref("Schedule")),
    "createScanAllSchedule": _refused("scans"),
    "updateScanAllSchedule": _no_schedule("scans"),
    "stopScanAll": _refused("scans"),
    "getLatestScanAllMetrics": Described("No scans", ref("ScanMetrics")),
    "getSystemCVEAllowlist": Described("An empty list of CVEs", ref("CveAllowlist")),
    "putSystemCVEAllowlist": Described(
        "Accepts an empty list of CVEs", body=obj({}, {"items": array(ref("CveAllowlistItem"))}), also=(400,)
    ),
    "listRegistries": _empty("other registries"),
    "createRegistry": _refused("other registries"),
    "pingRegistry": _refused("other registries"),
    "getRegistry": _none("other registry"),
    "listRegistryProviderTypes": Described("An empty list", array(text())),
    "listRegistryProviderInfos": Described("An empty object", ref("Nothing")),
    "listReplicationPolicies": _empty("replication policies"),
    "createReplicationPolicy": _refused("replication"),
    "getReplicationPolicy": _none("replication policy"),
    "listReplicationExecutions": _empty("replications"),
    "startReplication": _refused("replication"),
    "getReplicationExecution": _none("replication"),
    "ListProviders": Described("An empty list", array(ref("Nothing"))),
    "ListInstances": _empty("preheat instances"),
    "CreateInstance": _refused("preheating"),
    "GetInstance": _none("preheat instance"),
    "ListPolicies": _empty("preheat policies"),
    "CreatePolicy": _refused("preheating"),
    "getPurgeHistory": _empty("purges of the audit trail"),
    "getPurgeSchedule": Described("The schedule None", ref("Schedule")),
    "createPurgeSchedule": _refused("the audit trail is never shortened"),
    "updatePurgeSchedule": _no_schedule("purges of the audit trail"),
    "getPurgeJob": _none("purge of the audit trail"),
    "getWorkerPools": Described("An empty list", array(ref("Nothing"))),
    "listJobQueues": Described("An empty list", array(ref("Nothing"))),
    "exportScanData": _refused("scans"),
}
