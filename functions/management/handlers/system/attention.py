"""What needs somebody's attention: quotas that run out, robots and tokens that expire, webhooks and runs that fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from functions.management.authorization import identity_of
from functions.management.call import Call
from functions.management.harbor.shapes import timestamp
from functions.management.route import OWN, SignedIn, route
from roadstead.http import Response
from roadstead.identity.lists import VisibleProject
from roadstead.identity.permissions import Action, Permission, Resource
from roadstead.identity.rights import permissions_in
from roadstead.identity.robots.robots import DAY, KEPT_EXPIRED, NEVER
from roadstead.identity.sign_in.token_accounts import TokenAccounts
from roadstead.lifecycle.collector.execution import KIND, Every
from roadstead.lifecycle.executions.executions import Status
from roadstead.lifecycle.policy.document import Policy
from roadstead.lifecycle.policy.quotas import WARN_AT
from roadstead.names import ProjectName

MAX_PROJECTS = 200  # whose quotas one answer looks at
MAX_EXPIRING = 500  # robots that one answer looks at
MAX_WEBHOOKS = 100  # that one answer has
READ_AT_ONCE = 50  # projects whose rights one read brings
SOON = KEPT_EXPIRED  # seconds before an expiry, and after it, that it is said
FAILED_WITHIN = 7 * DAY  # seconds for which a failed delivery is said
LATE = 3_600  # seconds after which a collection that is due has not begun
_QUOTA = Permission(Resource.QUOTA, Action.READ)
_ROBOTS = Permission(Resource.ROBOT, Action.LIST)
_WEBHOOKS = Permission(Resource.WEBHOOK, Action.LIST)
_COLLECTIONS = Permission(Resource.GARBAGE_COLLECTION, Action.LIST)

Governed = Mapping[ProjectName, tuple[Policy, int]]  # a project's policy, and the bytes that it uses


@dataclass(frozen=True, slots=True)
class _Warning:
    """`kind` is `quota`, `robot`, `token`, `webhook`, `collection-late`, `collection-off` or `collection-failed`.

    `at` in seconds: when something expires or expired, failed, or should have begun.
    """

    kind: str
    name: str = ""
    project: ProjectName | None = None
    at: int | None = None
    detail: str = ""
    used: int | None = None
    limit: int | None = None

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "at": timestamp(self.at) if self.at is not None else None}


def list_warnings(call: Call) -> Response:
    """List what needs the caller's attention, as far as their rights go.

    Costs the list of projects, the caller's roles, a read of quotas for each 50 projects, and `warnings`.
    """
    projects = call.visible_projects(roles=False)
    return Response.json(200, warnings(call, projects, governed(call, projects)))


def looked_at(projects: Sequence[VisibleProject]) -> list[VisibleProject]:
    """Return the first MAX_PROJECTS projects, those first in which the caller has a role."""
    return sorted(projects, key=lambda one: one.role is None)[:MAX_PROJECTS]


def governed(call: Call, projects: Sequence[VisibleProject]) -> Governed:
    """Return policies and usage of the projects that are looked at. Costs one read for each 50."""
    names = [one.project.name for one in looked_at(projects)]
    return call.services.policies.find_many(names) if names else {}


def warnings(call: Call, projects: Sequence[VisibleProject], governed: Governed) -> dict[str, Any]:
    """Return the document of what needs the caller's attention.

    Costs a Query for robots that expire, and a read for each 100 of them; a Query for deliveries that failed, and a
    read if any did; a Query for the caller's tokens; two reads for collections. If any of this is about projects, a
    read of rights for each 50 of these, but none for a system administrator.
    """
    visible = {one.project.name: one.project.id for one in projects}
    quotas = {one.project: one for one in _quotas(governed) if one.project in visible}
    robots, more = _robots(call, visible)
    failed = call.services.notifications(call.actor, call.request.host)
    since = int(call.services.clock() - FAILED_WITHIN)
    failing = failed.failing(since, within=visible.__contains__)
    rights = _Rights(call, [*quotas, *(one.project for one in robots), *(one.project for one, _ in failing)])
    webhooks = [
        _Warning("webhook", webhook.name, webhook.project, last.at, last.detail)
        for webhook, last in failing
        if rights.allow(_WEBHOOKS, webhook.project)
    ]
    found = [
        *_collections(call),
        *(one for name, one in quotas.items() if rights.allow(_QUOTA, name)),
        *webhooks[:MAX_WEBHOOKS],
        *(one for one in robots if rights.allow(_ROBOTS, one.project)),
        *_tokens(call),
    ]
    return {
        "warnings": [one.document() for one in found],
        "more": more or len(webhooks) > MAX_WEBHOOKS,
        "projects": {"looked_at": len(looked_at(projects)), "all": len(projects)},
    }


class _Rights:
    """What the caller may do in some projects, and (None) in the system."""

    def __init__(self, call: Call, projects: Iterable[ProjectName | None]) -> None:
        self._system = call.caller.system_permissions
        self._everything = call.caller.is_admin and call.caller.access_token is None
        self._of: dict[ProjectName, frozenset[Permission]] = {}
        self._is_admin = call.caller.is_admin
        names = [] if self._everything else sorted({name for name in projects if name is not None})
        for start in range(0, len(names), READ_AT_ONCE):
            some = names[start : start + READ_AT_ONCE]
            identity = identity_of(call.services, call.caller, some)
            self._of |= {name: permissions_in(name, identity) for name in some}

    def allow(self, permission: Permission, project: ProjectName | None) -> bool:
        if project is None:
            return self._is_admin or permission in self._system
        return self._everything or permission in self._of[project]


def _quotas(governed: Governed) -> Iterator[_Warning]:
    for name, (policy, used) in governed.items():
        limit = policy.quota.storage
        if limit > 0 and used * 100 >= limit * WARN_AT:
            yield _Warning("quota", project=name, used=used, limit=limit)


def _robots(call: Call, visible: Mapping[ProjectName, int]) -> tuple[list[_Warning], bool]:
    """Return the robots that expire, and whether there may be more: of the system, and of projects that stand."""
    now = int(call.services.clock())
    expiring, more = call.services.directory.expiring(now - SOON + 1, now + SOON - 1, MAX_EXPIRING)
    prefix = call.services.configuration.read().text("robot_name_prefix") if expiring else ""
    found = [
        _Warning("robot", robot.name.full(prefix), project, robot.expires)
        for robot in expiring
        if (project := robot.name.project) is None or (project in visible and robot.is_of(project, visible[project]))
    ]
    found.sort(key=lambda one: (one.project or "", one.name))
    return found, more


def _tokens(call: Call) -> Iterator[_Warning]:
    """One's own access tokens; expired ones are gone."""
    user = call.caller.user
    if user is None or not call.caller.is_person:
        return
    accounts = TokenAccounts(call.services.directory, actor=call.actor, clock=call.services.clock)
    for token in accounts.tokens(user):
        if token.expires != NEVER and abs(token.expires - call.services.clock()) < SOON:
            yield _Warning("token", token.name, at=token.expires)


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
