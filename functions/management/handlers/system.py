"""What is asked of the system as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.management.call import Call
from functions.management.route import HARBOR, Anybody, Nothing, route
from roadstead.http import Response

HARBOR_VERSION = "v2.16.0"  # the version of Harbor whose API this follows; clients compare it


def ping(call: Call) -> Response:
    return Response(200, (("Content-Type", "text/plain; charset=utf-8"),), b"Pong")


def version(call: Call) -> Response:
    """`GET /api/version`, by which Harbor's own replication adapter finds the API."""
    return Response.json(200, {"version": "v2.0"})


def info(call: Call) -> Response:
    """What a client needs to know before a login; after it also where the registry is and what it allows.

    Costs one read.
    """
    values = call.services.administration.values()
    document: dict[str, Any] = {
        "auth_mode": values["auth_mode"],
        "primary_auth_mode": values["primary_auth_mode"],
        "self_registration": values["self_registration"],
        "banner_message": values["banner_message"],
        "oidc_provider_name": values["oidc_name"] if values["oidc_endpoint"] else "",
    }
    if call.caller.user is not None:
        document |= {
            "harbor_version": HARBOR_VERSION,
            "current_time": f"{datetime.fromtimestamp(int(call.services.clock()), UTC):%Y-%m-%dT%H:%M:%S.000Z}",
            "registry_url": call.request.host,
            "external_url": call.request.base_url,
            "has_ca_root": False,
            "read_only": values["read_only"],
            "notification_enable": values["notification_enable"],
            "project_creation_restriction": values["project_creation_restriction"],
            "registry_storage_provider_name": "s3",
        }
    return Response.json(200, document)


ROUTES = (
    route("getPing", "GET", f"{HARBOR}/ping", Nothing(), ping),
    route("getSystemInfo", "GET", f"{HARBOR}/systeminfo", Anybody(), info),
    route("getVersion", "GET", "/api/version", Nothing(), version),
)
