"""What Harbor has and this registry has not: scanners, replication, registries, preheating, CVE lists.

Lists of it are empty, in Harbor's shapes, so that its clients go on. One of it is not found. Creating or starting it
gets 400 UNSUPPORTED: nothing pretends that an image was scanned or replicated.
"""

from __future__ import annotations

from typing import Any

from functions.management.call import Call, Handler
from functions.management.errors import ManagementCode, ManagementError, not_found
from functions.management.harbor.paging import page_response, requested_page
from functions.management.route import HARBOR, Needs, Route, SystemAdmin, in_project, route
from roadstead.http import Response

SCANNERS = "there is no vulnerability scanner here; scan images where they are built or run"
REPLICATION = "there is no replication here; copy images with skopeo, oras or crane"
PREHEAT = "there is no preheating here"
CVES = "there is no vulnerability scanner here, so there is no list of CVEs to allow"
PURGE = "the audit trail is never shortened: its log keeps what the log group's retention says, its pages keep 90 days"


def _nothing(call: Call) -> Response:
    return page_response(call.request, requested_page(call.request), 0, [])


def _nothing_in(call: Call, project: str) -> Response:
    return _nothing(call)


def _nothing_named(call: Call, project_name: str) -> Response:
    return _nothing(call)


def _document(document: Any) -> Handler:
    return lambda call: Response.json(200, document)


def _none(sentence: str) -> Handler:
    def handler(call: Call, id: str) -> Response:
        raise not_found(sentence)

    return handler


def _unsupported(sentence: str) -> Handler:
    def handler(call: Call) -> Response:
        raise ManagementError(ManagementCode.UNSUPPORTED, sentence)

    return handler


def get_scanner_of_project(call: Call, project: str) -> Response:
    """Harbor responds with an empty object where a project has no scanner."""
    return Response.json(200, {})


def set_scanner_of_project(call: Call, project: str) -> Response:
    raise ManagementError(ManagementCode.UNSUPPORTED, SCANNERS)


def put_cve_allowlist(call: Call) -> Response:
    """An empty list is what there is already."""
    if call.document().get("items"):
        raise ManagementError(ManagementCode.UNSUPPORTED, CVES)
    return Response(200)


def _no_schedule(sentence: str) -> Handler:
    """None, or an empty one, is what there is already: whoever ends a schedule need not know that there is none."""

    def handler(call: Call) -> Response:
        schedule = call.document().get("schedule")
        if not isinstance(schedule, dict) or schedule.get("type") not in (None, "", "None"):
            raise ManagementError(ManagementCode.UNSUPPORTED, sentence)
        return Response(200)

    return handler


def create_preheat_policy(call: Call, project_name: str) -> Response:
    raise ManagementError(ManagementCode.UNSUPPORTED, PREHEAT)


def _row(operation: str, method: str, path: str, handler: Handler, needs: Needs | None = None) -> Route:
    return route(operation, method, f"{HARBOR}{path}", needs or SystemAdmin(), handler)


_READ, _UPDATE = in_project("project", "read"), in_project("project", "update")
_NO_SCHEDULE = {"schedule": {"type": "None", "cron": ""}}

ROUTES = (
    _row("listScanners", "GET", "/scanners", _nothing),
    _row("createScanner", "POST", "/scanners", _unsupported(SCANNERS)),
    _row("pingScanner", "POST", "/scanners/ping", _unsupported(SCANNERS)),
    _row("getScanner", "GET", "/scanners/{id}", _none(SCANNERS)),
    _row("getScannerOfProject", "GET", "/projects/{project}/scanner", get_scanner_of_project, _READ),
    _row("setScannerOfProject", "PUT", "/projects/{project}/scanner", set_scanner_of_project, _UPDATE),
    _row("listScannerCandidatesOfProject", "GET", "/projects/{project}/scanner/candidates", _nothing_in, _READ),
    _row("getScanAllSchedule", "GET", "/system/scanAll/schedule", _document(_NO_SCHEDULE)),
    _row("createScanAllSchedule", "POST", "/system/scanAll/schedule", _unsupported(SCANNERS)),
    _row("updateScanAllSchedule", "PUT", "/system/scanAll/schedule", _no_schedule(SCANNERS)),
    _row("stopScanAll", "POST", "/system/scanAll/stop", _unsupported(SCANNERS)),
    _row("getLatestScanAllMetrics", "GET", "/scans/all/metrics", _document({"total": 0, "completed": 0})),
    _row("getSystemCVEAllowlist", "GET", "/system/CVEAllowlist", _document({"id": 0, "project_id": 0, "items": []})),
    _row("putSystemCVEAllowlist", "PUT", "/system/CVEAllowlist", put_cve_allowlist),
    _row("listRegistries", "GET", "/registries", _nothing),
    _row("createRegistry", "POST", "/registries", _unsupported(REPLICATION)),
    _row("pingRegistry", "POST", "/registries/ping", _unsupported(REPLICATION)),
    _row("getRegistry", "GET", "/registries/{id}", _none(REPLICATION)),
    _row("listRegistryProviderTypes", "GET", "/replication/adapters", _document([])),
    _row("listRegistryProviderInfos", "GET", "/replication/adapterinfos", _document({})),
    _row("listReplicationPolicies", "GET", "/replication/policies", _nothing),
    _row("createReplicationPolicy", "POST", "/replication/policies", _unsupported(REPLICATION)),
    _row("getReplicationPolicy", "GET", "/replication/policies/{id}", _none(REPLICATION)),
    _row("listReplicationExecutions", "GET", "/replication/executions", _nothing),
    _row("startReplication", "POST", "/replication/executions", _unsupported(REPLICATION)),
    _row("getReplicationExecution", "GET", "/replication/executions/{id}", _none(REPLICATION)),
    _row("ListProviders", "GET", "/p2p/preheat/providers", _document([])),
    _row("ListInstances", "GET", "/p2p/preheat/instances", _nothing),
    _row("CreateInstance", "POST", "/p2p/preheat/instances", _unsupported(PREHEAT)),
    _row("GetInstance", "GET", "/p2p/preheat/instances/{id}", _none(PREHEAT)),
    _row("ListPolicies", "GET", "/projects/{project_name}/preheat/policies", _nothing_named, _READ),
    _row("CreatePolicy", "POST", "/projects/{project_name}/preheat/policies", create_preheat_policy, _UPDATE),
    _row("getPurgeHistory", "GET", "/system/purgeaudit", _nothing),
    _row("getPurgeSchedule", "GET", "/system/purgeaudit/schedule", _document(_NO_SCHEDULE)),
    _row("createPurgeSchedule", "POST", "/system/purgeaudit/schedule", _unsupported(PURGE)),
    _row("updatePurgeSchedule", "PUT", "/system/purgeaudit/schedule", _no_schedule(PURGE)),
    _row("getPurgeJob", "GET", "/system/purgeaudit/{id}", _none(PURGE)),
    _row("getWorkerPools", "GET", "/jobservice/pools", _document([])),
    _row("listJobQueues", "GET", "/jobservice/queues", _document([])),
    _row("exportScanData", "POST", "/export/cve", _unsupported(SCANNERS)),
)
