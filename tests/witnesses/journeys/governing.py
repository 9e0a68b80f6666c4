"""A project's life by `harborapi`, around a push that docker makes: `governing.py before|after PROJECT USER ANSWERS`.

`before` makes the project, a member and a robot, and prints the robot as JSON. `after` governs what the robot has
pushed, and deletes everything. Each response becomes a line of the file ANSWERS.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from harborapi import HarborAsyncClient
from harborapi.exceptions import PreconditionFailed
from harborapi.models import (
    Access,
    ImmutableRule,
    Label,
    ProjectMetadata,
    ProjectReq,
    QuotaUpdateReq,
    RetentionPolicy,
    RobotCreate,
    RobotPermission,
    Tag,
    WebhookPolicy,
    WebhookTargetObject,
)

REPOSITORY = "cargo/crane"
SELECTOR = {"kind": "doublestar", "decoration": "matches", "pattern": "keep-*"}
SCOPE = {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}


def client(answers: Path) -> HarborAsyncClient:
    """An administrator's client, whose responses are written down."""
    url, password = os.environ["ROADSTEAD_URL"], os.environ["ROADSTEAD_PASSWORD"]
    made = HarborAsyncClient(url=f"{url}/api/v2.0/", username=os.environ["ROADSTEAD_USER"], secret=password)

    async def keep(response: Any) -> None:
        await response.aread()
        asked = response.request
        line = {
            "method": asked.method,
            "path": asked.url.raw_path.decode().partition("?")[0],
            "status": response.status_code,
            "body": response.text,
        }
        with answers.open("a") as file:
            file.write(json.dumps(line) + "\n")

    made.client.event_hooks["response"].append(keep)
    return made


async def before(admin: HarborAsyncClient, project: str, user: str) -> None:
    await admin.create_project(ProjectReq(project_name=project, metadata=ProjectMetadata(public="false")))
    await admin.add_project_member_user(project, user, 3)
    members = {one.entity_name: one.role_name for one in await admin.get_project_members(project)}
    assert members[user] == "guest"
    access = [Access(resource="repository", action=action) for action in ("pull", "push")]
    permission = RobotPermission(kind="project", namespace=project, access=access)
    robot = await admin.create_robot(
        RobotCreate(name="builder", level="project", duration=30, disable=False, permissions=[permission])
    )
    print(json.dumps({"name": robot.name, "secret": robot.secret}))


async def after(admin: HarborAsyncClient, project: str, user: str) -> None:
    number = int((await admin.get_project(project)).project_id)
    (artifact,) = await admin.get_artifacts(project, REPOSITORY)
    assert [tag.name for tag in artifact.tags] == ["v1"]
    await _label(admin, project, number)
    await _policies(admin, project, number)
    await _webhook(admin, project)
    await _audit(admin, project)
    await _end(admin, project, user)
    print("done")


async def _label(admin: HarborAsyncClient, project: str, number: int) -> None:
    location = await admin.create_label(Label(name="stable", color="#48960C", scope="p", project_id=number))
    label = await admin.get_label(int(location.rpartition("/")[2]))
    await admin.add_artifact_label(project, REPOSITORY, "v1", label)
    found = await admin.get_artifact(project, REPOSITORY, "v1", with_label=True)
    assert [one.name for one in found.labels] == ["stable"]


async def _policies(admin: HarborAsyncClient, project: str, number: int) -> None:
    """Retention, immutability and a quota."""
    rule = {"action": "retain", "template": "latestPushedK", "params": {"latestPushedK": 10}}
    policy = {
        "algorithm": "or",
        "scope": {"level": "project", "ref": number},
        "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
        "rules": [{**rule, "tag_selectors": [{**SELECTOR, "pattern": "**"}], "scope_selectors": SCOPE}],
    }
    location = await admin.create_retention_policy(RetentionPolicy.model_validate(policy))
    found = await admin.get_retention_policy(int(location.rpartition("/")[2]))
    assert found.rules[0].params == rule["params"]
    immutable = {"disabled": False, "action": "immutable", "template": "immutable_template"}
    await admin.create_project_immutable_tag_rule(
        project, ImmutableRule.model_validate({**immutable, "tag_selectors": [SELECTOR], "scope_selectors": SCOPE})
    )
    await admin.create_artifact_tag(project, REPOSITORY, "v1", Tag(name="keep-1"))
    with contextlib.suppress(PreconditionFailed):
        await admin.delete_artifact_tag(project, REPOSITORY, "v1", "keep-1")
        raise AssertionError("an immutable tag was deleted")
    await admin.update_quota(number, QuotaUpdateReq(hard={"storage": 1 << 30}))
    assert (await admin.get_quota(number)).hard.root["storage"] == 1 << 30


async def _webhook(admin: HarborAsyncClient, project: str) -> None:
    target = WebhookTargetObject(type="http", address="http://127.0.0.1:9/hook", auth_header="Bearer x")
    await admin.create_webhook_policy(
        project, WebhookPolicy(name="ci", targets=[target], event_types=["PUSH_ARTIFACT"], enabled=True)
    )
    (webhook,) = await admin.get_webhook_policies(project)
    assert webhook.targets[0].auth_header == "Bearer x"


async def _audit(admin: HarborAsyncClient, project: str) -> None:
    wanted = {"artifact", "project", "member", "robot"}
    for _ in range(60):  # the webhook function follows the stream
        logs = await admin.get_project_logs(project, page_size=100)
        if wanted <= {one.resource_type for one in logs}:
            break
        await asyncio.sleep(1)
    assert wanted <= {one.resource_type for one in logs}, logs
    (pushed,) = [one for one in logs if (one.resource_type, one.operation) == ("artifact", "create")]
    assert pushed.username == f"robot${project}+builder"


async def _end(admin: HarborAsyncClient, project: str, user: str) -> None:
    (rule,) = await admin.get_project_immutable_tag_rules(project)
    await admin.delete_project_immutable_tag_rule(project, rule.id)
    members = {one.entity_name: one.id for one in await admin.get_project_members(project)}
    await admin.remove_project_member(project, members[user])
    await admin.delete_repository(project, REPOSITORY)
    await admin.delete_project(project)
    assert not await admin.project_exists(project)


if __name__ == "__main__":
    stage, *names, path = sys.argv[1:]
    asyncio.run({"before": before, "after": after}[stage](client(Path(path)), *names))
