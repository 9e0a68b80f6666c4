"""`roadstead doctor [URL]`: print each finding as it is made; exit with 1 if a check failed."""

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
    help_ = "check a registry from outside and, with --state or --stack, how it is set up"
    parser = parsers.add_parser("doctor", help=help_, description=help_)
    parser.add_argument("url", nargs="?", default="", help="the registry's URL, such as https://registry.example.com")
    parser.add_argument(
        "--user", default="", help="log in as this user: a system administrator, or a maintainer of the project"
    )
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    parser.add_argument(
        "--project", default="doctor", help="the project to push to and delete from (default: %(default)s)"
    )
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="also send 512 MiB, a body that stands still, and twelve uploads of five minutes: takes about ten minutes",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, for scripts")
    parser.add_argument(
        "--state", metavar="DIRECTORY", help="a local registry, by its state directory: logs in as its administrator"
    )
    parser.add_argument(
        "--stack",
        metavar="NAME",
        help="a deployed registry, by its CloudFormation stack: also checks bucket, tables and keys",
    )
    parser.add_argument("--region", help="the stack's region (default: from the AWS configuration)")
    parser.set_defaults(run=None)


def run(options: argparse.Namespace, output: Output, find: FindDeployment) -> int:
    """Run all checks; return FAILED if one failed, or OK. Raises Failure for a wrong command line."""
    deployed = find(options)
    url = _url(options.url or (deployed.target.registry_url if deployed else ""))
    user, password = _credentials(options, deployed)
    findings: list[Finding] = []

    def report(finding: Finding) -> None:
        findings.append(finding)
        for line in finding.as_lines():
            output.say(line)

    output.say(
        f"Checking {url} "
        + (f"as {user}" if user else "without a user (with --user, the doctor also pushes and pulls)")
    )
    examine_registry(Session(url, options.project, user, password), report, thorough=options.thorough)
    if deployed is not None:
        output.say(f"Checking how {deployed.target.name} is set up")
        examine(deployment.CHECKS, deployed, report)
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


def _credentials(options: argparse.Namespace, deployed: deployment.Deployment | None) -> tuple[str, str]:
    """Return user and password; empty without a user. Of a local registry, the administrator's."""
    if options.password_stdin and not options.user:
        raise Failure("--password-stdin goes with --user.", USAGE)
    if options.user:
        if options.password_stdin:
            return options.user, read_secret(sys.stdin, "password")
        import getpass

        if not sys.stdin.isatty():
            raise Failure("There is no terminal to ask for the password: use --password-stdin.", USAGE)
        return options.user, getpass.getpass(f"Password of {options.user}: ")
    if deployed is not None and deployed.target.is_local:
        with contextlib.suppress(FileNotFoundError):
            return deployed.target.admin, Path(deployed.target.password_file).read_text()
    return "", ""


def wants_deployment(options: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Whether to check a deployment, too. A URL alone is checked from outside, whatever the environment names."""
    named = bool(options.state or options.stack)
    return named or (not options.url and bool(environ.get("ROADSTEAD_STATE") or environ.get("ROADSTEAD_STACK")))
