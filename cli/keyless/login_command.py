"""`roadstead login` and `logout`: tries a sign-in, and stores it, or stores how its password is made afresh."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.failures import USAGE, Failure
from cli.keyless import registries
from cli.keyless.registries import Way
from cli.keyless.sources import check_source
from cli.output import Output
from cli.passwords import read_secret
from cli.remote import logins
from cli.remote.client import Client, Login
from cli.remote.shapes import HARBOR

HELPER = "roadstead"  # of docker-credential-roadstead, as Docker's configuration names it
_TRIED = f"{HARBOR}/permissions"  # needs a sign-in, a robot's too


def add_parsers(groups: Any) -> None:
    """Add `login` and `logout` to the subparsers."""
    login: argparse.ArgumentParser = groups.add_parser(
        "login", help="sign in to a registry, and store that for the next commands"
    )
    login.add_argument("url", help="such as https://registry.example.com")
    login.add_argument("--user", required=True, help="a user's name, or a robot's full name")
    secret = login.add_mutually_exclusive_group()
    secret.add_argument("--password-stdin", action="store_true", help="read the password or token from standard input")
    secret.add_argument(
        "--keyless",
        metavar="SOURCE",
        help="store no password: make it afresh from aws, github, env:NAME or file:PATH (docs/keyless.md)",
    )
    login.add_argument("--audience", default="", help="with --keyless: what the rule names (default: the host)")
    login.add_argument("--profile", default="", help="with --keyless aws: the AWS profile")
    login.add_argument("--docker", action="store_true", help="with --keyless: have Docker use the credential helper")
    login.add_argument(
        "--print-password", action="store_true", help="with --keyless: print the password, and store nothing"
    )
    login.set_defaults(run=_login)
    groups.add_parser("logout", help="forget the stored sign-in").set_defaults(run=_logout)


def _login(options: argparse.Namespace, environ: Mapping[str, str], output: Output) -> None:
    url = options.url.rstrip("/")
    if options.keyless is not None:
        _keyless(url, options, environ, output)
        return
    if options.docker or options.print_password or options.audience or options.profile:
        raise Failure("--docker, --print-password, --audience and --profile belong to --keyless.", USAGE)
    login = Login(url, options.user, _secret(options.password_stdin))
    Client(login).call("GET", _TRIED)
    path = logins.path_of(environ)
    logins.store(path, login)
    output.say(f"Signed in to {url} as {login.user}; stored in {path}.")


def _keyless(url: str, options: argparse.Namespace, environ: Mapping[str, str], output: Output) -> None:
    host = registries.host_of(url)
    way = Way(options.user, _lasting(check_source(options.keyless)), options.audience, options.profile)
    login = Login(url, way.user, fresh=lambda: way.password(host, environ))
    client = Client(login)  # which checks the URL before anything is made for it
    if options.print_password:
        output.result({"password": login.secret()}, [login.secret()])
        return
    client.call("GET", _TRIED)
    path = registries.keep(environ, host, way)
    logins.store(logins.path_of(environ), login)
    output.say(f"Signed in to {url} as {way.user} by {way.source}; how is stored in {path}, and no password.")
    if options.docker:
        where = _tell_docker(environ, host)
        output.say(f"Docker signs in to {host} by docker-credential-{HELPER}, as {where} says.")


def _lasting(source: str) -> str:
    """Return a source that means the same in any working directory."""
    kind, _, path = source.partition(":")
    return f"file:{Path(path).expanduser().absolute()}" if kind == "file" else source


def _logout(_: argparse.Namespace, environ: Mapping[str, str], output: Output) -> None:
    path = logins.path_of(environ)
    with contextlib.suppress(Failure):  # a file that is damaged goes, too
        login = logins.stored(path)
        if login is not None and not login.password:
            registries.forget(environ, registries.host_of(login.url))
    output.say(f"Removed {path}." if logins.forget(path) else "Nobody was signed in.")


def _secret(from_stdin: bool) -> str:
    return read_secret(sys.stdin, "password") if from_stdin else getpass.getpass("Password or token: ")


def _tell_docker(environ: Mapping[str, str], host: str) -> Path:
    """Name the helper in Docker's configuration, and keep everything else there. Return the file. Raises Failure."""
    directory = environ.get("DOCKER_CONFIG") or f"{environ.get('HOME', '~')}/.docker"
    path = (Path(directory).expanduser() / "config.json").resolve()
    try:
        document = json.loads(path.read_text())
        helpers = document.setdefault("credHelpers", {})
        helpers[host] = HELPER
    except FileNotFoundError:
        document = {"credHelpers": {host: HELPER}}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise Failure(f"{path} cannot be read as Docker's configuration: {error}.") from error
    registries.write_json(path, document)
    return path
