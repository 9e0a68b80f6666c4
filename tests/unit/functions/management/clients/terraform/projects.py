"""Projects with their quotas, and members."""

from __future__ import annotations

from collections.abc import Callable

from tests.unit.functions.management.clients.terraform.provider import (
    BOOL,
    INT,
    INT32,
    STRING,
    TIME,
    Provider,
    Resource,
    State,
    delete,
)

PROJECT_MODEL = {
    "update_time": STRING, "owner_name": STRING, "name": STRING, "deleted": BOOL, "owner_id": INT32, "repo_count": INT,
    "registry_id": INT, "creation_time": STRING, "togglable": BOOL, "project_id": INT32, "current_user_role_id": INT,
    "current_user_role_ids": [INT], "chart_count": INT,
    "cve_allowlist": {"items": [{"cve_id": STRING}], "project_id": INT, "id": INT, "expires_at": INT},
    "metadata": {
        "enable_content_trust": STRING, "enable_content_trust_cosign": STRING, "auto_scan": STRING, "severity": STRING,
        "reuse_sys_cve_allowlist": STRING, "public": STRING, "prevent_vul": STRING, "retention_id": STRING,
        "auto_sbom_generation": STRING,
    },
}  # fmt: skip
QUOTA_MODEL = {
    "id": INT, "ref": {"id": INT, "name": STRING, "owner_name": STRING},
    "hard": {"storage": INT}, "used": {"storage": INT}, "creation_time": TIME, "update_time": TIME,
}  # fmt: skip
GIB = 1 << 30


def project_body(config: State) -> State:
    quota = config["storage_quota"]
    return {
        "project_name": config["name"],
        "cve_allowlist": {},
        "storage_limit": quota if quota == -1 else quota * GIB,
        "metadata": {
            "enable_content_trust": "false",
            "enable_content_trust_cosign": "false",
            "auto_scan": str(config["vulnerability_scanning"]).lower(),
            "severity": "low",
            "reuse_sys_cve_allowlist": "true",
            "public": config["public"],
            "prevent_vul": "false",
            "auto_sbom_generation": "false",
        },
    }


def read_project(provider: Provider, id_: str, config: State) -> State:
    found = provider.get(id_, PROJECT_MODEL)
    assert provider.get(f"{id_}/scanner", {"uuid": STRING}) == {"uuid": ""}
    assert found["metadata"]["enable_content_trust"] in ("", "false")
    return {
        "name": found["name"],
        "project_id": found["project_id"],
        "registry_id": found["registry_id"],
        "public": found["metadata"]["public"],
        "vulnerability_scanning": found["metadata"]["auto_scan"] == "true",
        "deployment_security": found["metadata"]["severity"] if found["metadata"]["prevent_vul"] == "true" else "",
        "storage_quota": _quota_of(provider, id_),
    }


def _quotas(provider: Provider) -> list[State]:
    """`/quotas/`, with the slash, until a page is empty."""
    found: list[State] = []
    page = 1
    while one := provider.get(f"/quotas/?page={page}&page_size=100", [QUOTA_MODEL]):
        found, page = [*found, *one], page + 1
    return found


def _quota_of(provider: Provider, id_: str) -> int:
    (storage,) = [one["hard"]["storage"] for one in _quotas(provider) if f"/projects/{one['ref']['id']}" == id_]
    return int(storage) // GIB if storage > 0 else int(storage)


def update_project(provider: Provider, id_: str, config: State) -> None:
    provider.send("PUT", id_, project_body(config), 200)
    enabled = provider.get("/configurations", {"quota_per_project_enable": {"editable": BOOL, "value": BOOL}})
    if not enabled["quota_per_project_enable"]["value"]:
        return
    for one in _quotas(provider):
        if f"/projects/{one['ref']['id']}" == id_:
            storage = config["storage_quota"]
            limit = storage * GIB if storage > 0 else storage
            provider.send("PUT", f"/quotas/{one['id']}", {"hard": {"storage": limit}}, 200)


def force_destroy(provider: Provider, id_: str) -> None:
    """Delete every repository, their slashes encoded twice, then the project."""
    name = provider.get(id_, PROJECT_MODEL)["name"]
    repositories: list[State] = []
    page = 1
    while one := provider.get(f"/projects/{name}/repositories?page={page}&page_size=100", [{"name": STRING}]):
        repositories, page = [*repositories, *one], page + 1
    for repository in repositories:
        short = repository["name"].removeprefix(f"{name}/").replace("/", "%252F")
        provider.send("DELETE", f"/projects/{name}/repositories/{short}", None, 200)
    delete(provider, id_)


PROJECT = Resource(
    "harbor_project",
    lambda _: {
        "name": "built", "public": "false", "vulnerability_scanning": True, "deployment_security": "",
        "storage_quota": -1, "registry_id": 0,
    },
    lambda provider, config: provider.made("/projects", project_body(config)),
    read_project,
    update_project,
    force_destroy,
    {"public": "true", "storage_quota": 5},
)  # fmt: skip


_ROLES = {1: "projectadmin", 2: "developer", 3: "guest", 4: "maintainer", 5: "limitedguest"}
_NUMBERS = {name: number for number, name in _ROLES.items()}
_TYPES = {"ldap": 1, "internal": 2, "oidc": 3}
MEMBER_MODEL = {
    "entity_name": STRING, "role_name": STRING, "entity_type": STRING, "entity_id": INT, "role_id": INT, "id": INT,
    "project_id": INT,
}  # fmt: skip


def ships(provider: Provider) -> str:
    return f"/projects/{provider.get('/projects/ships', PROJECT_MODEL)['project_id']}"


def member_body(config: State) -> State:
    """A struct is never left out: of the two, the one that is not meant is empty."""
    user = {"username": config["user_name"]} if "user_name" in config else {}
    group = {"group_type": _TYPES[config["type"]], "group_name": config["group_name"]} if "group_name" in config else {}
    return {"role_id": _NUMBERS[config["role"]], "member_group": group, "member_user": user}


def _read_member(what: str) -> Callable[[Provider, str, State], State]:
    def read(provider: Provider, id_: str, config: State) -> State:
        found = provider.get(id_, MEMBER_MODEL)
        kept = {"type": config["type"]} if "type" in config else {}
        return {
            "role": _ROLES[found["role_id"]],
            "project_id": f"/projects/{found['project_id']}",
            what: found["entity_name"],
            **kept,
        }

    return read


def _member(name: str, what: str, config: Callable[[Provider], State]) -> Resource:
    return Resource(
        name,
        config,
        lambda provider, made: provider.made(f"{made['project_id']}/members", member_body(made)),
        _read_member(what),
        lambda provider, id_, made: provider.send("PUT", id_, member_body(made), 200),
        delete,
        {"role": "maintainer"},
    )


MEMBER_USER = _member(
    "harbor_project_member_user",
    "user_name",
    lambda provider: {"project_id": ships(provider), "user_name": "eve", "role": "developer"},
)
MEMBER_GROUP = _member(
    "harbor_project_member_group",
    "group_name",
    lambda provider: {"project_id": ships(provider), "group_name": "crew", "type": "oidc", "role": "guest"},
)
