"""The system: information, configuration, sessions, search."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    array,
    flag,
    mapping,
    nullable,
    number,
    obj,
    page_of,
    ref,
    text,
    time,
)
from roadstead.identity.configuration_keys import KEYS, Key, Kind

_TYPES: Mapping[Kind, Schema] = {
    Kind.TEXT: {"type": "string"},
    Kind.SECRET: {"type": "string"},
    Kind.NUMBER: {"type": "integer"},
    Kind.FLAG: {"type": "boolean"},
}


def _shown(key: Key) -> Schema:
    return obj({"value": _TYPES[key.kind], "editable": flag()})


SCHEMAS: Mapping[str, Schema] = {
    "SystemInfo": obj(
        {
            "auth_mode": text("the sign-in that is offered first: db_auth, ldap_auth or oidc_auth"),
            "primary_auth_mode": flag(),
            "self_registration": flag(),
            "banner_message": text("the text of a JSON object, or empty"),
            "oidc_provider_name": text("oidc_name, or the provider's host; empty without a provider"),
        },
        {
            "harbor_version": text("the version of Harbor whose API this follows"),
            "current_time": time(),
            "registry_url": text("the registry's host, as image names begin"),
            "external_url": text(),
            "has_ca_root": flag(),
            "read_only": flag(),
            "notification_enable": flag(),
            "project_creation_restriction": text("adminonly or everyone"),
            "registry_storage_provider_name": text(),
        },
        "What is optional is shown to signed-in callers only.",
    ),
    "Configurations": obj({name: _shown(key) for name, key in KEYS.items() if key.kind is not Kind.SECRET}),
    "ConfigurationChange": obj({}, {name: _TYPES[key.kind] for name, key in KEYS.items()}),
    "Session": obj({"user": nullable(ref("SessionUser"))}),
    "OwnSession": obj(
        {
            "id": text("names the session; it tells nothing of its cookie"),
            "current": flag("the request came by this one"),
            "creation_time": time(),
            "last_used": time("give or take five minutes"),
            "expires_at": number("seconds since the epoch; it may end before, unused"),
            "provider": text("who confirmed the sign-in: local, ldap or oidc"),
            "address": text("of the sign-in"),
            "user_agent": text("of the sign-in, cut to 256 characters"),
        }
    ),
    "SessionUser": obj({"name": text(), "admin": flag("a system administrator")}),
    "Credentials": obj({"name": text(), "password": text()}),
    "Health": obj({"status": text("healthy or unhealthy"), "components": array(ref("ComponentHealth"))}),
    "ComponentHealth": obj({"name": text(), "status": text()}, {"error": text()}),
    "Volumes": obj({"storage": array(obj({"total": number(), "free": number()}))}),
    "SearchResult": obj({"project": array(ref("Project")), "repository": array(ref("SearchRepository"))}),
    "SearchRepository": obj(
        {
            "project_id": number(),
            "project_name": text(),
            "project_public": flag(),
            "repository_name": text("with the project's name"),
            "artifact_count": number(),
            "pull_count": number(),
        }
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "getPing": Described("Respond with Pong", text(), media_type="text/plain"),
    "getHealth": Described("Whether the registry works", ref("Health")),
    "getVolumes": Described("An empty list: S3 has no volumes that fill up", ref("Volumes")),
    "getCert": Described("Not found: there is no certificate authority to download", status=200, also=(404,)),
    "getVersion": Described("The version of the API", obj({"version": text()})),
    "getSystemInfo": Described("What a client needs to know about the registry", ref("SystemInfo")),
    "getConfigurations": Described("Show the configuration; secrets are left out", ref("Configurations")),
    "updateConfigurations": Described(
        "Change some keys of the configuration, all or none", body=ref("ConfigurationChange"), also=(400,)
    ),
    "getSession": Described("Who is signed in", ref("Session")),
    "beginSession": Described(
        "Sign in: the response sets the session's cookie",
        ref("Session"),
        201,
        ref("Credentials"),
        also=(400, 401, 403, 429),
    ),
    "endSession": Described("Sign out", status=204),
    "listOwnSessions": page_of("List one's own sessions of the console, the newest first", ref("OwnSession")),
    "endOtherSessions": Described("End all of one's own sessions but the one that asks"),
    "endOwnSession": Described("End one of one's own sessions"),
    "search": Described(
        "Find projects and repositories by a part of their names",
        ref("SearchResult"),
        query=(Parameter("q", text(maxLength=255)),),
        also=(400,),
    ),
    "getOpenApi": Described("This document", mapping({})),
}
