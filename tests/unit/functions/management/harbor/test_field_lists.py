"""The members of documents, by the functions with which Harbor makes them: its API's description requires nearly none.

Source: goharbor/harbor, src/server/v2.0/handler/model/*.go (`ToSwagger`, `ToUserResp`). Go leaves a member out while it
is zero, so only those are required here that the example has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from roadstead.identity.directory import Role
from tests.unit.functions.management import swagger
from tests.unit.functions.management.changes.made import immutable_rule, retention_document
from tests.unit.functions.management.client import Browser, Desk, basic

ADA = basic("ada")
HARBOR = "/api/v2.0"

# Of each kind: the definition in Harbor's description, and what its function sets.
FIELDS: dict[str, tuple[str, set[str]]] = {
    "project": (
        "Project",
        {"creation_time", "current_user_role_id", "current_user_role_ids", "metadata", "name", "owner_id", "owner_name",
         "project_id", "repo_count", "update_time", "cve_allowlist"},
    ),
    "list of CVEs": ("CVEAllowlist", {"id", "project_id", "items", "creation_time", "update_time"}),
    "found project": ("Project", {"project_id", "name", "owner_id", "metadata", "repo_count", "cve_allowlist"}),
    "found repository": (
        "SearchRepository",
        {"project_id", "project_name", "project_public", "repository_name", "artifact_count", "pull_count"},
    ),
    "repository": ("Repository", {"creation_time", "description", "id", "name", "project_id", "update_time"}),
    "artifact": (
        "Artifact",
        {"id", "type", "media_type", "manifest_media_type", "project_id", "repository_id", "digest", "size",
         "pull_time", "push_time", "extra_attrs", "tags", "labels", "addition_links"},
    ),
    "tag": ("Tag", {"artifact_id", "id", "name", "pull_time", "push_time", "repository_id", "immutable"}),
    "label": ("Label", {"color", "creation_time", "description", "id", "name", "project_id", "scope", "update_time"}),
    "robot": (
        "Robot",
        {"id", "name", "description", "expires_at", "duration", "level", "disable", "editable", "creation_time",
         "update_time", "permissions"},
    ),
    "user": (
        "UserResp",
        {"email", "realname", "comment", "user_id", "username", "sysadmin_flag", "creation_time", "update_time"},
    ),
    "webhook": (
        "WebhookPolicy",
        {"id", "creation_time", "update_time", "creator", "description", "enabled", "event_types", "name",
         "project_id", "targets"},
    ),
    "webhook's target": (
        "WebhookTargetObject", {"type", "address", "auth_header", "skip_cert_verify", "payload_format"},
    ),
    "quota": ("Quota", {"id", "ref", "hard", "used", "creation_time", "update_time"}),
    "immutable rule": ("ImmutableRule", {"id", "action", "scope_selectors", "tag_selectors", "template"}),
    "retention": ("RetentionPolicy", {"id", "algorithm", "rules", "trigger", "scope"}),
    "member": (
        "ProjectMemberEntity", {"id", "project_id", "entity_name", "role_name", "role_id", "entity_id", "entity_type"},
    ),
}  # fmt: skip
# What Harbor sets and there is not: docs/management-system.md.
ABSENT = {"project": {"visibility", "registry_id"}}


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """One of each, as it is shown."""
    browser = Browser(Desk())
    desk = browser.desk
    desk.accounts.set_member("ships", "ada", Role.ADMIN)

    def made(path: str, document: Any) -> str:
        status, said, headers = browser.ask("POST", f"{HARBOR}{path}", document, ADA)
        assert status in (200, 201), said
        return headers.get("location", "").removeprefix(HARBOR)

    def get(path: str) -> Any:
        status, said, _ = browser.ask("GET", f"{HARBOR}{path}", headers=ADA)
        assert status == 200, said
        return said

    desk.push_image("ships/galleon", "v1", config=b'{"architecture": "arm64", "os": "linux"}')
    desk.settle()
    browser.ask("PUT", f"{HARBOR}/projects/ships/repositories/galleon", {"description": "big"}, ADA)
    number = get("/projects/ships")["project_id"]
    label = made(
        "/labels", {"name": "stable", "color": "#111111", "description": "d", "scope": "p", "project_id": number}
    )
    artifact = "/projects/ships/repositories/galleon/artifacts/v1"
    made(f"{artifact}/labels", {"id": int(label.rpartition("/")[2])})
    permission = {"kind": "project", "namespace": "ships", "access": [{"resource": "repository", "action": "pull"}]}
    robot = made(
        "/robots",
        {"name": "r", "level": "project", "duration": 3, "description": "d", "permissions": [permission]},
    )
    user = made(
        "/users",
        {"username": "dee", "password": "Password12345!", "email": "d@e.example", "realname": "D", "comment": "c"},
    )
    target = {
        "type": "http", "address": "https://ci.example.com/", "auth_header": "Bearer x", "skip_cert_verify": True,
        "payload_format": "CloudEvents",
    }  # fmt: skip
    hook = {"name": "ci", "description": "d", "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": [target]}
    webhook = get(made("/projects/ships/webhook/policies", hook))
    made("/projects/ships/immutabletagrules", immutable_rule())
    retention = made("/retentions", retention_document(number))
    found = get(f"{artifact}?with_label=true&with_tag=true&with_immutable_status=true")
    searched = get("/search?q=ships")
    return {
        "project": get("/projects/ships"),
        "list of CVEs": get("/projects/ships")["cve_allowlist"],
        "found project": searched["project"][0],
        "found repository": searched["repository"][0],
        "repository": get("/projects/ships/repositories/galleon"),
        "artifact": found,
        "tag": found["tags"][0],
        "label": get(label),
        "robot": get(robot),
        "user": get(user),
        "webhook": webhook,
        "webhook's target": webhook["targets"][0],
        "quota": get(f"/quotas/{number}"),
        "immutable rule": get("/projects/ships/immutabletagrules")[0],
        "retention": get(retention),
        "member": get("/projects/ships/members")[0],
    }


@pytest.mark.parametrize("kind", FIELDS)
def test_a_document_has_what_harbors_has_and_nothing_that_is_not_described(shown: dict[str, Any], kind: str) -> None:
    swagger.require()
    definition, fields = FIELDS[kind]
    described = swagger.description()["definitions"][definition]["properties"].keys()
    assert fields - shown[kind].keys() == set()
    assert shown[kind].keys() - described == set()
    assert not fields & ABSENT.get(kind, set())


def test_a_number_or_a_flag_is_never_text(shown: dict[str, Any]) -> None:
    numbers: Callable[[Any], bool] = lambda value: isinstance(value, int) and not isinstance(value, bool)  # noqa: E731
    for kind, name in (("project", "project_id"), ("artifact", "size"), ("robot", "expires_at"), ("quota", "id")):
        assert numbers(shown[kind][name])
    assert shown["project"]["metadata"]["public"] == "false"  # there it is text
    for kind, name in (("robot", "disable"), ("webhook", "enabled"), ("user", "sysadmin_flag"), ("tag", "immutable")):
        assert isinstance(shown[kind][name], bool)
