"""The journey by `harborapi`, which holds every response to its models of Harbor's."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets

from harborapi import HarborAsyncClient
from harborapi.exceptions import Conflict, Forbidden, NotFound, PreconditionFailed
from harborapi.models import (
    Access,
    Configurations,
    ImmutableRule,
    Label,
    ProjectMetadata,
    ProjectReq,
    QuotaUpdateReq,
    RetentionPolicy,
    RobotCreate,
    RobotPermission,
    Tag,
    UserCreationReq,
    UserProfile,
    WebhookPolicy,
    WebhookTargetObject,
)
from pushing import push
from receiving import receiver

URL, PASSWORD = os.environ["ROADSTEAD_URL"], os.environ["ROADSTEAD_PASSWORD"]
OWN = secrets.token_hex(4)
PROJECT, USER, NEW = f"journey-{OWN}", f"zoe-{OWN}", "a brand new password 1A"


async def main() -> None:
    admin = HarborAsyncClient(url=f"{URL}/api/v2.0/", username="admin", secret=PASSWORD)
    assert await admin.ping() == "Pong"
    assert (await admin.health_check()).status == "healthy"
    assert (await admin.get_system_info()).harbor_version
    await _user(admin)
    project = await _project(admin)
    with receiver() as (url, came):
        webhook = await _webhook(admin, url)
        digest = await _robot_pushes(admin)
        await _deliveries(admin, webhook, came)
    await _artifacts(admin, digest)
    await _labels(admin, project)
    await _policies(admin, project)
    await _what_there_is_not(admin)
    await _audit(admin)
    await _configuration(admin)
    await _end(admin)
    print("done")


async def _user(admin: HarborAsyncClient) -> None:
    await admin.create_user(UserCreationReq(username=USER, password=NEW, email=f"{USER}@example.com", realname="Zoe"))
    user = await admin.get_user_by_username(USER)
    assert (user.email, user.realname, user.sysadmin_flag) == (f"{USER}@example.com", "Zoe", False)
    await admin.update_user(user.user_id, UserProfile(email=user.email, realname="Zoë", comment="new"))
    assert (await admin.get_user(user.user_id)).realname == "Zoë"
    await admin.set_user_admin(user.user_id, True)
    await admin.set_user_admin(user.user_id, False)
    zoe = HarborAsyncClient(url=f"{URL}/api/v2.0/", username=USER, secret=NEW)
    assert (await zoe.get_current_user()).username == USER
    assert await zoe.search_users_by_username(USER)
    try:
        await zoe.get_config()
    except Forbidden:
        pass
    else:
        raise AssertionError("anybody may see the configuration")


async def _project(admin: HarborAsyncClient) -> int:
    location = await admin.create_project(ProjectReq(project_name=PROJECT, metadata=ProjectMetadata(public="false")))
    project = await admin.get_project(PROJECT)
    assert project.project_id is not None and location == f"/api/v2.0/projects/{PROJECT}"  # it asks for the name
    assert await admin.project_exists(PROJECT)
    try:
        await admin.create_project(ProjectReq(project_name=PROJECT))
    except Conflict:
        pass
    else:
        raise AssertionError("a project was created twice")
    assert PROJECT in [one.name for one in await admin.get_projects(query=f"name=~{OWN}")]
    await admin.add_project_member_user(PROJECT, USER, 2)
    members = {one.entity_name: one for one in await admin.get_project_members(PROJECT)}
    await admin.update_project_member_role(PROJECT, members[USER].id, 3)
    assert (await admin.get_project_member(PROJECT, members[USER].id)).role_name == "guest"
    await admin.remove_project_member(PROJECT, members[USER].id)
    await admin.get_project_summary(PROJECT)
    return int(project.project_id)


async def _robot_pushes(admin: HarborAsyncClient) -> str:
    access = [Access(resource="repository", action=action) for action in ("pull", "push")]
    permission = RobotPermission(kind="project", namespace=PROJECT, access=access)
    robot = await admin.create_robot(
        RobotCreate(name="builder", level="project", duration=30, disable=False, permissions=[permission])
    )
    assert robot.name == f"robot${PROJECT}+builder" and robot.secret
    found = await admin.get_robot(robot.id)
    assert found.permissions[0].namespace == PROJECT
    push(URL, robot.name, robot.secret, f"{PROJECT}/cargo/crane", "v1")
    return push(URL, robot.name, robot.secret, f"{PROJECT}/cargo/crane", "v2")


async def _artifacts(admin: HarborAsyncClient, digest: str) -> None:
    (repository,) = await admin.get_repositories(PROJECT)
    assert repository.name == f"{PROJECT}/cargo/crane"
    artifacts = await admin.get_artifacts(PROJECT, "cargo/crane")
    assert digest in [one.digest for one in artifacts] and len(artifacts) == 2, artifacts
    found = await admin.get_artifact(PROJECT, "cargo/crane", "v2")
    assert found.digest == digest and [tag.name for tag in found.tags] == ["v2"]
    await admin.create_artifact_tag(PROJECT, "cargo/crane", "v2", Tag(name="latest"))
    tags = {tag.name for tag in await admin.get_artifact_tags(PROJECT, "cargo/crane", "v2")}
    assert tags == {"v2", "latest"}
    await admin.delete_artifact_tag(PROJECT, "cargo/crane", "v2", "latest")
    for _ in range(60):  # the indexer follows the push
        with contextlib.suppress(NotFound):
            history = await admin.get_artifact_build_history(PROJECT, "cargo/crane", "v2")
            break
        await asyncio.sleep(1)
    assert history[0].created_by == "COPY v2 /"
    assert (await admin.search(OWN)).repository


async def _labels(admin: HarborAsyncClient, project: int) -> None:
    location = await admin.create_label(Label(name="stable", color="#48960C", scope="p", project_id=project))
    label = await admin.get_label(int(location.rpartition("/")[2]))
    assert label.name == "stable"
    await admin.add_artifact_label(PROJECT, "cargo/crane", "v2", label)
    found = await admin.get_artifact(PROJECT, "cargo/crane", "v2", with_label=True)
    assert [one.name for one in found.labels] == ["stable"]
    await admin.delete_artifact_label(PROJECT, "cargo/crane", "v2", label.id)
    await admin.delete_label(label.id)


async def _webhook(admin: HarborAsyncClient, url: str) -> int:
    """Before the first push: a process looks for new webhooks of a project that it knows once a minute."""
    events = [str(one.root) for one in (await admin.get_webhook_supported_events(PROJECT)).event_type]
    assert "PUSH_ARTIFACT" in events
    target = WebhookTargetObject(type="http", address=url, auth_header="Bearer x")
    policy = WebhookPolicy(name="ci", targets=[target], event_types=["PUSH_ARTIFACT"], enabled=True)
    location = await admin.create_webhook_policy(PROJECT, policy)
    number = int(location.rpartition("/")[2])
    found = await admin.get_webhook_policy(PROJECT, number)
    assert found.targets[0].auth_header == "Bearer x" and found.event_types == ["PUSH_ARTIFACT"]
    return number


async def _deliveries(admin: HarborAsyncClient, number: int, came: list[dict[str, str]]) -> None:
    for _ in range(60):
        jobs = await admin.get_webhook_jobs(PROJECT, number)
        if len(jobs) == 2 and all(job.status == "Success" for job in jobs):
            break
        await asyncio.sleep(1)
    assert [job.status for job in jobs] == ["Success", "Success"], jobs
    assert {one.get("authorization") for one in came} == {"Bearer x"}, came
    last = {one.event_type: one for one in await admin.get_webhook_policy_last_trigger(PROJECT)}
    assert last["PUSH_ARTIFACT"].last_trigger_time.year > 1
    found = await admin.get_webhook_policy(PROJECT, number)
    found.enabled = False
    await admin.update_webhook_policy(PROJECT, number, found)
    assert (await admin.get_webhook_policy(PROJECT, number)).enabled is False
    await admin.delete_webhook_policy(PROJECT, number)
    assert await admin.get_webhook_policies(PROJECT) == []


async def _policies(admin: HarborAsyncClient, project: int) -> None:
    """Retention, immutability and a quota."""
    selector = {"kind": "doublestar", "decoration": "matches", "pattern": "keep-*"}
    scope = {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}
    rule = {"action": "retain", "template": "latestPushedK", "params": {"latestPushedK": 10}}
    policy = RetentionPolicy.model_validate(
        {
            "algorithm": "or",
            "scope": {"level": "project", "ref": project},
            "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
            "rules": [{**rule, "tag_selectors": [{**selector, "pattern": "**"}], "scope_selectors": scope}],
        }
    )
    location = await admin.create_retention_policy(policy)
    number = int(location.rpartition("/")[2])
    assert (await admin.get_retention_policy(number)).rules[0].template == "latestPushedK"
    assert int(await admin.get_project_retention_id(PROJECT)) == number
    immutable = {"disabled": False, "action": "immutable", "template": "immutable_template"}
    await admin.create_project_immutable_tag_rule(
        PROJECT, ImmutableRule.model_validate({**immutable, "tag_selectors": [selector], "scope_selectors": scope})
    )
    (kept,) = await admin.get_project_immutable_tag_rules(PROJECT)
    await admin.create_artifact_tag(PROJECT, "cargo/crane", "v2", Tag(name="keep-1"))
    try:
        await admin.delete_artifact_tag(PROJECT, "cargo/crane", "v2", "keep-1")
    except PreconditionFailed:
        pass
    else:
        raise AssertionError("an immutable tag was deleted")
    await admin.delete_project_immutable_tag_rule(PROJECT, kept.id)
    await admin.delete_artifact_tag(PROJECT, "cargo/crane", "v2", "keep-1")
    await admin.update_quota(project, QuotaUpdateReq(hard={"storage": 1024 * 1024 * 1024}))
    assert (await admin.get_quota(project)).hard.root["storage"] == 1024 * 1024 * 1024


async def _what_there_is_not(admin: HarborAsyncClient) -> None:
    for empty in (
        admin.get_registries(),
        admin.get_registry_adapters(),
        admin.get_replication_policies(),
        admin.get_replications(),
        admin.get_scanners(),
        admin.get_project_scanner_candidates(PROJECT),
        admin.get_purge_job_history(),
    ):
        assert await empty == []
    await admin.get_scan_all_schedule()
    await admin.get_purge_job_schedule()
    await admin.get_cve_allowlist()
    await admin.get_project_scanner(PROJECT)


async def _audit(admin: HarborAsyncClient) -> None:
    for _ in range(60):  # the webhook function follows the stream
        logs = await admin.get_project_logs(PROJECT)
        if any(one.operation == "create" and one.resource_type == "artifact" for one in logs):
            break
        await asyncio.sleep(1)
    assert {"artifact", "project", "robot"} <= {one.resource_type for one in logs}, logs
    assert await admin.get_audit_logs(query=f"username=robot${PROJECT}+builder")


async def _configuration(admin: HarborAsyncClient) -> None:
    await admin.update_config(Configurations(robot_token_duration=31))
    assert (await admin.get_config()).robot_token_duration.value == 31
    await admin.update_config(Configurations(robot_token_duration=30))


async def _end(admin: HarborAsyncClient) -> None:
    await admin.delete_artifact(PROJECT, "cargo/crane", "v1")
    try:
        await admin.get_artifact(PROJECT, "cargo/crane", "v1")
    except NotFound:
        pass
    else:
        raise AssertionError("a deleted artifact is found")
    user = await admin.get_user_by_username(USER)
    await admin.delete_user(user.user_id)
    for robot in await admin.get_robots(
        query=f"Level=project,ProjectID={(await admin.get_project(PROJECT)).project_id}"
    ):
        await admin.delete_robot(robot.id)
    await admin.delete_repository(PROJECT, "cargo/crane")
    await admin.delete_project(PROJECT)
    assert not await admin.project_exists(PROJECT)


asyncio.run(main())
