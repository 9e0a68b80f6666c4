"""`docker-credential-roadstead`: a credential helper of Docker that makes the password afresh at each `get`.

The protocol is that of docker/docker-credential-helpers, `credentials/credentials.go`: the action is the one argument,
the server or a JSON object comes on standard input, and errors go to standard output with exit code 1. Clients know
three of them by their text. Nothing is stored, and a registry that is not configured gets nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from cli.failures import Failure
from cli.keyless import registries
from roadstead.identity.providers.trust import is_keyless
from roadstead.printable import printable

NOT_FOUND = "credentials not found in native keychain"
NO_SERVER = "no credentials server URL"
NO_USER = "no credentials username"
MAX_INPUT = 64 * 1024  # characters


class Refused(Exception):
    """The message is what the protocol says, or a sentence for a person."""


def main(arguments: list[str], environ: Mapping[str, str], given: TextIO, out: TextIO) -> int:
    """Run one action. Return the exit code."""
    try:
        if len(arguments) != 1:
            raise Refused("Usage: docker-credential-roadstead <store|get|erase|list|version>")
        said = _act(arguments[0], environ, given)
    except (Refused, Failure) as error:
        print(printable(str(error)), file=out)
        return 1
    if said:
        print(said, file=out)
    return 0


def _act(action: str, environ: Mapping[str, str], given: TextIO) -> str:
    match action:
        case "get":
            return _get(_server(given.read(MAX_INPUT)), environ)
        case "store":
            return _store(given.read(MAX_INPUT), environ)
        case "erase":
            registries.forget(environ, registries.host_of(_server(given.read(MAX_INPUT))))
            return ""
        case "list":
            return json.dumps({host: way.user for host, way in registries.ways(environ).items()})
        case "version":
            return "docker-credential-roadstead (roadstead)"
    raise Refused(f"Unknown credential action `{action}`")


def _get(server: str, environ: Mapping[str, str]) -> str:
    host = registries.host_of(server)
    way = registries.ways(environ).get(host)
    if way is None:
        raise Refused(NOT_FOUND)
    return json.dumps({"ServerURL": server, "Username": way.user, "Secret": way.password(host, environ)})


def _store(text: str, environ: Mapping[str, str]) -> str:
    """Take what this helper made itself, and keep nothing of it: `docker login` stores what it has just got."""
    try:
        document = json.loads(text)
        server, user, secret = (str(document.get(name) or "") for name in ("ServerURL", "Username", "Secret"))
    except (ValueError, AttributeError) as error:
        raise Refused("the credentials are not a JSON object") from error
    if not user:
        raise Refused(NO_USER if server else NO_SERVER)
    way = registries.ways(environ).get(registries.host_of(_server(server)))
    if way is None or way.user != user or not is_keyless(secret):
        raise Refused(
            "docker-credential-roadstead keeps no passwords: use `roadstead login URL --user ROBOT --keyless`"
        )
    return ""


def _server(text: str) -> str:
    if not text.strip():
        raise Refused(NO_SERVER)
    return text.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, sys.stdin, sys.stdout))
