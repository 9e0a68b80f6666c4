"""A project's metadata, in Harbor's keys: what has an effect, what is kept and shown without one, and what is refused.

    public                                     has an effect
    auto_scan, auto_sbom_generation, severity, are kept and shown: they ask for nothing that would be missed
    reuse_sys_cve_allowlist
    prevent_vul, enable_content_trust,         are refused unless they are off: they would promise a protection
    enable_content_trust_cosign
    a `cve_allowlist` with CVEs                is refused: nothing is scanned, so nothing would be allowed by it
    proxy_…, max_upstream_conn                 are refused unless they are off: there are no proxy caches
    retention_id                               is shown while the project has retention rules, and ignored

Source of the keys: Harbor, api/v2.0/swagger.yaml (ProjectMetadata) and src/pkg/project/models/pro_meta.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.management.errors import ManagementCode, ManagementError, bad_request

PUBLIC, RETENTION_ID = "public", "retention_id"
KEPT_FLAGS = frozenset({"auto_scan", "auto_sbom_generation", "reuse_sys_cve_allowlist"})
SEVERITY, SEVERITIES = "severity", ("none", "low", "medium", "high", "critical", "unknown", "negligible")
REFUSED = frozenset(
    {
        *("prevent_vul", "enable_content_trust", "enable_content_trust_cosign"),
        *("proxy_speed_kb", "max_upstream_conn", "proxy_cache_local_on_not_found", "proxy_referrer_api"),
        *("proxy_cache_filter_pattern", "proxy_cache_filter_kind"),
    }
)
KEPT = KEPT_FLAGS | {SEVERITY}
_OFF = frozenset({"", "false", "-1", "0", "none"})
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def asked_metadata(document: Mapping[str, Any]) -> tuple[bool | None, dict[str, str | None]]:
    """Return `metadata.public` (or the older `public`; None where neither is given), and the values to keep.

    Raises 400. Keys that Harbor does not know are ignored, as Harbor ignores them.
    """
    metadata = document.get("metadata")
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    _check_allowlist(document.get("cve_allowlist"))
    kept: dict[str, str | None] = {}
    for name, value in metadata.items():
        if name in KEPT and value not in (None, ""):
            kept[name] = checked(name, value)
        elif name in REFUSED:
            checked(name, value)
    public = metadata.get(PUBLIC, document.get(PUBLIC))
    if public is None or public == "":
        return None, kept
    return boolean(PUBLIC, public), kept


def _check_allowlist(allowlist: object) -> None:
    """Take an empty list, as projects show it. Raises 400."""
    if allowlist is None:
        return
    items = allowlist.get("items") if isinstance(allowlist, dict) else ""
    if not isinstance(items, list | None):
        raise bad_request("cve_allowlist must be an object with a list, items")
    if items:
        message = "cve_allowlist is not supported: there is no vulnerability scanner here; leave it out"
        raise ManagementError(ManagementCode.UNSUPPORTED, message)


def checked(name: str, value: Any) -> str:
    """Return a value as it is kept: booleans as text. Raises 400 for one that is not supported or has another type."""
    if name in REFUSED:
        if str(value if value is not None else "").lower() in _OFF:
            return ""
        raise ManagementError(ManagementCode.UNSUPPORTED, f"{name} is not supported; leave it out or set it to false")
    if name == SEVERITY:
        if not isinstance(value, str) or value.lower() not in SEVERITIES:
            raise bad_request(f"severity must be one of {', '.join(SEVERITIES)}")
        return value.lower()
    return "true" if boolean(name, value) else "false"


def boolean(name: str, value: Any) -> bool:
    """Return a boolean that may be given as text. Raises 400."""
    if isinstance(value, bool):
        return value
    if str(value).lower() not in _FLAGS:
        raise bad_request(f"{name} must be true or false")
    return _FLAGS[str(value).lower()]
