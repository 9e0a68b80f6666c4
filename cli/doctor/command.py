"""`roadstead doctor [URL]`: print what was found as it is found, and end with 1 where something is wrong."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cli.doctor import deployment
from cli.doctor.examination import examine_registry
from cli.doctor.report import Finding, State, examine
from cli.doctor.session import Session
from cli.doctor.wire import origin
from cli.failures import FAILED, OK, USAGE, Failure
from cli.output import Output
from cli.passwords import read_secret

FindDeployment = Callable[[argparse.Namespace], "deployment.Deployment | None"]


def add_parser(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    help_ = "examine a registry from outside, and with --state or --stack how it is set up"
    parser = parsers.add_parser("doctor", help=help_, description=help_)
    parser.add_argument("url", nargs="?", default="", help="the registry, as https://registry.example.com")
    parser.add_argument("--user", default="", help="a system administrator, or a maintainer of the project")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    parser.add_argument("--project", default="doctor", help="where to push and delete (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON document, for scripts")
    parser.add_argument("--state", metavar="DIRECTORY", help="of a local registry: its URL and administrator, too")
    parser.add_argument(
        "--stack", metavar="NAME", help="of a deployed one: its URL, and look at bucket, tables and keys"
    )
    parser.add_argument("--region", help="of the stack (default: AWS's configuration)")
    parser.set_defaults(run=None)


def run(options: argparse.Namespace, output: Output, find: FindDeployment) -> int:
    """The exit code: FAILED where a check has failed. Raises Failure for a wrong command line."""
    looked_at = find(options)
    url = _url(options.url or (looked_at.target.registry_url if looked_at else ""))
    user, password = _credentials(options, looked_at)
    findings: list[Finding] = []

    def told(finding: Finding) -> None:
        findings.append(finding)
        for line in finding.as_lines():
            output.say(line)

    output.say(f"Examining {url} as {user or 'nobody (--user lets it push and pull)'}")
    examine_registry(Session(url, options.project, user, password), told)
    if looked_at is not None:
        output.say(f"Examining how {looked_at.target.name} is set up")
        examine(deployment.CHECKS, looked_at, told)
    counts = {str(state): sum(finding.state is state for finding in findings) for state in State}
    summary = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    document = {"url": url, "counts": counts, "findings": [finding.as_json() for finding in findings]}
    output.result(document, ["", summary])
    return FAILED if counts[State.FAILED] else OK


def _url(text: str) -> str:
    if not text:
        raise Failure("Which registry? Give its URL, --state or --stack.", USAGE)
    if "://" not in text:
        text = f"https://{text}"
    try:
        origin(text)
    except ValueError as error:
        raise Failure(f"{error}.", USAGE) from error
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc}"


def _credentials(options: argparse.Namespace, looked_at: deployment.Deployment | None) -> tuple[str, str]:
    """A local registry's administrator needs no asking."""
    if options.password_stdin and not options.user:
        raise Failure("--password-stdin goes with --user.", USAGE)
    if options.user:
        if options.password_stdin:
            return options.user, read_secret(sys.stdin, "password")
        import getpass

        if not sys.stdin.isatty():
            raise Failure("Nobody is there to be asked: give --password-stdin.", USAGE)
        return options.user, getpass.getpass(f"Password of {options.user}: ")
    if looked_at is not None and looked_at.target.is_local:
        with contextlib.suppress(FileNotFoundError):
            return looked_at.target.admin, Path(looked_at.target.password_file).read_text()
    return "", ""


def wants_deployment(options: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """A URL alone is looked at from outside, whatever the environment says."""
    named = bool(options.state or options.stack)
    return named or (not options.url and bool(environ.get("ROADSTEAD_STATE") or environ.get("ROADSTEAD_STACK")))
