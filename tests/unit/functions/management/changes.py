"""One successful call of every route that changes something, on the function as Lambda runs it.

Each row prepares what its call needs, in a project of its own, and returns the call. A route without a row fails
`test_changes.py`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from functions.management.authentication import SECURE_PREFIX
from roadstead.aws.identity.dynamodb_states import DynamoStates
from roadstead.identity.people import OIDC, Person
from roadstead.identity.providers.sign_ins import Newcomer
from roadstead.trail.entries import Operation
from tests.unit.functions.management.client import PASSWORD
from tests.unit.functions.management.cloud import ADMIN, Place, path_to

HARBOR, OWN = "/api/v2.0", "/api/roadstead/v1"
ISSUER = "https://login.example.com"
MARK = "Hush0-"  # every secret that is sent begins with it
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Change:
    """A call that succeeds, and the operations of the events that it leaves, whose actor is `by`."""

    method: str
    target: str
    document: Any = None
    told: tuple[Operation, ...] = ()
    by: str = ADMIN
    actor: str = ""  # if it is not who asks
    password: str = PASSWORD
    headers: Mapping[str, str] | None = None
    status: int | None = None  # or any that begins with 2
    logged: str = ""  # what a line of the log says of it, where there is no event
    unpaired: bool = False  # the event is the only item of its transaction


Row = Callable[[Place], Change]
ROWS: dict[str, Row] = {}


def row(operation: str) -> Callable[[Row], Row]:
    def add(made: Row) -> Row:
        assert operation not in ROWS, operation
        ROWS[operation] = made
        return made

    return add


def secret(what: str = "") -> str:
    """A new secret that keeps Harbor's rule for passwords."""
    return f"{MARK}{what}{next(_numbers)}-abcDEF"


def user(place: Place) -> tuple[str, int]:
    name = f"u{next(_numbers)}"
    return name, int(place.accounts.create_user(name, PASSWORD).id)


def project(place: Place) -> tuple[str, int]:
    name = f"p{next(_numbers)}"
    _, number = place.made("POST", f"{HARBOR}/projects", {"project_name": name})
    return name, int(number)


def image(place: Place, *tags: str) -> tuple[str, str, str]:
    """A project, a repository in it with slashes, and the digest of an image there."""
    name, _ = project(place)
    return name, "cargo/crane", place.push(f"{name}/cargo/crane", *(tags or ("v1",)))


def group(place: Place) -> str:
    return place.made("POST", f"{HARBOR}/usergroups", {"group_name": f"g{next(_numbers)}", "group_type": 2})[1]


def robot_document(name: str, namespace: str, **more: Any) -> dict[str, Any]:
    access = [{"resource": "repository", "action": action} for action in ("pull", "push")]
    permission = {"kind": "project", "namespace": namespace, "access": access}
    return {"name": name, "level": "project", "duration": 30, "permissions": [permission], **more}


def robot(place: Place) -> tuple[dict[str, Any], str]:
    """What was sent to make a robot, with its full name, and its id."""
    name, _ = project(place)
    document = robot_document("builder", name, secret=secret())
    made, number = place.made("POST", f"{HARBOR}/robots", document)
    return {**document, "name": made["name"], "id": int(number)}, number


def member(place: Place) -> tuple[str, str]:
    (name, _), (who, _) = project(place), user(place)
    made = place.made("POST", f"{HARBOR}/projects/{name}/members", {"role_id": 2, "member_user": {"username": who}})
    return f"projects/{name}/members/{made[1]}", who


def label(place: Place) -> str:
    return place.made("POST", f"{HARBOR}/labels", {"name": f"l{next(_numbers)}", "scope": "g"})[1]


def token(place: Place) -> tuple[str, int, str]:
    """A user, their id, and the id of an access token of theirs."""
    who, number = user(place)
    new = {"name": "ci", "access": "write", "duration": 1}
    return who, number, place.made("POST", f"{OWN}/users/current/tokens", new, by=who)[1]


def session(place: Place, who: str) -> dict[str, str]:
    """The headers of somebody who has signed in."""
    status, _, headers = place.ask("POST", f"{OWN}/session", {"name": who, "password": PASSWORD}, by="")
    assert status == 201
    cookie = headers["set-cookie"].partition(";")[0]
    return {"Cookie": cookie, "X-Harbor-CSRF-Token": headers["x-harbor-csrf-token"]}


def webhook_document(**more: Any) -> dict[str, Any]:
    target = {"type": "http", "address": "http://127.0.0.1:9/hook", "auth_header": f"Bearer {secret()}"}
    return {"name": "ci", "targets": [target], "event_types": ["PUSH_ARTIFACT"], "enabled": True, **more}


def webhook(place: Place) -> tuple[str, str]:
    """A project, and the id of its webhook."""
    name, _ = project(place)
    return name, place.made("POST", f"{HARBOR}/projects/{name}/webhook/policies", webhook_document())[1]


SELECTORS: dict[str, Any] = {
    "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "keep-*"}],
    "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
}


def immutable_rule(**more: Any) -> dict[str, Any]:
    return {"action": "immutable", "template": "immutable_template", "disabled": False, **SELECTORS, **more}


def retention_document(number: int, count: int = 1) -> dict[str, Any]:
    rule = {"action": "retain", "template": "latestPushedK", "params": {"latestPushedK": count}, **SELECTORS}
    scope = {"level": "project", "ref": number}
    return {
        "algorithm": "or", "scope": scope, "rules": [rule], "trigger": {"kind": "Schedule", "settings": {"cron": ""}},
    }  # fmt: skip


def retention(place: Place) -> tuple[str, int]:
    """A project's id, which is also that of its policy, and its name."""
    name, number = project(place)
    place.made("POST", f"{HARBOR}/retentions", retention_document(number))
    return name, number


def execution(place: Place) -> tuple[int, str]:
    """A policy's id, and the id of a run of it."""
    _, number = retention(place)
    return number, place.made("POST", f"{HARBOR}/retentions/{number}/executions", {"dry_run": True})[1]


def trashed(place: Place) -> tuple[str, str]:
    """A project, and the id of a unit in its trash."""
    name, repository, digest = image(place)
    place.made("DELETE", path_to(name, repository, digest))
    (unit,) = place.made("GET", f"{OWN}/projects/{name}/trash")[0]
    return name, str(unit["id"])


def collection(place: Place) -> str:
    """The id of a run of the collector that goes on."""
    document = {"schedule": {"type": "Manual"}, "parameters": {"dry_run": True}}
    status, _, _ = place.ask("POST", f"{HARBOR}/system/gc/schedule", document)
    assert status in (201, 409)
    (found, *_) = place.made("GET", f"{HARBOR}/system/gc")[0]
    return str(found["id"])


def simple(
    operation: str, method: str, target: Callable[[Place], str], document: Any = None, *told: Operation, **more: Any
) -> None:
    def made(place: Place) -> Change:
        sent = document(place) if callable(document) else document
        return Change(method, target(place), sent, told, **more)

    row(operation)(made)


def at(text: str, make: Callable[[Place], Any]) -> Callable[[Place], str]:
    """A path with what `make` returns in the place of `{}`."""
    return lambda place: text.format(*(made if isinstance(made := make(place), tuple) else (made,)))


# --- users, groups, tokens, sessions

simple(
    "createUser", "POST", lambda _: f"{HARBOR}/users",
    lambda _: {"username": f"n{next(_numbers)}", "password": secret(), "email": "n@example.com", "realname": "N"},
    Operation.CREATE_USER,
)  # fmt: skip
simple(
    "updateUserProfile", "PUT", at(f"{HARBOR}/users/{{1}}", user),
    {"email": "a@example.com", "realname": "A", "comment": "c"}, Operation.CHANGE_USER,
)  # fmt: skip
simple("deleteUser", "DELETE", at(f"{HARBOR}/users/{{1}}", user), None, Operation.REMOVE_USER)
simple(
    "setUserSysAdmin", "PUT", at(f"{HARBOR}/users/{{1}}/sysadmin", user), {"sysadmin_flag": True}, Operation.CHANGE_USER
)
simple("releaseLogin", "POST", at(f"{OWN}/users/{{1}}/release", user), None, Operation.RELEASE_LOGIN)


@row("updateUserPassword")
def _(place: Place) -> Change:
    who, number = user(place)
    sent = {"old_password": PASSWORD, "new_password": secret()}
    return Change("PUT", f"{HARBOR}/users/{number}/password", sent, (Operation.CHANGE_PASSWORD,), by=who)


simple(
    "createUserGroup", "POST", lambda _: f"{HARBOR}/usergroups",
    lambda _: {"group_name": f"g{next(_numbers)}", "group_type": 2}, Operation.CREATE_GROUP,
)  # fmt: skip
simple(
    "updateUserGroup", "PUT", at(f"{HARBOR}/usergroups/{{}}", group), lambda _: {"group_name": f"h{next(_numbers)}"},
    Operation.CHANGE_GROUP,
)  # fmt: skip
simple("deleteUserGroup", "DELETE", at(f"{HARBOR}/usergroups/{{}}", group), None, Operation.DELETE_GROUP)
simple("setGroupAdmin", "PUT", at(f"{OWN}/usergroups/{{}}/admin", group), {"admin": True}, Operation.CHANGE_GROUP)
simple(
    "addGroupMember", "POST", at(f"{OWN}/usergroups/{{}}/members", group), lambda place: {"username": user(place)[0]},
    Operation.ADD_GROUP_MEMBER,
)  # fmt: skip


@row("removeGroupMember")
def _(place: Place) -> Change:
    number, (who, _) = group(place), user(place)
    place.made("POST", f"{OWN}/usergroups/{number}/members", {"username": who})
    target = f"{OWN}/usergroups/{number}/members/{who}"
    return Change("DELETE", target, told=(Operation.REMOVE_GROUP_MEMBER,))


@row("createToken")
def _(place: Place) -> Change:
    who, _ = user(place)
    new = {"name": "ci", "access": "write", "duration": 1}
    return Change("POST", f"{OWN}/users/current/tokens", new, (Operation.CREATE_ACCESS_TOKEN,), by=who)


@row("revokeOwnToken")
def _(place: Place) -> Change:
    who, _, made = token(place)
    return Change("DELETE", f"{OWN}/users/current/tokens/{made}", told=(Operation.DELETE_ACCESS_TOKEN,), by=who)


simple("revokeTokens", "DELETE", at(f"{OWN}/users/{{1}}/tokens", token), None, Operation.DELETE_ACCESS_TOKEN)
simple("revokeToken", "DELETE", at(f"{OWN}/users/{{1}}/tokens/{{2}}", token), None, Operation.DELETE_ACCESS_TOKEN)


@row("beginSession")
def _(place: Place) -> Change:
    """Signing in is no change: the log has it, as it has the sign-ins of the token endpoint."""
    who, password = f"s{next(_numbers)}", secret()
    place.accounts.create_user(who, password)
    return Change("POST", f"{OWN}/session", {"name": who, "password": password}, by="", logged='"operation":"login"')


@row("endSession")
def _(place: Place) -> Change:
    return Change("DELETE", f"{OWN}/session", by="", headers=session(place, user(place)[0]))


@row("endOwnSession")
def _(place: Place) -> Change:
    who, _ = user(place)
    headers = session(place, who)
    session(place, who)
    listed = place.made("GET", f"{OWN}/users/current/sessions", by="", headers=headers)[0]
    other = next(one["id"] for one in listed if not one["current"])
    target, told = f"{OWN}/users/current/sessions/{other}", (Operation.DELETE_SESSION,)
    return Change("DELETE", target, told=told, by="", actor=who, headers=headers)


@row("endOtherSessions")
def _(place: Place) -> Change:
    who, _ = user(place)
    headers = session(place, who)
    session(place, who)
    target, told = f"{OWN}/users/current/sessions", (Operation.DELETE_SESSION,)
    return Change("DELETE", target, told=told, by="", actor=who, headers=headers)


PROVIDER = {"endpoint": "https://corp.example.com", "client_id": "roadstead", "name": "Corp"}


def provider(place: Place) -> str:
    """The id of a further provider."""
    name = f"corp{next(_numbers)}"
    place.made("PUT", f"{OWN}/oidc-providers/{name}", {**PROVIDER, "client_secret": secret()})
    return name


def newcomer(place: Place) -> dict[str, str]:
    """The headers of somebody whom a provider has confirmed, and who has no account yet."""
    place.made("PUT", f"{HARBOR}/configurations", {"oidc_endpoint": ISSUER, "oidc_client_id": "roadstead"})
    kept = secret()
    person = Person(OIDC, f"{ISSUER}\n{next(_numbers)}", "grace", "grace@example.com", "Grace")
    states = DynamoStates(place.identity)
    states.keep_newcomer(kept, Newcomer(person, "/ui/", int(time.time()) + 600))
    return {"Cookie": f"{SECURE_PREFIX}roadstead-newcomer={kept}"}


simple(
    "putOidcProvider", "PUT", lambda _: f"{OWN}/oidc-providers/new{next(_numbers)}",
    lambda _: {**PROVIDER, "client_secret": secret()}, Operation.CHANGE_CONFIGURATION,
)  # fmt: skip
simple("deleteOidcProvider", "DELETE", at(f"{OWN}/oidc-providers/{{}}", provider), None, Operation.CHANGE_CONFIGURATION)


@row("chooseName")
def _(place: Place) -> Change:
    name, headers = f"n{next(_numbers)}", newcomer(place)
    path = f"{OWN}/sign-in/newcomer"
    return Change("POST", path, {"name": name}, (Operation.CREATE_USER,), by="", actor=name, headers=headers)


@row("forgetNewcomer")
def _(place: Place) -> Change:
    return Change("DELETE", f"{OWN}/sign-in/newcomer", by="", headers=newcomer(place))


# --- projects

simple(
    "createProject", "POST", lambda _: f"{HARBOR}/projects",
    lambda _: {"project_name": f"p{next(_numbers)}", "metadata": {"public": "false"}, "storage_limit": 1 << 30},
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


# --- robots

simple(
    "CreateRobot", "POST", lambda _: f"{HARBOR}/robots",
    lambda place: robot_document("builder", project(place)[0], secret=secret()), Operation.CREATE_ROBOT,
)  # fmt: skip


@row("UpdateRobot")
def _(place: Place) -> Change:
    document, number = robot(place)
    sent = {**document, "description": "new", "secret": secret()}
    return Change("PUT", f"{HARBOR}/robots/{number}", sent, (Operation.CHANGE_ROBOT,))


@row("RefreshSec")
def _(place: Place) -> Change:
    sent = {"secret": secret()}
    return Change("PATCH", f"{HARBOR}/robots/{robot(place)[1]}", sent, (Operation.CHANGE_ROBOT_SECRET,))


simple("DeleteRobot", "DELETE", at(f"{HARBOR}/robots/{{1}}", robot), None, Operation.DELETE_ROBOT)
simple(
    "createLimitedRobot", "POST", lambda _: f"{OWN}/robots",
    lambda place: robot_document("builder", project(place)[0], repositories=["team/**"]), Operation.CREATE_ROBOT,
)  # fmt: skip


@row("updateLimitedRobot")
def _(place: Place) -> Change:
    document, number = robot(place)
    sent = {**document, "repositories": ["team/**"]}
    return Change("PUT", f"{OWN}/robots/{number}", sent, (Operation.CHANGE_ROBOT,))


simple(
    "setRobotTrust", "PUT", at(f"{OWN}/robots/{{1}}/trust", robot),
    {"rules": [{"issuer": "https://gitlab.com", "audience": "registry", "claims": {"project_path": "acme/ships"}}]},
    Operation.CHANGE_ROBOT,
)  # fmt: skip

# --- content

simple(
    "CreateLabel", "POST", lambda _: f"{HARBOR}/labels", lambda _: {"name": f"l{next(_numbers)}", "scope": "g"},
    Operation.CREATE_LABEL,
)  # fmt: skip
simple(
    "UpdateLabel", "PUT", at(f"{HARBOR}/labels/{{}}", label), lambda _: {"name": f"m{next(_numbers)}", "scope": "g"},
    Operation.CHANGE_LABEL,
)  # fmt: skip
simple("DeleteLabel", "DELETE", at(f"{HARBOR}/labels/{{}}", label), None, Operation.DELETE_LABEL)


@row("addLabel")
def _(place: Place) -> Change:
    sent = {"id": int(label(place))}
    return Change("POST", path_to(*image(place), "/labels"), sent, (Operation.LABEL,))


@row("removeLabel")
def _(place: Place) -> Change:
    path, number = path_to(*image(place), "/labels"), label(place)
    place.made("POST", path, {"id": int(number)})
    return Change("DELETE", f"{path}/{number}", told=(Operation.UNLABEL,))


@row("CopyArtifact")
def _(place: Place) -> Change:
    """The copied blobs are mounted: each of them is a change of its own, as in the OCI API."""
    source, repository, digest = image(place)
    target, _ = project(place)
    path = f"{path_to(target, 'copied')}/artifacts?from={quote(f'{source}/{repository}@{digest}')}"
    return Change("POST", path, told=(Operation.MOUNT, Operation.MOUNT, Operation.PUSH))


@row("deleteArtifact")
def _(place: Place) -> Change:
    return Change("DELETE", path_to(*image(place)), told=(Operation.DELETE_MANIFEST, Operation.UNTAG))


@row("createTag")
def _(place: Place) -> Change:
    return Change("POST", path_to(*image(place), "/tags"), {"name": "v2"}, (Operation.TAG,))


@row("deleteTag")
def _(place: Place) -> Change:
    return Change("DELETE", path_to(*image(place), "/tags/v1"), told=(Operation.UNTAG,))


@row("updateRepository")
def _(place: Place) -> Change:
    name, repository, _ = image(place)
    return Change("PUT", path_to(name, repository), {"description": "d"}, (Operation.CHANGE_REPOSITORY,))


@row("deleteRepository")
def _(place: Place) -> Change:
    """What is in it goes by changes of its own."""
    name, repository, _ = image(place)
    told = (Operation.DELETE_REPOSITORY, Operation.DELETE_MANIFEST, Operation.UNTAG)
    return Change("DELETE", path_to(name, repository), told=told)


# What these begin goes on as an execution, which leaves its own events.
simple("emptyTrash", "DELETE", at(f"{OWN}/projects/{{0}}/trash", trashed), None, Operation.START_EXECUTION)
simple("emptyTrashed", "DELETE", at(f"{OWN}/projects/{{0}}/trash/{{1}}", trashed), None, Operation.START_EXECUTION)
simple(
    "restoreTrashed", "POST", at(f"{OWN}/projects/{{0}}/trash/{{1}}/restore", trashed), None, Operation.START_EXECUTION
)


# --- policies and the system

simple(
    "createRetention", "POST", lambda _: f"{HARBOR}/retentions", lambda place: retention_document(project(place)[1]),
    Operation.CHANGE_RETENTION,
)  # fmt: skip


@row("updateRetention")
def _(place: Place) -> Change:
    _, number = retention(place)
    sent = retention_document(number, 2)
    return Change("PUT", f"{HARBOR}/retentions/{number}", sent, (Operation.CHANGE_RETENTION,))


simple("deleteRetention", "DELETE", at(f"{HARBOR}/retentions/{{1}}", retention), None, Operation.CHANGE_RETENTION)
simple(
    "triggerRetentionExecution", "POST", at(f"{HARBOR}/retentions/{{1}}/executions", retention), {"dry_run": True},
    Operation.START_EXECUTION,
)  # fmt: skip
simple(
    "operateRetentionExecution", "PATCH", at(f"{HARBOR}/retentions/{{0}}/executions/{{1}}", execution),
    {"action": "stop"}, Operation.STOP_EXECUTION,
)  # fmt: skip
simple("stopExecution", "POST", at(f"{OWN}/executions/{{1}}/stop", execution), None, Operation.STOP_EXECUTION)
simple(
    "previewRetention", "POST", at(f"{OWN}/projects/{{0}}/retention/preview", retention),
    lambda place: retention_document(project(place)[1]),
)  # fmt: skip
simple(
    "createGCSchedule", "POST", lambda _: f"{HARBOR}/system/gc/schedule",
    {"schedule": {"type": "Daily", "cron": "0 0 0 * * *"}, "parameters": {"delete_untagged": False}},
    Operation.CHANGE_COLLECTION,
)  # fmt: skip
simple(
    "updateGCSchedule", "PUT", lambda _: f"{HARBOR}/system/gc/schedule",
    {"schedule": {"type": "Weekly", "cron": "0 0 0 * * 0"}, "parameters": {"delete_untagged": False}},
    Operation.CHANGE_COLLECTION,
)  # fmt: skip
simple("stopGC", "PUT", at(f"{HARBOR}/system/gc/{{}}", collection), None, Operation.STOP_EXECUTION)
simple(
    "updateConfigurations", "PUT", lambda _: f"{HARBOR}/configurations",
    lambda _: {"oidc_client_secret": secret(), "ldap_search_password": secret(), "robot_token_duration": 31},
    Operation.CHANGE_CONFIGURATION,
)  # fmt: skip


@row("importLdapUser")
def _(place: Place) -> Change:
    name = f"ldap{next(_numbers)}"
    place.people.add(name, secret())
    configure_ldap(place)
    return Change("POST", f"{HARBOR}/ldap/users/import", {"ldap_uid_list": [name]}, (Operation.CREATE_USER,))


@row("pingLdap")
def _(place: Place) -> Change:
    """A question, which changes nothing."""
    sent = {"ldap_url": "ldaps://ldap.example.org", "ldap_search_password": secret()}
    return Change("POST", f"{HARBOR}/ldap/ping", sent)


def configure_ldap(place: Place) -> None:
    sent = {"ldap_url": "ldaps://ldap.example.org", "ldap_base_dn": "dc=x", "ldap_search_password": secret()}
    place.made("PUT", f"{HARBOR}/configurations", sent)


# --- webhooks

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


# --- what Harbor has and this registry has not

REFUSED: dict[str, tuple[str, str]] = {
    "createScanner": ("POST", "/scanners"),
    "pingScanner": ("POST", "/scanners/ping"),
    "createScanAllSchedule": ("POST", "/system/scanAll/schedule"),
    "updateScanAllSchedule": ("PUT", "/system/scanAll/schedule"),
    "stopScanAll": ("POST", "/system/scanAll/stop"),
    "putSystemCVEAllowlist": ("PUT", "/system/CVEAllowlist"),
    "createRegistry": ("POST", "/registries"),
    "pingRegistry": ("POST", "/registries/ping"),
    "createReplicationPolicy": ("POST", "/replication/policies"),
    "startReplication": ("POST", "/replication/executions"),
    "CreateInstance": ("POST", "/p2p/preheat/instances"),
    "createPurgeSchedule": ("POST", "/system/purgeaudit/schedule"),
    "updatePurgeSchedule": ("PUT", "/system/purgeaudit/schedule"),
    "exportScanData": ("POST", "/export/cve"),
    "setScannerOfProject": ("PUT", "/projects/{}/scanner"),
    "CreatePolicy": ("POST", "/projects/{}/preheat/policies"),
}
