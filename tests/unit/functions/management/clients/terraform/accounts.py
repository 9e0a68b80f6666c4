"""Robots, users, groups and labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.unit.functions.management.clients.terraform.projects import ships
from tests.unit.functions.management.clients.terraform.provider import (
    BOOL,
    INT,
    INT32,
    STRING,
    Provider,
    Resource,
    State,
    decoded,
    delete,
)

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
        delete,
        {"disable": True, "description": "off"},
    )  # fmt: skip


ROBOT_OF_PROJECT = _robot("harbor_robot_account of a project", "project", ("project", "ships"))
ROBOT_OF_SYSTEM = _robot("harbor_robot_account of the system", "system", ("project", "*"), secret="Chosen1secret")
ROBOT_OF_BOTH = _robot("harbor_robot_account of projects", "system", ("project", "open"), ("project", "ships"))


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
    delete,
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
    delete,
)


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
        lambda provider, id_, config: provider.send("PUT", id_, label_body(config), 200),
        delete,
        {"color": "#FF0000"},
    )  # fmt: skip


LABEL, LABEL_OF_PROJECT = (
    _label("harbor_label", lambda _: ""),
    _label("harbor_label of a project", lambda provider: ships(provider).rpartition("/")[2]),
)
