"""The commands as data: what each sends, and which columns of the response it shows. No rule is here.

An argument that names something by its id may be given by its name too: `Named` says where to look it up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HARBOR, OWN = "/api/v2.0", "/api/roadstead/v1"

Given = Mapping[str, Any]  # what was given, by the names of arguments and options; None for an option that was not
ProjectId = Callable[[str], str]  # looks up the id of a project, by its name


def _no_query(text: str, given: Given, project_id: ProjectId) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Named:
    """Look up an id: the item of the list at `path` whose `name` is what was given, or else what `otherwise` finds.

    `query` narrows the list, by the name that was given. With `single`, `path` leads to the item itself.
    """

    path: str
    name: str = "name"
    id: str = "id"
    query: Callable[[str, Given, ProjectId], Mapping[str, str]] = _no_query
    otherwise: Named | None = None
    single: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """A positional argument; `many` takes one or more."""

    name: str
    help: str = ""
    lookup: Named | None = None
    choices: Sequence[str] = ()
    many: bool = False

    @property
    def dest(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Option:
    """`--name`. It goes to the `query`, or where the command's `body` puts it.

    `kind` is text, number, flag (true when given), list (may be repeated), file (a JSON document; - is standard input),
    secret (read from standard input, without the option from the terminal) or optional-secret (only if it is given).
    """

    name: str
    help: str
    query: str = ""
    kind: str = "text"
    choices: Sequence[str] = ()
    required: bool = False
    lookup: Named | None = None

    @property
    def dest(self) -> str:
        return self.name.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Command:
    """`path` has arguments in braces. `body` makes the request's from what was given; None is left out of it.

    Where the API replaces a whole document, `base` is the path of what there is: the body's maker finds it as `was`.
    `columns` are the response's members by heading, with dots between objects; without them it is shown as it is.
    `picks` takes what is shown out of the response. `rows` makes the rows of the table where that is no list. `listed`
    responses come in pages. `follows` waits for the execution that the response is. `failing` returns why the command
    has failed though the response is 200, or "".
    """

    group: str
    name: str
    help: str
    method: str
    path: str
    arguments: Sequence[Argument] = ()
    options: Sequence[Option] = ()
    body: Callable[[Given], Mapping[str, Any]] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    listed: bool = False
    base: str = ""
    query: Callable[[Given, ProjectId], Mapping[str, str]] | None = None
    rows: Callable[[Any], Sequence[Mapping[str, Any]]] | None = None
    follows: bool = False
    picks: Callable[[Any], Any] | None = None
    failing: Callable[[Any], str] | None = None


PROJECT = Argument("project", "the project's name")
REPOSITORY = Argument("repository", "the repository's name, without the project's")
REFERENCE = Argument("reference", "a tag or a digest")
USER = Argument(
    "user",
    "a user's name or id",
    Named(f"{HARBOR}/users", "username", "user_id", query=lambda text, *_: {"q": f"username={text}"}),
)
GROUP = Argument("group", "a group's name or id", Named(f"{HARBOR}/usergroups", "group_name"))
MEMBER = Argument("member", "a member's name or id", Named(f"{HARBOR}/projects/{{project}}/members", "entity_name"))
WEBHOOK = Argument("webhook", "a webhook's name or id", Named(f"{HARBOR}/projects/{{project}}/webhook/policies"))
RULE = Argument("rule", "the rule's id")
EXECUTION = Argument("execution", "its id")
ROLES = {"admin": 1, "developer": 2, "guest": 3, "maintainer": 4, "limited-guest": 5}
ROLE = Argument("role", "what the member may do", choices=tuple(ROLES))
QUERY = Option("q", "a filter, as in Harbor: name=~web,creation_time=[a~b]", query="q")
SORT = Option("sort", "a field; --sort=-field: the largest first", query="sort")

OF_PROJECT = f"{HARBOR}/projects/{{project}}"
OF_REPOSITORY = f"{OF_PROJECT}/repositories/{{repository}}"
OF_ARTIFACT = f"{OF_REPOSITORY}/artifacts/{{reference}}"
OWN_OF_PROJECT = f"{OWN}/projects/{{project}}"
OF_WEBHOOK = f"{OF_PROJECT}/webhook/policies/{{webhook}}"
TIMES = {"CREATED": "creation_time"}


def listing(
    group: str,
    help: str,
    path: str,
    columns: Mapping[str, str],
    *arguments: Argument,
    name: str = "list",
    options: Sequence[Option] = (QUERY, SORT),
    query: Callable[[Given, ProjectId], Mapping[str, str]] | None = None,
) -> Command:
    return Command(group, name, help, "GET", path, arguments, options, None, columns, listed=True, query=query)


def showing(group: str, help: str, path: str, *arguments: Argument, name: str = "show") -> Command:
    return Command(group, name, help, "GET", path, arguments)


def deleting(group: str, help: str, path: str, *arguments: Argument, name: str = "delete") -> Command:
    return Command(group, name, help, "DELETE", path, arguments)


def text(value: bool) -> str:
    """Harbor's metadata are text."""
    return "true" if value else "false"


def value_of(text: str) -> Any:
    """JSON where it is JSON, and text otherwise: `true`, `30`, `oidc_auth`."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def changed(was: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a document with those changes that were given: not None."""
    return {**was, **{name: value for name, value in changes.items() if value is not None}}


def id_of_project(name: str) -> Named:
    """A project where the API takes its id; `name` is the argument that has the project's name."""
    return Named(f"{HARBOR}/projects/{{{name}}}", "name", "project_id", single=True)
