"""Schedules and the configuration; all resources, and those that there are not."""

from __future__ import annotations

import json

from tests.unit.functions.management.clients.terraform.accounts import (
    GROUP,
    LABEL,
    LABEL_OF_PROJECT,
    ROBOT_OF_BOTH,
    ROBOT_OF_PROJECT,
    ROBOT_OF_SYSTEM,
    USER,
)
from tests.unit.functions.management.clients.terraform.projects import MEMBER_GROUP, MEMBER_USER, PROJECT
from tests.unit.functions.management.clients.terraform.provider import (
    BOOL,
    INT,
    SCHEDULES,
    STRING,
    TIME,
    ZERO_TIME,
    Provider,
    Resource,
    State,
)
from tests.unit.functions.management.clients.terraform.rules import IMMUTABLE, RETENTION, RETENTION_ALWAYS, WEBHOOK

SCHEDULE_MODEL = {
    "schedule": {"type": STRING, "cron": STRING}, "id": INT, "job_name": STRING, "job_kind": STRING,
    "job_parameters": STRING, "job_status": STRING, "deleted": BOOL, "creation_time": TIME, "update_time": TIME,
}  # fmt: skip
GC = "/system/gc/schedule"


def schedule_body(kind: str, untagged: bool = False) -> State:
    return {
        "schedule": {"type": kind, "cron": SCHEDULES.get(kind, "")} if kind != "None" else {"type": kind},
        "creation_time": ZERO_TIME,
        "update_time": ZERO_TIME,
        "parameters": {"delete_untagged": True} if untagged else {},
    }


def set_schedule(provider: Provider, path: str, body: State) -> None:
    """POST where no schedule is answered, else PUT."""
    has = provider.get(path, SCHEDULE_MODEL)["schedule"]["type"] != ""
    provider.send(*(("PUT", path, body, 200) if has else ("POST", path, body, 201)))


def _set_gc(provider: Provider, config: State) -> str:
    set_schedule(provider, GC, schedule_body(config["schedule"], config["delete_untagged"]))
    return GC


def read_gc(provider: Provider, id_: str, config: State) -> State:
    found = provider.get(GC, SCHEDULE_MODEL)
    parameters = json.loads(found["job_parameters"])
    return {"schedule": found["schedule"]["type"], "delete_untagged": parameters["delete_untagged"]}


COLLECTION = Resource(
    "harbor_garbage_collection",
    lambda _: {"schedule": "Daily", "delete_untagged": False},
    _set_gc,
    read_gc,
    lambda provider, _, config: _set_gc(provider, config),
    lambda provider, _: provider.send("PUT", GC, schedule_body("None"), 200),
    {"schedule": "Weekly", "delete_untagged": True},
    remains=True,
)


def _configuration(name: str, config: State, changed: State, cleared: State) -> Resource:
    kinds = {bool: BOOL, int: INT, str: STRING}
    model = {key: {"editable": BOOL, "value": kinds[type(value)]} for key, value in config.items()}

    def put(provider: Provider, sent: State) -> str:
        provider.send("PUT", "/configurations", sent, 200)
        return f"configuration/{name}"

    return Resource(
        name,
        lambda _: dict(config),
        put,
        lambda provider, *_: {key: one["value"] for key, one in provider.get("/configurations", model).items()},
        lambda provider, _, sent: put(provider, sent),
        lambda provider, _: put(provider, cleared),
        changed,
        remains=True,
    )


CONFIG_SYSTEM = _configuration(
    "harbor_config_system",
    {
        "project_creation_restriction": "everyone", "read_only": False, "robot_token_duration": 30,
        "robot_name_prefix": "robot$", "storage_per_project": -1, "scanner_skip_update_pulltime": False,
        "banner_message": "",
    },
    {"project_creation_restriction": "adminonly"},
    {"project_creation_restriction": "adminonly", "read_only": False, "robot_token_duration": 30},
)  # fmt: skip
CONFIG_LDAP = _configuration(
    "harbor_config_auth with LDAP",
    {
        "auth_mode": "ldap_auth", "primary_auth_mode": False, "ldap_url": "ldaps://ldap.example.com",
        "ldap_base_dn": "dc=example,dc=com", "ldap_uid": "uid", "ldap_verify_cert": True,
        "ldap_search_dn": "cn=admin", "ldap_filter": "", "ldap_scope": 2, "ldap_group_base_dn": "",
    },
    {"ldap_uid": "cn"},
    {"auth_mode": "db_auth"},
)  # fmt: skip
CONFIG_OIDC = _configuration(
    "harbor_config_auth with OpenID Connect",
    {
        "auth_mode": "oidc_auth", "primary_auth_mode": True, "oidc_name": "azure",
        "oidc_endpoint": "https://login.example.com/v2.0", "oidc_client_id": "id",
        "oidc_scope": "openid,email", "oidc_verify_cert": True, "oidc_auto_onboard": True, "oidc_user_claim": "name",
        "oidc_admin_group": "administrators", "oidc_groups_claim": "groups",
    },
    {"oidc_name": "corp"},
    {"auth_mode": "db_auth"},
)  # fmt: skip
CONFIG_SECURITY_PATH = "/system/CVEAllowlist"

RESOURCES = (
    PROJECT, MEMBER_USER, MEMBER_GROUP, ROBOT_OF_PROJECT, ROBOT_OF_SYSTEM, ROBOT_OF_BOTH, USER, GROUP, LABEL,
    LABEL_OF_PROJECT, IMMUTABLE, RETENTION, RETENTION_ALWAYS, WEBHOOK, COLLECTION, CONFIG_SYSTEM, CONFIG_LDAP,
    CONFIG_OIDC,
)  # fmt: skip

# What there is not: the method, the path, and the body that creates it.
ABSENT: dict[str, tuple[str, str, State]] = {
    "harbor_registry": (
        "POST", "/registries",
        {"name": "hub", "url": "https://hub.docker.com", "type": "docker-hub", "credential": {}, "insecure": False},
    ),
    "harbor_replication": (
        "POST", "/replication/policies",
        {"name": "r", "enabled": True, "src_registry": {"id": 1}, "trigger": {"type": "manual"}, "filters": []},
    ),
    "harbor_preheat_instance": (
        "POST", "/p2p/preheat/instances", {"name": "kraken", "vendor": "kraken", "endpoint": "http://127.0.0.1"},
    ),
    "harbor_interrogation_services": ("PUT", "/system/scanAll/schedule", schedule_body("Daily")),
    "harbor_tasks": ("PUT", "/system/scanAll/schedule", schedule_body("Weekly")),
    "harbor_purge_audit_log": (
        "PUT", "/system/purgeaudit/schedule",
        {
            **schedule_body("Daily"),
            "parameters": {"audit_retention_hour": 24, "include_event_types": "create_artifact"},
        },
    ),
    "harbor_config_security": (
        "PUT", CONFIG_SECURITY_PATH, {"items": [{"cve_id": "CVE-2021-44228"}], "expires_at": 0},
    ),
}  # fmt: skip
