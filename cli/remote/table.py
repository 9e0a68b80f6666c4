"""The commands as data: what each sends, and which columns of the response it shows. No rule is here.

An argument that names something by its id may be given by its name too: `Named` says where to look it up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HARBOR, OWN = "/api/v2.0", "/api/roadstead/v1"


@dataclass(frozen=True, slots=True)
class Named:
    """Look up an id: the item of the list at `path` whose `name` is what was given."""

    path: str
    name: str = "name"
    id: str = "id"
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Argument:
    """A positional argument."""

    name: str
    help: str = ""
    lookup: Named | None = None
    choices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """`--name`. It goes to the `query`, or where the command's `body` puts it.

    `kind` is text, number, flag (true when given), list (may be repeated) or secret (read from standard input).
    """

    name: str
    help: str
    query: str = ""
    kind: str = "text"
    choices: Sequence[str] = ()
    required: bool = False

    @property
    def dest(self) -> str:
        return self.name.replace("-", "_")


Given = Mapping[str, Any]  # what was given, by the names of arguments and options; None for an option that was not


@dataclass(frozen=True, slots=True)
class Command:
    """`path` has arguments in braces. `body` makes the request's from what was given; None is left out of it.

    `columns` are the response's members by heading, with dots between objects; without them it is shown as it is.
    `listed` responses come in pages.
    """

    group: str
    name: str
    help: str
    method: str
    path: str
    arguments: Sequence[Argument] = ()
    options: Sequence[Option] = ()
    body: Callable[[Given], dict[str, Any]] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    listed: bool = False


PROJECT = Argument("project", "the project's name")
REPOSITORY = Argument("repository", "the repository's name, without the project's")
REFERENCE = Argument("reference", "a tag or a digest")
USER = Argument("user", "a user's name or id", Named(f"{HARBOR}/users", "username", "user_id"))
GROUP = Argument("group", "a group's name or id", Named(f"{HARBOR}/usergroups", "group_name"))
ROBOT = Argument("robot", "a robot's full name or id", Named(f"{HARBOR}/robots", query={"q": "Level=*"}))
MEMBER = Argument("member", "a member's name or id", Named(f"{HARBOR}/projects/{{project}}/members", "entity_name"))
LABEL = Argument("label", "the label's id")
WEBHOOK = Argument("webhook", "a webhook's name or id", Named(f"{HARBOR}/projects/{{project}}/webhook/policies"))
RULE = Argument("rule", "the rule's id")
ROLES = {"admin": 1, "developer": 2, "guest": 3, "maintainer": 4, "limited-guest": 5}
ROLE = Argument("role", "what the member may do", choices=tuple(ROLES))
QUERY = Option("q", "a filter, as in Harbor: name=~web,creation_time=[a~b]", query="q")
SORT = Option("sort", "a field; --sort=-field: the largest first", query="sort")

_PROJECT, _REPOSITORY = f"{HARBOR}/projects/{{project}}", f"{HARBOR}/projects/{{project}}/repositories/{{repository}}"
_ARTIFACT = f"{_REPOSITORY}/artifacts/{{reference}}"
_OWN = f"{OWN}/projects/{{project}}"
_POLICY = f"{_PROJECT}/webhook/policies/{{webhook}}"
_TIMES = {"CREATED": "creation_time"}


def _list(
    group: str,
    help: str,
    path: str,
    columns: Mapping[str, str],
    *arguments: Argument,
    name: str = "list",
    options: Sequence[Option] = (QUERY, SORT),
) -> Command:
    return Command(group, name, help, "GET", path, arguments, options, None, columns, listed=True)


def _show(group: str, help: str, path: str, *arguments: Argument, name: str = "show") -> Command:
    return Command(group, name, help, "GET", path, arguments)


def _delete(group: str, help: str, path: str, *arguments: Argument, name: str = "delete") -> Command:
    return Command(group, name, help, "DELETE", path, arguments)


def _text(value: bool) -> str:
    """Harbor's metadata are text."""
    return "true" if value else "false"


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _value(text: str) -> Any:
    """JSON where it is JSON, and text otherwise: `true`, `30`, `oidc_auth`."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _robot(given: Given) -> dict[str, Any]:
    access = [dict(zip(("resource", "action"), one.partition(":")[::2], strict=True)) for one in given["access"]]
    permission = {"kind": "project", "namespace": given["project"], "access": access}
    days = 30 if given["days"] is None else given["days"]
    return {"name": given["name"], "level": "project", "disable": False, "duration": days, "permissions": [permission]}


def _user(given: Given) -> dict[str, Any]:
    members = {name: given[name] for name in ("email", "realname")}
    return {"username": given["name"], "password": given["password_stdin"], **members}


def _label(given: Given) -> dict[str, Any]:
    scope = "g" if given["project_id"] is None else "p"
    members = {name: given[name] for name in ("name", "color", "description", "project_id")}
    return {**members, "scope": scope}


def _rule(given: Given) -> dict[str, Any]:
    tags = {"kind": "doublestar", "decoration": "matches", "pattern": given["tags"]}
    repositories = {"kind": "doublestar", "decoration": "repoMatches", "pattern": given["repositories"] or "**"}
    return {
        "disabled": False,
        "action": "immutable",
        "template": "immutable_template",
        "tag_selectors": [tags],
        "scope_selectors": {"repository": [repositories]},
    }


def _webhook(given: Given) -> dict[str, Any]:
    target = {"type": "http", "address": given["address"]}
    return {"name": given["name"], "enabled": True, "event_types": given["event"], "targets": [target]}


GROUPS = {
    "project": "projects, which repositories belong to",
    "repo": "repositories",
    "artifact": "images, charts and whatever else was pushed",
    "tag": "tags",
    "user": "users",
    "group": "groups of users",
    "member": "who may do what in a project",
    "robot": "robots: accounts of machines",
    "token": "your own access tokens",
    "label": "labels of artifacts",
    "quota": "how much projects may store",
    "immutable": "rules by which tags never change",
    "retention": "rules by which artifacts are kept",
    "webhook": "endpoints that are notified",
    "audit": "who did what in the last 90 days",
    "trash": "what was deleted and can be restored",
    "gc": "the garbage collector's runs",
    "execution": "work that takes long",
    "config": "the registry's configuration",
    "system": "the registry as a whole",
}

COMMANDS: tuple[Command, ...] = (
    _list(
        "project",
        "list projects",
        f"{HARBOR}/projects",
        {"NAME": "name", "ID": "project_id", "OWNER": "owner_name", "PUBLIC": "metadata.public", **_TIMES},
    ),
    _show("project", "show a project", _PROJECT, PROJECT),
    _show("project", "show a project's counts and quota", f"{_PROJECT}/summary", PROJECT, name="summary"),
    Command(
        "project",
        "create",
        "create a project",
        "POST",
        f"{HARBOR}/projects",
        (PROJECT,),
        (Option("public", "let anybody pull from it", kind="flag"),),
        lambda o: {"project_name": o["project"], "metadata": {"public": _text(bool(o["public"]))}},
    ),
    Command(
        "project",
        "set-public",
        "let anybody pull from a project",
        "PUT",
        _PROJECT,
        (PROJECT,),
        body=lambda _: {"metadata": {"public": "true"}},
    ),
    Command(
        "project",
        "set-private",
        "let only members pull from a project",
        "PUT",
        _PROJECT,
        (PROJECT,),
        body=lambda _: {"metadata": {"public": "false"}},
    ),
    _delete("project", "delete an empty project", _PROJECT, PROJECT),
    _list(
        "repo",
        "list a project's repositories",
        f"{_PROJECT}/repositories",
        {"NAME": "name", "ARTIFACTS": "artifact_count", "PULLS": "pull_count", "UPDATED": "update_time"},
        PROJECT,
    ),
    _show("repo", "show a repository", _REPOSITORY, PROJECT, REPOSITORY),
    _delete("repo", "delete a repository with all that is in it", _REPOSITORY, PROJECT, REPOSITORY),
    _list(
        "artifact",
        "list a repository's artifacts",
        f"{_REPOSITORY}/artifacts",
        {
            "DIGEST": "digest",
            "TYPE": "type",
            "TAGS": "tags.name",
            "SIZE": "size",
            "PUSHED": "push_time",
            "PULLED": "pull_time",
        },
        PROJECT,
        REPOSITORY,
    ),
    _show("artifact", "show an artifact", _ARTIFACT, PROJECT, REPOSITORY, REFERENCE),
    _delete("artifact", "delete an artifact with its tags", _ARTIFACT, PROJECT, REPOSITORY, REFERENCE),
    Command(
        "artifact",
        "copy",
        "copy an artifact into a repository",
        "POST",
        f"{_REPOSITORY}/artifacts",
        (PROJECT, REPOSITORY),
        (Option("from", "project/repository:tag or project/repository@digest", query="from", required=True),),
    ),
    Command(
        "artifact",
        "label",
        "put a label on an artifact",
        "POST",
        f"{_ARTIFACT}/labels",
        (PROJECT, REPOSITORY, REFERENCE, LABEL),
        (),
        lambda o: {"id": _number(o["label"])},
    ),
    _delete(
        "artifact",
        "take a label off an artifact",
        f"{_ARTIFACT}/labels/{{label}}",
        PROJECT,
        REPOSITORY,
        REFERENCE,
        LABEL,
        name="unlabel",
    ),
    _list(
        "tag",
        "list a repository's tags, the last push first",
        f"{_OWN}/repositories/{{repository}}/tags",
        {
            "TAG": "name",
            "DIGEST": "digest",
            "SIZE": "size",
            "PUSHED": "push_time",
            "BY": "pushed_by",
            "PULLS": "pull_count",
        },
        PROJECT,
        REPOSITORY,
        options=(SORT, Option("prefix", "how tags begin; needs --sort name", query="prefix")),
    ),
    Command(
        "tag",
        "create",
        "put another tag on an artifact",
        "POST",
        f"{_ARTIFACT}/tags",
        (PROJECT, REPOSITORY, REFERENCE, Argument("tag", "the new tag")),
        (),
        lambda o: {"name": o["tag"]},
    ),
    _delete(
        "tag", "delete a tag, and keep what it names", f"{_ARTIFACT}/tags/{{reference}}", PROJECT, REPOSITORY, REFERENCE
    ),
    _list(
        "user",
        "list users",
        f"{HARBOR}/users",
        {"NAME": "username", "ID": "user_id", "ADMIN": "sysadmin_flag", "EMAIL": "email", **_TIMES},
    ),
    _show("user", "show a user", f"{HARBOR}/users/{{user}}", USER),
    _show("user", "show who you are", f"{HARBOR}/users/current", name="whoami"),
    Command(
        "user",
        "create",
        "create a user",
        "POST",
        f"{HARBOR}/users",
        (Argument("name"),),
        (
            Option("password-stdin", "read the password from standard input", kind="secret"),
            Option("email", "an address"),
            Option("realname", "a name for people"),
        ),
        lambda o: {
            "username": o["name"],
            "password": o["password_stdin"],
            "email": o["email"],
            "realname": o["realname"],
        },
    ),
    Command(
        "user",
        "set-password",
        "set a user's password",
        "PUT",
        f"{HARBOR}/users/{{user}}/password",
        (USER,),
        (Option("password-stdin", "read the new password from standard input", kind="secret"),),
        lambda o: {"new_password": o["password_stdin"]},
    ),
    Command(
        "user",
        "set-admin",
        "make a user a system administrator",
        "PUT",
        f"{HARBOR}/users/{{user}}/sysadmin",
        (USER,),
        (Option("off", "take the right away", kind="flag"),),
        lambda o: {"sysadmin_flag": not o["off"]},
    ),
    _delete("user", "remove a user", f"{HARBOR}/users/{{user}}", USER),
    _list("group", "list groups", f"{HARBOR}/usergroups", {"NAME": "group_name", "ID": "id", "TYPE": "group_type"}),
    Command(
        "group",
        "create",
        "create a local group",
        "POST",
        f"{HARBOR}/usergroups",
        (Argument("name"),),
        (),
        lambda o: {"group_name": o["name"], "group_type": 2},
    ),
    _delete("group", "delete a group", f"{HARBOR}/usergroups/{{group}}", GROUP),
    _list(
        "member",
        "list a project's members",
        f"{_PROJECT}/members",
        {"NAME": "entity_name", "ROLE": "role_name", "KIND": "entity_type", "ID": "id"},
        PROJECT,
    ),
    Command(
        "member",
        "add",
        "add a user to a project",
        "POST",
        f"{_PROJECT}/members",
        (PROJECT, Argument("user", "the user's name"), ROLE),
        (),
        lambda o: {"member_user": {"username": o["user"]}, "role_id": ROLES[o["role"]]},
    ),
    Command(
        "member",
        "set-role",
        "change a member's role",
        "PUT",
        f"{_PROJECT}/members/{{member}}",
        (PROJECT, MEMBER, ROLE),
        (),
        lambda o: {"role_id": ROLES[o["role"]]},
    ),
    _delete("member", "remove a member", f"{_PROJECT}/members/{{member}}", PROJECT, MEMBER, name="remove"),
    _list(
        "robot",
        "list robots",
        f"{HARBOR}/robots",
        {"NAME": "name", "ID": "id", "LEVEL": "level", "DISABLED": "disable", "EXPIRES": "expires_at"},
    ),
    Command(
        "robot",
        "create",
        "create a robot of a project; its secret is shown once",
        "POST",
        f"{HARBOR}/robots",
        (PROJECT, Argument("name")),
        (
            Option("access", "resource:action, such as repository:push; may be repeated", kind="list", required=True),
            Option("days", "for how long it is valid; -1: for ever", kind="number"),
        ),
        _robot,
    ),
    _show("robot", "show a robot", f"{HARBOR}/robots/{{robot}}", ROBOT),
    _delete("robot", "delete a robot", f"{HARBOR}/robots/{{robot}}", ROBOT),
    _list(
        "token",
        "list your access tokens",
        f"{OWN}/users/current/tokens",
        {"NAME": "name", "ID": "id", "EXPIRES": "expires", "USED": "last_used"},
        options=(),
    ),
    _list(
        "label",
        "list the registry's labels, or a project's",
        f"{HARBOR}/labels",
        {"NAME": "name", "ID": "id", "COLOR": "color", "SCOPE": "scope"},
        options=(
            Option("project-id", "the project's id; needs --scope p", query="project_id"),
            Option("scope", "g: the registry's, p: a project's", query="scope", choices=("g", "p")),
        ),
    ),
    Command(
        "label",
        "create",
        "create a label",
        "POST",
        f"{HARBOR}/labels",
        (Argument("name"),),
        (
            Option("color", "such as #48960C"),
            Option("description", "a sentence"),
            Option("project-id", "make it the label of this project", kind="number"),
        ),
        _label,
    ),
    _delete("label", "delete a label", f"{HARBOR}/labels/{{label}}", LABEL),
    _list(
        "quota",
        "list quotas",
        f"{HARBOR}/quotas",
        {"ID": "id", "PROJECT": "ref.name", "HARD": "hard.storage", "USED": "used.storage"},
        options=(),
    ),
    _show("quota", "show a project's quota", f"{_OWN}/quota", PROJECT),
    Command(
        "quota",
        "set",
        "set how many bytes a project may store; -1: any",
        "PUT",
        f"{HARBOR}/quotas/{{quota}}",
        (Argument("quota", "the project's id"),),
        (Option("storage", "bytes", kind="number", required=True),),
        lambda o: {"hard": {"storage": o["storage"]}},
    ),
    _list(
        "immutable",
        "list a project's rules",
        f"{_PROJECT}/immutabletagrules",
        {"ID": "id", "DISABLED": "disabled", "TAGS": "tag_selectors.pattern"},
        PROJECT,
    ),
    Command(
        "immutable",
        "create",
        "add a rule: tags that match never change",
        "POST",
        f"{_PROJECT}/immutabletagrules",
        (PROJECT,),
        (Option("tags", "a pattern such as v*", required=True), Option("repositories", "a pattern (default: **)")),
        _rule,
    ),
    _delete("immutable", "remove a rule", f"{_PROJECT}/immutabletagrules/{{rule}}", PROJECT, RULE),
    _show("retention", "show a policy", f"{HARBOR}/retentions/{{policy}}", Argument("policy", "the policy's id")),
    _list(
        "retention",
        "list a policy's runs",
        f"{HARBOR}/retentions/{{policy}}/executions",
        {"ID": "id", "STATUS": "status", "STARTED": "start_time", "DRY RUN": "dry_run"},
        Argument("policy", "the policy's id"),
        name="runs",
        options=(),
    ),
    Command(
        "retention",
        "run",
        "run a policy now",
        "POST",
        f"{HARBOR}/retentions/{{policy}}/executions",
        (Argument("policy", "the policy's id"),),
        (Option("dry-run", "say what would go, and delete nothing", kind="flag"),),
        lambda o: {"dry_run": bool(o["dry_run"])},
    ),
    _list(
        "webhook",
        "list a project's webhooks",
        f"{_PROJECT}/webhook/policies",
        {"NAME": "name", "ID": "id", "ENABLED": "enabled", "URL": "targets.address", "EVENTS": "event_types"},
        PROJECT,
    ),
    Command(
        "webhook",
        "create",
        "create a webhook",
        "POST",
        f"{_PROJECT}/webhook/policies",
        (PROJECT, Argument("name"), Argument("address", "the URL to send to")),
        (Option("event", "an event to send; may be repeated", kind="list", required=True),),
        _webhook,
    ),
    _list(
        "webhook",
        "list a webhook's deliveries",
        f"{_POLICY}/executions",
        {
            "ID": "id",
            "STATUS": "status",
            "EVENT": "extra_attrs.event_type",
            "STARTED": "start_time",
            "SAID": "status_message",
        },
        PROJECT,
        WEBHOOK,
        name="deliveries",
        options=(),
    ),
    Command(
        "webhook", "test", "send an example", "POST", f"{_OWN}/webhook/policies/{{webhook}}/test", (PROJECT, WEBHOOK)
    ),
    Command(
        "webhook",
        "redeliver",
        "send a delivery once more",
        "POST",
        f"{_OWN}/webhook/policies/{{webhook}}/executions/{{delivery}}/redeliver",
        (PROJECT, WEBHOOK, Argument("delivery", "the delivery's id")),
    ),
    _delete("webhook", "remove a webhook", _POLICY, PROJECT, WEBHOOK),
    _list(
        "audit",
        "list the trail, the last entry first",
        f"{HARBOR}/auditlog-exts",
        {
            "TIME": "op_time",
            "WHO": "username",
            "DID": "operation",
            "KIND": "resource_type",
            "WHAT": "resource",
            "SUCCESS": "operation_result",
        },
    ),
    _list(
        "audit",
        "list a project's trail",
        f"{_PROJECT}/auditlog-exts",
        {
            "TIME": "op_time",
            "WHO": "username",
            "DID": "operation",
            "KIND": "resource_type",
            "WHAT": "resource",
            "SUCCESS": "operation_result",
        },
        PROJECT,
        name="project",
    ),
    _list("trash", "list what can be restored", f"{_OWN}/trash", {}, PROJECT, options=()),
    Command(
        "trash",
        "restore",
        "restore a deletion",
        "POST",
        f"{_OWN}/trash/{{unit}}/restore",
        (PROJECT, Argument("unit", "the deletion's id")),
    ),
    _list(
        "gc",
        "list the collector's runs",
        f"{HARBOR}/system/gc",
        {"ID": "id", "STATUS": "job_status", "STARTED": "creation_time"},
        options=(),
    ),
    _show("gc", "show the collector's schedule", f"{HARBOR}/system/gc/schedule", name="schedule"),
    Command(
        "gc",
        "run",
        "run the collector now",
        "POST",
        f"{HARBOR}/system/gc/schedule",
        (),
        (Option("dry-run", "say what would go, and delete nothing", kind="flag"),),
        lambda o: {"schedule": {"type": "Manual"}, "parameters": {"dry_run": bool(o["dry_run"])}},
    ),
    _show("execution", "show an execution", f"{OWN}/executions/{{execution}}", Argument("execution", "its id")),
    Command(
        "execution",
        "stop",
        "stop an execution",
        "POST",
        f"{OWN}/executions/{{execution}}/stop",
        (Argument("execution", "its id"),),
    ),
    _show("config", "show the configuration", f"{HARBOR}/configurations"),
    Command(
        "config",
        "set",
        "change a key of the configuration",
        "PUT",
        f"{HARBOR}/configurations",
        (Argument("key"), Argument("value", "JSON, or text")),
        (),
        lambda o: {o["key"]: _value(o["value"])},
    ),
    _show("system", "show what the registry says of itself", f"{HARBOR}/systeminfo", name="info"),
    _show("system", "show whether the registry works", f"{HARBOR}/health", name="health"),
    _show("system", "count projects and repositories", f"{HARBOR}/statistics", name="statistics"),
)
