"""What is asked of the system as a whole."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from functions.management.call import Call
from functions.management.errors import not_found
from functions.management.route import HARBOR, Anybody, Nothing, in_system, route
from roadstead.conflicts import is_throttling
from roadstead.http import Response
from roadstead.identity.configuration import Configuration
from roadstead.identity.providers.oidc_settings import is_configured, name_of

_log = logging.getLogger(__name__)

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
    first = Configuration(values)
    document: dict[str, Any] = {
        "auth_mode": values["auth_mode"],
        "primary_auth_mode": values["primary_auth_mode"],
        "self_registration": values["self_registration"],
        "banner_message": values["banner_message"],
        "oidc_provider_name": name_of(first) if is_configured(first) else "",
    }
    if call.caller.user is not None:
        document |= {
            "harbor_version": HARBOR_VERSION,
            "current_time": f"{datetime.fromtimestamp(int(call.services.clock()), UTC):%Y-%m-%dT%H:%M:%S.000Z}",
            "registry_url": call.request.host,
            "external_url": call.services.external_url or call.request.base_url,
            "has_ca_root": False,
            "read_only": values["read_only"],
            "notification_enable": values["notification_enable"],
            "project_creation_restriction": values["project_creation_restriction"],
            "registry_storage_provider_name": "s3",
        }
    return Response.json(200, document)


def health(call: Call) -> Response:
    """Whether the function runs and reads its table. Costs one read a minute, whoever asks."""
    components: list[dict[str, str]] = [{"name": "core", "status": "healthy"}]
    try:
        call.services.configuration.read()
        components.append({"name": "database", "status": "healthy"})
    except Exception as error:
        if is_throttling(error):
            raise
        _log.exception("the identity table cannot be read")
        components.append({"name": "database", "status": "unhealthy", "error": "the identity table cannot be read"})
    unhealthy = any(one["status"] == "unhealthy" for one in components)
    return Response.json(200, {"status": "unhealthy" if unhealthy else "healthy", "components": components})


def volumes(call: Call) -> Response:
    """S3 has no volumes that fill up, so there is none to list."""
    return Response.json(200, {"storage": []})


def certificate(call: Call) -> Response:
    """The registry's certificate is issued by a public authority."""
    raise not_found("there is no certificate authority to download: the certificate is issued by a public one")


ROUTES = (
    route("getHealth", "GET", f"{HARBOR}/health", Nothing(), health),
    route("getVolumes", "GET", f"{HARBOR}/systeminfo/volumes", in_system("system", "read"), volumes),
    route("getCert", "GET", f"{HARBOR}/systeminfo/getcert", Nothing(), certificate),
    route("getPing", "GET", f"{HARBOR}/ping", Nothing(), ping),
    route("getSystemInfo", "GET", f"{HARBOR}/systeminfo", Anybody(), info),
    route("getVersion", "GET", "/api/version", Nothing(), version),
)
