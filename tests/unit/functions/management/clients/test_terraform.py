"""Terraform's provider for Harbor, call by call: what it has created it reads without a difference."""

from __future__ import annotations

import json

import pytest

from tests.unit.functions.management.client import Desk
from tests.unit.functions.management.clients.terraform.accounts import ROBOT_MODEL
from tests.unit.functions.management.clients.terraform.projects import PROJECT, PROJECT_MODEL, project_body
from tests.unit.functions.management.clients.terraform.provider import Provider, ProviderError, Resource, decoded
from tests.unit.functions.management.clients.terraform.system import ABSENT, RESOURCES


@pytest.fixture
def provider() -> Provider:
    return Provider(Desk())


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.name)
def test_a_resource_is_created_read_changed_destroyed_and_created_again_without_a_difference(
    provider: Provider, resource: Resource
) -> None:
    config = resource.config(provider)
    id_ = resource.create(provider, config)
    assert _of(config, resource.read(provider, id_, config)) == config
    changed = {**config, **resource.changed}
    resource.update(provider, id_, changed)
    assert _of(changed, resource.read(provider, id_, changed)) == changed
    resource.destroy(provider, id_)
    if not resource.remains:
        with pytest.raises(ProviderError, match=r"got 404|not found"):
            resource.read(provider, id_, config)
    provider.desk.now += 1  # the next call, in the same run
    again = resource.create(provider, config)
    assert _of(config, resource.read(provider, again, config)) == config
    assert resource.remains or again != id_
    resource.destroy(provider, again)


def _of(config: dict[str, object], state: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in state.items() if name in config}


@pytest.mark.parametrize("name", ["built", "2024"])
def test_a_project_goes_with_its_repositories_and_comes_back(provider: Provider, name: str) -> None:
    """`force_destroy`: nested names are encoded twice, and a numeric name is no id."""
    desk = provider.desk
    config = {**PROJECT.config(provider), "name": name}
    id_ = PROJECT.create(provider, config)
    for repository in ("crane", "cargo/crane", "a/artifacts/b/tags/c"):
        desk.push(f"{name}/{repository}", "v1")
    PROJECT.destroy(provider, id_)
    deletions = [call for call in provider.calls if call.startswith("DELETE")]
    assert f"DELETE /projects/{name}/repositories/a%252Fartifacts%252Fb%252Ftags%252Fc" in deletions
    again = PROJECT.create(provider, config)
    assert _of(config, PROJECT.read(provider, again, config)) == config
    assert provider.get(f"/projects/{name}/repositories?page=1&page_size=100", [{"name": "string"}]) == []


@pytest.mark.parametrize("name", ABSENT)
def test_a_resource_that_there_is_not_is_refused_with_a_sentence(provider: Provider, name: str) -> None:
    method, path, body = ABSENT[name]
    answer, _ = provider.send(method, path, body, 400)
    (error,) = json.loads(answer)["errors"]
    assert error["code"] == "UNSUPPORTED"
    assert error["message"].startswith(("there is no ", "the audit trail"))


@pytest.mark.parametrize("path", ["/system/scanAll/schedule", "/system/purgeaudit/schedule"])
def test_ending_a_schedule_that_there_is_not_succeeds(provider: Provider, path: str) -> None:
    """What destroys harbor_interrogation_services and harbor_purge_audit_log; harbor_tasks sends no type."""
    for kind in ("None", ""):
        provider.send("PUT", path, {"schedule": {"type": kind, "cron": ""}, "parameters": {}}, 200)
    assert provider.get(path, {"schedule": {"type": "string"}})["schedule"]["type"] == "None"


def test_a_projects_list_of_cves_is_refused_and_an_empty_one_is_not(provider: Provider) -> None:
    config = PROJECT.config(provider)
    body = {**project_body(config), "cve_allowlist": {"items": [{"cve_id": "CVE-2021-44228"}]}}
    assert "UNSUPPORTED" in provider.send("POST", "/projects", body, 400)[0]
    id_ = PROJECT.create(provider, config)
    assert "UNSUPPORTED" in provider.send("PUT", id_, body, 400)[0]
    protecting = project_body(config)
    protecting["metadata"] |= {"prevent_vul": "true", "severity": "high"}  # deployment_security
    assert "UNSUPPORTED" in provider.send("PUT", id_, protecting, 400)[0]


def test_the_schedules_of_what_there_is_not_are_read(provider: Provider) -> None:
    """The provider reads a schedule before it sets one; an empty answer would be an error in it."""
    for path in ("/system/scanAll/schedule", "/system/purgeaudit/schedule"):
        assert provider.get(path, {"schedule": {"type": "string"}})["schedule"]["type"] in ("", "None")


def test_what_there_is_not_goes_without_an_error_from_a_state_that_names_it(provider: Provider) -> None:
    """A state that was made with a Harbor: Terraform drops what is not found."""
    for path in ("/registries/3", "/replication/policies/3", "/scanners/3"):
        with pytest.raises(ProviderError, match="got 404"):
            provider.send("GET", path, None, 200)


def test_mail_settings_are_ignored(provider: Provider) -> None:
    """harbor_config_email: there is no mail, and unknown keys of the configuration are nobody's."""
    mail = {"email_host": "mail.example.com", "email_port": 25, "email_from": "a@b", "email_ssl": False}
    provider.send("PUT", "/configurations", mail, 200)
    assert not {"email_host"} & json.loads(provider.send("GET", "/configurations", None, 200)[0]).keys()


def test_ids_fit_into_gos_types(provider: Provider) -> None:
    """`project_id` and `owner_id` are int32 in Go's clients, other ids int64; JavaScript holds 53 bits."""
    project = provider.get("/projects/ships", PROJECT_MODEL)
    assert 0 < project["project_id"] < 2**31
    for resource in RESOURCES:
        id_ = resource.create(provider, resource.config(provider))
        number = id_.rpartition("/")[2]
        assert not number.isdigit() or int(number) < 2**53
        if "robot" in resource.name:
            assert provider.get(id_, ROBOT_MODEL)["id"] == int(number)
        resource.destroy(provider, id_)


@pytest.mark.parametrize(
    ("model", "value"),
    [("int32", 2**31), ("int", "5"), ("string", 5), ("bool", 1), ("int", True), (["int"], {}), ({"a": "int"}, [])],
)
def test_the_model_of_go_refuses_what_go_refuses(model: object, value: object) -> None:
    with pytest.raises(ProviderError):
        decoded(model, value)
