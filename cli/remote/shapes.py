"""The commands as data: what each sends, and which columns of the response it shows. No rule is here.

An argument that names something by its id may be given by its name too: `Named` says where to look it up.
"""

from __future__ import annotations

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

OF_PROJECT, OF_REPOSITORY = (
    f"{HARBOR}/projects/{{project}}",
    f"{HARBOR}/projects/{{project}}/repositories/{{repository}}",
)
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
) -> Command:
    return Command(group, name, help, "GET", path, arguments, options, None, columns, listed=True)


def showing(group: str, help: str, path: str, *arguments: Argument, name: str = "show") -> Command:
    return Command(group, name, help, "GET", path, arguments)


def deleting(group: str, help: str, path: str, *arguments: Argument, name: str = "delete") -> Command:
    return Command(group, name, help, "DELETE", path, arguments)


def text(value: bool) -> str:
    """Harbor's metadata are text."""
    return "true" if value else "false"


def number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text
