"""What Terraform's provider for Harbor sends for each of its resources, and what it reads: call by call.

Source: goharbor/terraform-provider-harbor, client/*.go, models/*.go and provider/resource_*.go. A call without a
payload has the body `null`; zero values are left out where a field says `omitempty`, but never a struct. Status codes
are compared, and an answer of another type than its model's is an error.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from roadstead.http import Request
from tests.unit.functions.management.client import PASSWORD, Desk, check

Model = Mapping[str, Any]  # by the names of members: a type of Go's, a list of one, a model
State = dict[str, Any]

ZERO_TIME = "0001-01-01T00:00:00Z"
INT, INT32, STRING, BOOL, TIME = "int", "int32", "string", "bool", "time"
_MOST = {INT: 2**63 - 1, INT32: 2**31 - 1}


class ProviderError(Exception):
    """What the provider would tell its user."""


def decoded(model: Any, value: Any, where: str = "answer") -> Any:
    """Return a document as Go's json.Unmarshal fills a model: unknown members are ignored, absent ones stay zero."""
    if isinstance(model, Mapping):
        document = {} if value is None else value
        if not isinstance(document, dict):
            raise ProviderError(f"{where}: cannot unmarshal {type(value).__name__} into a struct")
        return {name: decoded(kind, document.get(name), f"{where}.{name}") for name, kind in model.items()}
    if isinstance(model, list):
        if value is not None and not isinstance(value, list):
            raise ProviderError(f"{where}: cannot unmarshal {type(value).__name__} into a slice")
        return [decoded(model[0], one, where) for one in value or []]
    if value is None:
        return {INT: 0, INT32: 0, STRING: "", BOOL: False, TIME: ZERO_TIME}[model]
    kinds = {INT: int, INT32: int, STRING: str, BOOL: bool, TIME: str}
    if type(value) is not kinds[model]:
        raise ProviderError(f"{where}: cannot unmarshal {value!r} into {model}")
    if model in _MOST and abs(value) > _MOST[model]:
        raise ProviderError(f"{where}: {value} overflows {model}")
    if model == TIME:
        datetime.fromisoformat(value)
        assert value.endswith("Z"), f"{where}: {value}"
    return value


@dataclass
class Provider:
    """The provider's client, as the system administrator `ada`."""

    desk: Desk
    calls: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, payload: Any, status: int) -> tuple[str, dict[str, str]]:
        """Return the body and the headers. Raises ProviderError for another status; 0 is any."""
        self.calls.append(f"{method} {path}")
        target, _, query = f"/api/v2.0{path}".partition("?")
        headers = {
            "authorization": "Basic " + base64.b64encode(f"ada:{PASSWORD}".encode()).decode(),
            "content-type": "application/json",
            "user-agent": "Go-http-client/1.1",
            "accept-encoding": "gzip",
        }
        pairs = tuple(tuple(one.split("=", 1)) for one in query.split("&") if one)
        request = Request(
            method,
            target,
            pairs,  # type: ignore[arg-type]
            tuple(headers.items()),
            json.dumps(payload, separators=(",", ":")).encode() + b"\n",
            host="registry.example",
            scheme="https",
            source_ip="192.0.2.7",
        )
        response = self.desk.ask(request)
        check(request, response)
        if status and response.status != status:
            raise ProviderError(f"{method} {path}: got {response.status}, expected {status}: {response.body.decode()}")
        return response.body.decode(), dict(response.headers)

    def get(self, path: str, model: Any, status: int = 200) -> Any:
        return decoded(model, json.loads(self.send("GET", path, None, status)[0]))

    def made(self, path: str, payload: Any) -> str:
        """Create, and return the id that GetID makes of the Location."""
        _, headers = self.send("POST", path, payload, 201)
        return headers["Location"].replace("/api", "").replace("/v2.0", "")


@dataclass(frozen=True)
class Resource:
    """`config` is what a user writes, with the provider's defaults; a read has to return it.

    `destroy` returns whether the resource is gone then, and not only without effect.
    """

    name: str
    config: Callable[[Provider], State]
    create: Callable[[Provider, State], str]
    read: Callable[[Provider, str, State], State]
    update: Callable[[Provider, str, State], None]
    destroy: Callable[[Provider, str], None]
    changed: State = field(default_factory=dict)  # what an update changes
    remains: bool = False


def _delete(provider: Provider, id_: str) -> None:
    provider.send("DELETE", id_, None, 200)


# --- projects

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
    _delete(provider, id_)


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

# --- members

_ROLES = {1: "projectadmin", 2: "developer", 3: "guest", 4: "maintainer", 5: "limitedguest"}
_NUMBERS = {name: number for number, name in _ROLES.items()}
_TYPES = {"ldap": 1, "internal": 2, "oidc": 3}
MEMBER_MODEL = {
    "entity_name": STRING, "role_name": STRING, "entity_type": STRING, "entity_id": INT, "role_id": INT, "id": INT,
    "project_id": INT,
}  # fmt: skip


def _ships(provider: Provider) -> str:
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
        lambda provider, id_, made: provider.send("PUT", id_, member_body(made), 200) and None,
        _delete,
        {"role": "maintainer"},
    )


MEMBER_USER = _member(
    "harbor_project_member_user",
    "user_name",
    lambda provider: {"project_id": _ships(provider), "user_name": "eve", "role": "developer"},
)
MEMBER_GROUP = _member(
    "harbor_project_member_group",
    "group_name",
    lambda provider: {"project_id": _ships(provider), "group_name": "crew", "type": "oidc", "role": "guest"},
)

# --- robots

ACCESS_MODEL = {"action": STRING, "resource": STRING, "effect": STRING}
ROBOT_MODEL = {
    "id": INT, "name": STRING, "level": STRING, "description": STRING, "secret": STRING, "duration": INT,
    "disable": BOOL, "permissions": [{"access": [ACCESS_MODEL], "kind": STRING, "namespace": STRING}],
}  # fmt: skip


def robot_body(config: State) -> State:
    body = {
        "name": config["name"], "level": config["level"], "duration": config["duration"],
        "permissions": config["permissions"], "description": config["description"], "disable": config["disable"],
    }  # fmt: skip
    return {name: value for name, value in body.items() if value}


def create_robot(provider: Provider, config: State) -> str:
    body, headers = provider.send("POST", "/robots", robot_body(config), 201)
    answer = decoded(
        {"id": INT, "name": STRING, "secret": STRING, "expires_at": INT, "creation_time": STRING}, json.loads(body)
    )
    assert answer["secret"]
    if config.get("secret"):
        provider.send("PATCH", f"/robots/{answer['id']}", {"secret": config["secret"]}, 200)
    return headers["Location"].replace("/api", "").replace("/v2.0", "")


def read_robot(provider: Provider, id_: str, config: State) -> State:
    found = provider.get(id_, ROBOT_MODEL)
    prefix = provider.get("/configurations", {"robot_name_prefix": {"value": STRING}})["robot_name_prefix"]["value"]
    name = found["name"].removeprefix(prefix)
    return {
        "name": name.split("+")[1] if found["level"] == "project" else name,
        "level": found["level"],
        "description": found["description"],
        "duration": found["duration"],
        "disable": found["disable"],
        "permissions": _sorted(found["permissions"]),
        **({"secret": config["secret"]} if "secret" in config else {}),
    }


def update_robot(provider: Provider, id_: str, config: State) -> None:
    """The name that it read is the one that it sends."""
    full = provider.get(id_, ROBOT_MODEL)["name"]
    provider.send("PUT", id_, robot_body({**config, "name": full}), 200)


def _sorted(permissions: list[State]) -> list[State]:
    """As sets are compared."""
    ordered = [
        {**one, "access": sorted(one["access"], key=lambda access: str(access["action"]))} for one in permissions
    ]
    return sorted(ordered, key=lambda one: str(one["namespace"]))


def _robot(name: str, level: str, *permissions: tuple[str, str], **more: Any) -> Resource:
    access = [{"action": action, "resource": "repository", "effect": "allow"} for action in ("pull", "push")]
    shown = [{"kind": kind, "namespace": namespace, "access": access} for kind, namespace in permissions]
    return Resource(
        name,
        lambda _: {
            "name": "builder", "level": level, "description": "", "duration": -1, "disable": False,
            "permissions": _sorted(shown), **more,
        },
        create_robot,
        read_robot,
        update_robot,
        _delete,
        {"disable": True, "description": "off"},
    )  # fmt: skip


ROBOT_OF_PROJECT = _robot("harbor_robot_account of a project", "project", ("project", "ships"))
ROBOT_OF_SYSTEM = _robot("harbor_robot_account of the system", "system", ("project", "*"), secret="Chosen1secret")
ROBOT_OF_BOTH = _robot("harbor_robot_account of projects", "system", ("project", "open"), ("project", "ships"))

# --- users and groups

USER_MODEL = {
    "username": STRING, "comment": STRING, "update_time": STRING, "user_id": INT32, "realname": STRING,
    "creation_time": STRING, "admin_role_in_auth": BOOL, "role_id": INT, "sysadmin_flag": BOOL, "email": STRING,
}  # fmt: skip


def user_body(config: State) -> State:
    """`sysadmin_flag` is left out while it is false."""
    body = {
        "username": config["username"], "password": config["password"], "new_password": config["password"],
        "realname": config["full_name"], "email": config["email"], "comment": config["comment"],
        "sysadmin_flag": config["admin"],
    }  # fmt: skip
    return {name: value for name, value in body.items() if value}


def read_user(provider: Provider, id_: str, config: State) -> State:
    found = provider.get(id_, USER_MODEL)
    return {
        "username": found["username"], "full_name": found["realname"], "email": found["email"],
        "admin": found["sysadmin_flag"], "comment": found["comment"], "password": config["password"],
    }  # fmt: skip


def update_user(provider: Provider, id_: str, config: State) -> None:
    body = user_body(config)
    for path in (id_, f"{id_}/sysadmin", f"{id_}/password"):
        provider.send("PUT", path, body, 200)


USER = Resource(
    "harbor_user",
    lambda _: {
        "username": "john", "password": "Password12345!", "full_name": "John Smith", "email": "john@smith.com",
        "admin": False, "comment": "",
    },
    lambda provider, config: provider.made("/users", user_body(config)),
    read_user,
    update_user,
    _delete,
    {"full_name": "J. Smith", "admin": True},
)  # fmt: skip
GROUP_MODEL = {"group_name": STRING, "group_type": INT, "ldap_group_dn": STRING, "id": INT}
GROUP = Resource(
    "harbor_group",
    lambda _: {"group_name": "storage-group", "group_type": 3},
    lambda provider, config: provider.made("/usergroups", config),
    lambda provider, id_, _: {
        name: value for name, value in provider.get(id_, GROUP_MODEL).items() if name in ("group_name", "group_type")
    },
    lambda *_: None,  # it has no update
    _delete,
)

# --- labels

LABEL_MODEL = {
    "description": STRING, "color": STRING, "deleted": BOOL, "scope": STRING, "project_id": INT, "id": INT,
    "name": STRING,
}  # fmt: skip


def label_body(config: State) -> State:
    number = int(config["project_id"]) if config["project_id"] else 0
    return {
        "name": config["name"], "description": config["description"], "color": config["color"], "deleted": False,
        "scope": "p" if number else "g", "project_id": number, "id": 0,
    }  # fmt: skip


def read_label(provider: Provider, id_: str, config: State) -> State:
    found = provider.get(id_, LABEL_MODEL)
    number = str(found["project_id"]) if found["project_id"] else ""
    assert found["scope"] == ("p" if number else "g")
    return {name: found[name] for name in ("name", "description", "color")} | {"project_id": number}


def _label(name: str, project: Callable[[Provider], str]) -> Resource:
    return Resource(
        name,
        lambda provider: {
            "name": "accept", "description": "", "color": "#FFFFFF", "project_id": project(provider),
        },
        lambda provider, config: provider.made("/labels", label_body(config)),
        read_label,
        lambda provider, id_, config: provider.send("PUT", id_, label_body(config), 200) and None,
        _delete,
        {"color": "#FF0000"},
    )  # fmt: skip


LABEL, LABEL_OF_PROJECT = (
    _label("harbor_label", lambda _: ""),
    _label("harbor_label of a project", lambda provider: _ships(provider).rpartition("/")[2]),
)

# --- rules

_REPOSITORY_MODEL = {"kind": STRING, "decoration": STRING, "pattern": STRING}
IMMUTABLE_MODEL = {
    "id": INT, "disabled": BOOL, "action": STRING, "template": STRING,
    "tag_selectors": [{"kind": STRING, "decoration": STRING, "pattern": STRING, "extras": STRING}],
    "scope_selectors": {"repository": [_REPOSITORY_MODEL]},
}  # fmt: skip


def immutable_body(config: State, number: int = 0) -> State:
    return {
        "id": number,
        "disabled": config["disabled"],
        "scope_selectors": {
            "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": config["repo_matching"]}]
        },
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": config["tag_matching"]}],
        "action": "immutable",
        "template": "immutable_template",
    }


def read_immutable(provider: Provider, id_: str, config: State) -> State:
    path, _, number = id_.rpartition("/")
    for rule in provider.get(path, [IMMUTABLE_MODEL]):
        if rule["id"] == int(number):
            assert rule["tag_selectors"][0]["decoration"] == "matches"
            assert rule["scope_selectors"]["repository"][0]["decoration"] == "repoMatches"
            return {
                "disabled": rule["disabled"], "project_id": path.removesuffix("/immutabletagrules"),
                "tag_matching": rule["tag_selectors"][0]["pattern"],
                "repo_matching": rule["scope_selectors"]["repository"][0]["pattern"],
            }  # fmt: skip
    raise ProviderError(f"resource not found {id_}")


IMMUTABLE = Resource(
    "harbor_immutable_tag_rule",
    lambda provider: {
        "project_id": _ships(provider), "disabled": False, "repo_matching": "**", "tag_matching": "v2.*",
    },
    lambda provider, config: provider.made(f"{config['project_id']}/immutabletagrules", immutable_body(config)),
    read_immutable,
    lambda provider, id_, config: (
        provider.send("PUT", id_, immutable_body(config, int(id_.rpartition("/")[2])), 200) and None
    ),
    _delete,
    {"disabled": True},
)  # fmt: skip

RETENTION_MODEL = {
    "id": INT, "algorithm": STRING,
    "rules": [
        {
            "disabled": BOOL, "action": STRING, "template": STRING,
            "scope_selectors": {"repository": [_REPOSITORY_MODEL]},
            "tag_selectors": [{"kind": STRING, "decoration": STRING, "pattern": STRING, "extras": STRING}],
            "params": {
                "latestPushedK": INT, "latestPulledN": INT, "nDaysSinceLastPush": INT, "nDaysSinceLastPull": INT,
            },
        }
    ],
    "trigger": {"kind": STRING, "settings": {"cron": STRING}}, "scope": {"level": STRING, "ref": INT},
}  # fmt: skip
_SCHEDULES = {"": "", "Daily": "0 0 0 * * *", "Weekly": "0 0 0 * * 0", "Hourly": "0 0 * * * *"}


def retention_body(config: State, rules: list[State] | None = None) -> State:
    untagged = json.dumps({"untagged": config["untagged_artifacts"]}, separators=(",", ":"))
    number = config["most_recently_pushed"]
    rule = {
        "disabled": config["disabled"],
        "action": "retain",
        "scope_selectors": {
            "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": config["repo_matching"]}]
        },
        "tag_selectors": [
            {"kind": "doublestar", "decoration": "matches", "pattern": config["tag_matching"], "extras": untagged}
        ],
        "params": {"latestPushedK": number} if number else {},
        "template": "latestPushedK" if number else "always",
    }
    reference = re.search(r"[0-9]+", config["scope"])
    assert reference is not None
    return {
        "algorithm": "or",
        "rules": [rule] if rules is None else rules,
        "trigger": {"kind": "Schedule", "references": {}, "settings": {"cron": _SCHEDULES[config["schedule"]]}},
        "scope": {"level": "project", "ref": int(reference[0])},
    }


def create_retention(provider: Provider, config: State) -> str:
    """Where the project has a policy already, its id is in the metadata, and a PUT replaces it."""
    kept = provider.get(config["scope"], PROJECT_MODEL)["metadata"]["retention_id"]
    if kept:
        provider.send("PUT", f"/retentions/{kept}", retention_body(config), 200)
        return f"/retentions/{kept}"
    return provider.made("/retentions", retention_body(config))


def read_retention(provider: Provider, id_: str, config: State) -> State:
    found = provider.get(id_, RETENTION_MODEL)
    (rule,) = found["rules"]
    crons = {cron: name for name, cron in _SCHEDULES.items()}
    return {
        "scope": f"/projects/{found['scope']['ref']}",
        "schedule": crons[found["trigger"]["settings"]["cron"]],
        "disabled": rule["disabled"],
        "most_recently_pushed": rule["params"]["latestPushedK"],
        "repo_matching": rule["scope_selectors"]["repository"][0]["pattern"],
        "tag_matching": rule["tag_selectors"][0]["pattern"],
        "untagged_artifacts": json.loads(rule["tag_selectors"][0]["extras"])["untagged"],
    }


def destroy_retention(provider: Provider, id_: str) -> None:
    """A PUT without rules: the policy stays, and keeps everything."""
    found = provider.get(id_, RETENTION_MODEL)
    config = {
        "scope": f"/projects/{found['scope']['ref']}", "schedule": "", "disabled": False, "most_recently_pushed": 0,
        "repo_matching": "**", "tag_matching": "**", "untagged_artifacts": True,
    }  # fmt: skip
    provider.send("PUT", id_, retention_body(config, rules=[]), 200)


def _retention(name: str, **more: Any) -> Resource:
    return Resource(
        name,
        lambda provider: {
            "scope": _ships(provider), "schedule": "Daily", "disabled": False, "most_recently_pushed": 10,
            "repo_matching": "**", "tag_matching": "**", "untagged_artifacts": True, **more,
        },
        create_retention,
        read_retention,
        lambda provider, id_, config: provider.send("PUT", id_, retention_body(config), 200) and None,
        destroy_retention,
        {"schedule": "Weekly", "tag_matching": "v*"},
        remains=True,
    )  # fmt: skip


RETENTION = _retention("harbor_retention_policy")
RETENTION_ALWAYS = _retention("harbor_retention_policy that always retains", most_recently_pushed=0, schedule="")

# --- webhooks

WEBHOOK_MODEL = {
    "update_time": TIME, "description": STRING, "creator": STRING, "creation_time": TIME, "enabled": BOOL,
    "targets": [
        {
            "type": STRING, "auth_header": STRING, "skip_cert_verify": BOOL, "address": STRING,
            "payload_format": STRING,
        }
    ],
    "event_types": [STRING], "project_id": INT, "id": INT, "name": STRING,
}  # fmt: skip


def webhook_body(config: State) -> State:
    """`payload_format:omitempty` is the name of a member, by a mistake in the provider's model."""
    target = {
        "type": config["notify_type"], "auth_header": config["auth_header"],
        "skip_cert_verify": config["skip_cert_verify"], "address": config["address"], "payload_format:omitempty": "",
    }  # fmt: skip
    return {
        "update_time": ZERO_TIME, "description": config["description"], "creator": "", "creation_time": ZERO_TIME,
        "enabled": config["enabled"], "targets": [target], "event_types": config["events_types"], "project_id": 0,
        "id": 0, "name": config["name"],
    }  # fmt: skip


def read_webhook(provider: Provider, id_: str, config: State) -> State:
    found = provider.get(id_, WEBHOOK_MODEL)
    target = found["targets"][0]
    return {
        "name": found["name"], "project_id": f"/projects/{found['project_id']}", "description": found["description"],
        "enabled": found["enabled"], "notify_type": target["type"], "address": target["address"],
        "auth_header": target["auth_header"], "skip_cert_verify": target["skip_cert_verify"],
        "events_types": found["event_types"],
    }  # fmt: skip


WEBHOOK = Resource(
    "harbor_project_webhook",
    lambda provider: {
        "name": "test_webhook", "project_id": _ships(provider), "description": "", "enabled": True,
        "notify_type": "http", "address": "https://webhook.example.com/", "auth_header": "Bearer x",
        "skip_cert_verify": False, "events_types": ["DELETE_ARTIFACT", "PUSH_ARTIFACT", "SCANNING_FAILED"],
    },
    lambda provider, config: provider.made(f"{config['project_id']}/webhook/policies", webhook_body(config)),
    read_webhook,
    lambda provider, id_, config: provider.send("PUT", id_, webhook_body(config), 200) and None,
    _delete,
    {"auth_header": "", "enabled": False},
)  # fmt: skip

# --- the system

SCHEDULE_MODEL = {
    "schedule": {"type": STRING, "cron": STRING}, "id": INT, "job_name": STRING, "job_kind": STRING,
    "job_parameters": STRING, "job_status": STRING, "deleted": BOOL, "creation_time": TIME, "update_time": TIME,
}  # fmt: skip
GC = "/system/gc/schedule"


def schedule_body(kind: str, untagged: bool = False) -> State:
    return {
        "schedule": {"type": kind, "cron": _SCHEDULES.get(kind, "")} if kind != "None" else {"type": kind},
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
    lambda provider, _, config: _set_gc(provider, config) and None,
    lambda provider, _: provider.send("PUT", GC, schedule_body("None"), 200) and None,
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
        lambda provider, _, sent: put(provider, sent) and None,
        lambda provider, _: put(provider, cleared) and None,
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
