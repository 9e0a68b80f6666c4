"""Parses the command line of the commands over the API, sends what they say, and prints the response."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.failures import FAILED, OK, USAGE, Failure
from cli.keyless import login_command
from cli.output import Output, fields
from cli.passwords import read_secret
from cli.remote import logins
from cli.remote.client import Answer, Client, execution_at
from cli.remote.completion import script
from cli.remote.given import BY_NAME, Lookups, filled
from cli.remote.shapes import OWN, Argument, Command, Option
from cli.remote.table import COMMANDS, GROUPS
from roadstead.printable import printable

MOST = 1_000  # items of a list, unless --limit says otherwise
SIGNING_IN = ("login", "logout", "completion")
# Commands of these groups that also work on AWS itself. A test holds this to the operator's parser.
OPERATORS = {
    "audit": frozenset({"deletions", "failed-logins", "pulls", "pushes"}),
    "member": frozenset({"remove", "set"}),
    "project": frozenset({"create", "list", "set-private", "set-public", "show"}),
    "user": frozenset({"create", "disable", "enable", "list", "release", "reset-password", "set-admin", "show"}),
    "webhook": frozenset({"add", "disable", "enable", "list", "remove", "test"}),
}
_ON_AWS = ("ROADSTEAD_STATE", "ROADSTEAD_STACK", "INDEX_TABLE")
_CURSOR_SIZE = 50
_EPILOG = """The registry and the sign-in are those of `roadstead login`, or of ROADSTEAD_URL, ROADSTEAD_USER and
ROADSTEAD_PASSWORD: a password, an access token, or a robot's secret; or ROADSTEAD_KEYLESS (docs/keyless.md). No command
here needs AWS credentials."""


def wanted(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Return whether a command line is for the API, and not for the operator's commands on AWS.

    What only one of them has is for that one, and what both have is for the API where --url, ROADSTEAD_URL or a stored
    sign-in says so, and nothing names a deployment (--state, --stack, or their variables).
    """
    names = [one for one in arguments if not one.startswith("-")]
    if not names or names[0] not in (*SIGNING_IN, *GROUPS):
        return False
    if names[0] not in OPERATORS or any(one.partition("=")[0] == "--url" for one in arguments):
        return True
    if any(one.partition("=")[0] in ("--state", "--stack") for one in arguments):
        return False
    if len(names) > 1 and names[1] not in OPERATORS[names[0]]:
        return True
    return "ROADSTEAD_URL" in environ or (
        not any(name in environ for name in _ON_AWS) and logins.path_of(environ).exists()
    )


def main(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    environ = os.environ if environ is None else environ
    options = parser().parse_args(arguments)
    output = Output(as_json=getattr(options, "json", False))
    try:
        options.run(options, environ, output)
    except Failure as failure:
        print(f"roadstead: {printable(str(failure))}", file=sys.stderr)
        return failure.code
    except (KeyboardInterrupt, BrokenPipeError):
        return FAILED
    return OK


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="roadstead", description="Manage a registry over its API.", epilog=_EPILOG)
    groups = whole.add_subparsers(dest="group", required=True, metavar="COMMAND")
    login_command.add_parsers(groups)
    completion = groups.add_parser("completion", help="print what completes this command in bash")
    completion.set_defaults(run=lambda *_: print(script(SIGNING_IN)))
    for name, help in GROUPS.items():
        group = groups.add_parser(name, help=help, description=help)
        commands = group.add_subparsers(dest="command", required=True, metavar="COMMAND")
        for one in COMMANDS:
            if one.group == name:
                _add(commands, one)
    return whole


def _add(commands: Any, command: Command) -> None:
    one: argparse.ArgumentParser = commands.add_parser(command.name, help=command.help, description=command.help)
    for argument in command.arguments:
        more: dict[str, Any] = {"nargs": "+"} if argument.many else {}
        one.add_argument(argument.name, help=argument.help or None, choices=argument.choices or None, **more)
    for option in command.options:
        more = {"required": True} if option.required else {}
        if option.kind in ("flag", "secret", "optional-secret"):
            one.add_argument(f"--{option.name}", action="store_true", help=option.help, **more)
        elif option.kind == "list":
            one.add_argument(f"--{option.name}", action="append", help=option.help, **more)
        else:
            kind = int if option.kind == "number" else str
            one.add_argument(f"--{option.name}", type=kind, choices=option.choices or None, help=option.help, **more)
    if command.listed:
        one.add_argument("--limit", type=int, default=MOST, help="how many to list (default: %(default)s)")
    one.add_argument("--no-wait", action="store_true", help="do not wait for work that takes long")
    one.add_argument("--json", action="store_true", help="print one JSON document, for scripts")
    one.add_argument("--url", default="", help="another registry than that of the stored sign-in")
    one.set_defaults(run=lambda options, environ, output: _run(command, options, environ, output))


def _run(command: Command, options: argparse.Namespace, environ: Mapping[str, str], output: Output) -> None:
    login = logins.chosen(environ, options.url)
    if login is None:
        raise Failure(
            "No registry is known: sign in with `roadstead login URL --user NAME`, or set ROADSTEAD_URL.", USAGE
        )
    client = Client(login)
    lookups, given = Lookups(client), _given(command, options)
    parts: list[Argument | Option] = [*command.arguments, *command.options]
    for one in parts:
        if one.lookup is not None and given[one.dest] is not None:
            given[one.dest] = lookups.id_of(one.lookup, one.name, given[one.dest], given)
    path = filled(command.path, given)
    query = {one.query: str(given[one.dest]) for one in command.options if one.query and given[one.dest] is not None}
    if command.query is not None:
        query |= command.query(given, lookups.project_id)
    if command.listed:
        if "/tags" in path and path.startswith(OWN):
            query["limit"] = str(min(_CURSOR_SIZE, options.limit))
        else:
            query["page_size"] = "100"
        items = list(client.items(path, query, options.limit))
        _print_items(items, items, command.columns, output)
        return
    if command.base:
        given["was"] = lookups.document(filled(command.base, given))
    body = _without_none(command.body(given)) if command.body is not None else None
    answer = client.whole(client.call(command.method, path, body, query, BY_NAME))
    _print(command, path, answer, client, options, output)
    failed = command.failing(answer.document()) if command.failing is not None else ""
    if failed:
        raise Failure(failed)


def _given(command: Command, options: argparse.Namespace) -> dict[str, Any]:
    given = {one.name: getattr(options, one.dest) for one in command.arguments}
    for option in command.options:
        value = getattr(options, option.dest)
        if option.kind == "secret" or (option.kind == "optional-secret" and value):
            value = _secret(value, "Password: ")
        elif option.kind == "optional-secret":
            value = None
        elif option.kind == "file" and value is not None:
            value = _document(value)
        given[option.dest] = value
    return given


def _secret(from_stdin: bool, question: str) -> str:
    return read_secret(sys.stdin, "password") if from_stdin else getpass.getpass(question)


def _document(path: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if path == "-" else Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read as JSON: {error}.", USAGE) from error


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(one) for name, one in value.items() if one is not None}
    return value


def _print(
    command: Command, path: str, answer: Answer, client: Client, options: argparse.Namespace, output: Output
) -> None:
    location, document = answer.headers.get("location", ""), answer.document()
    if command.picks is not None:
        document = command.picks(document)
    execution = path if command.follows else execution_at(location)
    if execution and not options.no_wait:
        output.record(dict(client.follow(execution, output.progress)))
    elif command.columns:
        _print_items(document, document if command.rows is None else command.rows(document), command.columns, output)
    elif isinstance(document, dict):
        output.record(document)
    elif isinstance(document, list):
        _print_items(document, document, {}, output)
    elif document:
        output.result({"text": document}, str(document).splitlines())
    elif location:
        output.record({"created": location})
    else:
        output.result({"done": True}, ["done"])


def _print_items(document: Any, items: Sequence[Any], columns: Mapping[str, str], output: Output) -> None:
    """Print a document for scripts; its items as a table for people."""
    if output.as_json:
        output.result(document)
    elif columns:
        rows = [{path: _member(item, path) for path in columns.values()} for item in items]
        output.records(rows, columns)
    else:
        output.result(items, [line for item in items for line in [*fields(item), ""]])


def _member(item: Any, path: str) -> object:
    """Return a member of an item, by a path with dots; of a list the members of all its items."""
    name, _, rest = path.partition(".")
    value = item.get(name) if isinstance(item, dict) else None
    if rest:
        return [_member(one, rest) for one in value] if isinstance(value, list) else _member(value, rest)
    return "" if value is None else value
