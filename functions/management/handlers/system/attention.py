"""What needs somebody's attention: quotas that run out, robots and tokens that expire, webhooks and runs that fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from functions.management.authorization import identity_of
from functions.management.call import Call
from functions.management.harbor.shapes import timestamp
from functions.management.route import OWN, SignedIn, route
from roadstead.http import Response
from roadstead.identity.directory import Identity
from roadstead.identity.lists import VisibleProject
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.identity.rights import permissions_in
from roadstead.identity.robots.robots import DAY, NEVER, Robot
from roadstead.identity.sign_in.token_accounts import TokenAccounts
from roadstead.lifecycle.collector.execution import KIND, Every
from roadstead.lifecycle.executions.executions import Status
from roadstead.lifecycle.policy.quotas import WARN_AT
from roadstead.names import ProjectName
from roadstead.notifications.webhook_fields import NotificationRefused

MAX_PROJECTS = 40  # that one answer looks at
MAX_WEBHOOKS = 50
SOON = 14 * DAY  # seconds before an expiry, and after it, that it is said
FAILED_WITHIN = 7 * DAY  # seconds for which a failed delivery is said
LATE = 3_600  # seconds after which a collection that is due has not begun
_QUOTA = Permission(Resource.QUOTA, Action.READ)
_ROBOTS = Permission(Resource.ROBOT, Action.LIST)
_WEBHOOKS = Permission(Resource.WEBHOOK, Action.LIST)
_COLLECTIONS = Permission(Resource.GARBAGE_COLLECTION, Action.LIST)


@dataclass(frozen=True, slots=True)
class _Warning:
    """`kind` is `quota`, `robot`, `token`, `webhook`, `collection-late`, `collection-off` or `collection-failed`.

    `at` in seconds: when something expires or expired, failed, or should have begun.
    """

    kind: str
    name: str = ""
    project: str | None = None
    at: int | None = None
    detail: str = ""
    used: int | None = None
    limit: int | None = None

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "at": timestamp(self.at) if self.at is not None else None}


def list_warnings(call: Call) -> Response:
    """List what needs the caller's attention, as far as their rights go, in up to MAX_PROJECTS projects.

    Their own projects come first. Costs the list of projects, the caller's memberships and a read of rights; a read of
    quotas; for each project whose robots or webhooks the caller may list a Query for these, and two reads for each of
    up to MAX_WEBHOOKS webhooks; one Query for tokens; for collections two reads.
    """
    projects = sorted(call.visible_projects(), key=lambda one: one.role is None)
    looked_at = projects[:MAX_PROJECTS]
    identity = identity_of(call.services, call.caller, [one.project.name for one in looked_at])
    found = [
        *_collections(call),
        *_quotas(call, looked_at, identity),
        *_webhooks(call, looked_at, identity),
        *_robots(call, looked_at, identity),
        *_tokens(call),
    ]
    return Response.json(
        200,
        {
            "warnings": [one.document() for one in found],
            "projects": {"looked_at": len(looked_at), "all": len(projects)},
        },
    )


def _may(
    projects: Sequence[VisibleProject], identity: Identity, permission: Permission
) -> Iterator[tuple[ProjectName, int]]:
    for one in projects:
        if permission in permissions_in(one.project.name, identity):
            yield one.project.name, one.project.id


def _quotas(call: Call, projects: Sequence[VisibleProject], identity: Identity) -> Iterator[_Warning]:
    names = [name for name, _ in _may(projects, identity, _QUOTA)]
    for name, (policy, used) in call.services.policies.find_many(names).items():
        limit = policy.quota.storage
        if limit > 0 and used * 100 >= limit * WARN_AT:
            yield _Warning("quota", project=name, used=used, limit=limit)


def _robots(call: Call, projects: Sequence[VisibleProject], identity: Identity) -> Iterator[_Warning]:
    directory, now = call.services.directory, call.services.clock()
    prefix = call.services.configuration.read().text("robot_name_prefix")
    listed: list[tuple[ProjectName | None, Robot]] = []
    if call.caller.is_admin or _ROBOTS in call.caller.system_permissions:
        listed += [(None, robot) for robot in directory.list_robots(None)]
    for name, id_ in _may(projects, identity, _ROBOTS):
        listed += [(name, robot) for robot in directory.list_robots(name) if robot.is_of(name, id_)]
    for project, robot in listed:
        if not robot.disabled and _is_near(robot.expires, now):
            yield _Warning("robot", robot.name.full(prefix), project, robot.expires)


def _tokens(call: Call) -> Iterator[_Warning]:
    """One's own access tokens; expired ones are gone."""
    user = call.caller.user
    if user is None or call.caller.access_token is not None:
        return
    accounts = TokenAccounts(call.services.directory, actor=call.actor, clock=call.services.clock)
    for token in accounts.tokens(user):
        if _is_near(token.expires, call.services.clock()):
            yield _Warning("token", token.name, at=token.expires)


def _is_near(expires: int, now: float) -> bool:
    return expires != NEVER and abs(expires - now) < SOON


def _webhooks(call: Call, projects: Sequence[VisibleProject], identity: Identity) -> Iterator[_Warning]:
    notifications = call.services.notifications(call.actor, call.request.host)
    left, since = MAX_WEBHOOKS, call.services.clock() - FAILED_WITHIN
    for name, _ in _may(projects, identity, _WEBHOOKS):
        try:
            webhooks = [one for one in notifications.list(name) if one.enabled][:left]
            left -= len(webhooks)
            for webhook in webhooks:
                last = notifications.last_delivery(name, webhook.id)
                if last is not None and not last.delivered and last.at >= since:
                    yield _Warning("webhook", webhook.name, name, last.at, last.detail)
        except NotificationRefused:
            continue  # the project, or a webhook, was deleted meanwhile


def _collections(call: Call) -> Iterator[_Warning]:
    if not (call.caller.is_admin or _COLLECTIONS in call.caller.system_permissions):
        return
    schedule = call.services.collections.schedule()
    if schedule.every is Every.NEVER:
        yield _Warning("collection-off")
    elif schedule.next is not None and schedule.next < (call.services.clock() - LATE) * 1000:
        yield _Warning("collection-late", at=schedule.next // 1000)
    for last in call.services.executions.list_newest(KIND, "", limit=1):
        if last.status is Status.ERROR:
            yield _Warning("collection-failed", str(last.id), at=last.ended // 1000, detail=last.message)


ROUTES = (route("listWarnings", "GET", f"{OWN}/warnings", SignedIn(), list_warnings),)
