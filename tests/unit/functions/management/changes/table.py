"""Every change, by the operation of its route; and what is refused, since it is not there."""

from __future__ import annotations

from tests.unit.functions.management.changes import accounts, content, projects, system
from tests.unit.functions.management.changes.made import ROWS

TABLES = (accounts, content, projects, system)  # each has added its rows

REFUSED: dict[str, tuple[str, str]] = {
    "createScanner": ("POST", "/scanners"),
    "pingScanner": ("POST", "/scanners/ping"),
    "createScanAllSchedule": ("POST", "/system/scanAll/schedule"),
    "updateScanAllSchedule": ("PUT", "/system/scanAll/schedule"),
    "stopScanAll": ("POST", "/system/scanAll/stop"),
    "putSystemCVEAllowlist": ("PUT", "/system/CVEAllowlist"),
    "createRegistry": ("POST", "/registries"),
    "pingRegistry": ("POST", "/registries/ping"),
    "createReplicationPolicy": ("POST", "/replication/policies"),
    "startReplication": ("POST", "/replication/executions"),
    "CreateInstance": ("POST", "/p2p/preheat/instances"),
    "createPurgeSchedule": ("POST", "/system/purgeaudit/schedule"),
    "updatePurgeSchedule": ("PUT", "/system/purgeaudit/schedule"),
    "exportScanData": ("POST", "/export/cve"),
    "setScannerOfProject": ("PUT", "/projects/{}/scanner"),
    "CreatePolicy": ("POST", "/projects/{}/preheat/policies"),
}

__all__ = ["REFUSED", "ROWS", "TABLES"]
