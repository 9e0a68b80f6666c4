"""What is asked of the system as a whole."""

from __future__ import annotations

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
    """Without a login no version is told."""
    document = {"auth_mode": "db_auth", "self_registration": False, "primary_auth_mode": False}
    if call.caller.user is not None:
        document |= {
            "harbor_version": HARBOR_VERSION,
            "registry_url": call.request.host,
            "external_url": call.request.base_url,
            "read_only": False,
        }
    return Response.json(200, document)


ROUTES = (
    route("getPing", "GET", f"{HARBOR}/ping", Nothing(), ping),
    route("getSystemInfo", "GET", f"{HARBOR}/systeminfo", Anybody(), info),
    route("getVersion", "GET", "/api/version", Nothing(), version),
)
