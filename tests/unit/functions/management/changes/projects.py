"""Changes of projects and their webhooks."""

from __future__ import annotations

from roadstead.trail.entries import Operation
from tests.unit.functions.management.changes.made import (
    HARBOR,
    OWN,
    Change,
    at,
    immutable_rule,
    member,
    numbers,
    project,
    row,
    simple,
    user,
    webhook,
    webhook_document,
)
from tests.unit.functions.management.cloud import Place

simple(
    "createProject", "POST", lambda _: f"{HARBOR}/projects",
    lambda _: {"project_name": f"p{next(numbers)}", "metadata": {"public": "false"}, "storage_limit": 1 << 30},
    Operation.CREATE_PROJECT, Operation.SET_MEMBER, Operation.CHANGE_QUOTA,
)  # fmt: skip
simple(
    "updateProject", "PUT", at(f"{HARBOR}/projects/{{0}}", project), {"metadata": {"public": "true"}},
    Operation.CHANGE_PROJECT,
)  # fmt: skip
simple("deleteProject", "DELETE", at(f"{HARBOR}/projects/{{1}}", project), None, Operation.DELETE_PROJECT)
simple(
    "addProjectMetadatas", "POST", at(f"{HARBOR}/projects/{{0}}/metadatas", project), {"auto_scan": "true"},
    Operation.CHANGE_PROJECT,
)  # fmt: skip
simple(
    "updateProjectMetadata", "PUT", at(f"{HARBOR}/projects/{{0}}/metadatas/public", project), {"public": "true"},
    Operation.CHANGE_PROJECT,
)  # fmt: skip


@row("deleteProjectMetadata")
def _(place: Place) -> Change:
    name, _ = project(place)
    place.made("POST", f"{HARBOR}/projects/{name}/metadatas", {"auto_scan": "true"})
    return Change("DELETE", f"{HARBOR}/projects/{name}/metadatas/auto_scan", told=(Operation.CHANGE_PROJECT,))


simple(
    "createProjectMember", "POST", at(f"{HARBOR}/projects/{{0}}/members", project),
    lambda place: {"role_id": 2, "member_user": {"username": user(place)[0]}}, Operation.SET_MEMBER,
)  # fmt: skip
simple("updateProjectMember", "PUT", at(f"{HARBOR}/{{0}}", member), {"role_id": 3}, Operation.SET_MEMBER)
simple("deleteProjectMember", "DELETE", at(f"{HARBOR}/{{0}}", member), None, Operation.REMOVE_MEMBER)
simple(
    "createLimitedMember", "POST", at(f"{OWN}/projects/{{0}}/members", project),
    lambda place: {"role_id": 2, "member_user": {"username": user(place)[0]}, "repositories": ["team/**"]},
    Operation.SET_MEMBER,
)  # fmt: skip
simple(
    "updateLimitedMember", "PUT", at(f"{OWN}/{{0}}", member), {"role_id": 3, "repositories": ["team/**"]},
    Operation.SET_MEMBER,
)  # fmt: skip
simple(
    "updateQuota", "PUT", at(f"{HARBOR}/quotas/{{1}}", project), {"hard": {"storage": 1 << 31}}, Operation.CHANGE_QUOTA
)
simple(
    "updateProjectQuota", "PUT", at(f"{OWN}/projects/{{0}}/quota", project), {"artifacts": 100, "hard": True},
    Operation.CHANGE_QUOTA,
)  # fmt: skip
simple("setTrashGrace", "PUT", at(f"{OWN}/projects/{{0}}/trash-grace", project), {"seconds": 0}, Operation.CHANGE_TRASH)
simple(
    "CreateImmuRule", "POST", at(f"{HARBOR}/projects/{{0}}/immutabletagrules", project), immutable_rule(),
    Operation.CREATE_IMMUTABLE_RULE,
)  # fmt: skip


@row("UpdateImmuRule")
def _(place: Place) -> Change:
    name, _ = project(place)
    _, number = place.made("POST", f"{HARBOR}/projects/{name}/immutabletagrules", immutable_rule())
    target, sent = f"{HARBOR}/projects/{name}/immutabletagrules/{number}", immutable_rule(id=int(number), disabled=True)
    return Change("PUT", target, sent, (Operation.CHANGE_IMMUTABLE_RULE,))


@row("DeleteImmuRule")
def _(place: Place) -> Change:
    name, _ = project(place)
    _, number = place.made("POST", f"{HARBOR}/projects/{name}/immutabletagrules", immutable_rule())
    target = f"{HARBOR}/projects/{name}/immutabletagrules/{number}"
    return Change("DELETE", target, told=(Operation.REMOVE_IMMUTABLE_RULE,))


simple(
    "CreateWebhookPolicyOfProject", "POST", at(f"{HARBOR}/projects/{{0}}/webhook/policies", project),
    lambda _: webhook_document(), Operation.CREATE_WEBHOOK,
)  # fmt: skip
simple(
    "UpdateWebhookPolicyOfProject", "PUT", at(f"{HARBOR}/projects/{{0}}/webhook/policies/{{1}}", webhook),
    lambda _: webhook_document(description="new"), Operation.CHANGE_WEBHOOK,
)  # fmt: skip
simple(
    "DeleteWebhookPolicyOfProject", "DELETE", at(f"{HARBOR}/projects/{{0}}/webhook/policies/{{1}}", webhook), None,
    Operation.REMOVE_WEBHOOK,
)  # fmt: skip
simple(
    "sendWebhookTest", "POST", at(f"{OWN}/projects/{{0}}/webhook/policies/{{1}}/test", webhook), None,
    Operation.SEND_WEBHOOK, unpaired=True,
)  # fmt: skip


@row("sendWebhookDeliveryAgain")
def _(place: Place) -> Change:
    name, number = webhook(place)
    execution = place.deliver(name, number)
    target = f"{OWN}/projects/{name}/webhook/policies/{number}/executions/{execution}/redeliver"
    return Change("POST", target, told=(Operation.SEND_WEBHOOK,), unpaired=True)
