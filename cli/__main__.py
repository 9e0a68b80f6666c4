"""`python -m cli`, also as `bin/roadstead`: the operator's command."""

from __future__ import annotations

import argparse
import os
import sys

from cli import (
    account_commands,
    audit_commands,
    check_commands,
    collect_commands,
    index_commands,
    key_commands,
    preflight,
    status_commands,
    webhook_commands,
)
from cli.aws import AwsAccount, Clients, readable_errors
from cli.composition import Cloud, find_target
from cli.doctor import command as doctor
from cli.doctor.deployment import Deployment
from cli.failures import FAILED, OK, USAGE, Failure
from cli.output import Output
from cli.remote import command as remote
from cli.subcommands import Subcommands
from roadstead.identity.accounts import AccountRefused
from roadstead.notifications.webhook_fields import NotificationRefused
from roadstead.printable import printable

_EPILOG = f"""exit codes:
  {OK}  success; with doctor: no check failed
  {FAILED}  the command or a check failed; the reason is on stderr
  {USAGE}  the command line, standard input or an environment variable is wrong

Without --state and --stack, the environment selects the registry: ROADSTEAD_STATE, ROADSTEAD_STACK, or, for a
deployment without our templates, the variables of docs/settings.md (and AWS_REGION, KEY_VALUE_STORE_ARN, RELAY=on).

These commands work on AWS itself, for operators. Everybody else signs in with `roadstead login` and manages the
registry over its API, without AWS credentials: docs/command.md."""


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if remote.wanted(arguments, os.environ):
        return remote.main(arguments)
    options = _parser().parse_args(arguments)
    output = Output(as_json=options.json)
    try:
        with readable_errors():
            if options.command == "doctor":
                return doctor.run(options, output, _deployment)
            if options.command == "preflight":
                return preflight.run(options, output, lambda region: AwsAccount(Clients(region)))
            target = find_target(options.state, options.stack, options.region, os.environ)
            options.run(options, Cloud(target), output)
    except (AccountRefused, NotificationRefused) as refused:
        return _complain(f"{str(refused)[0].upper()}{str(refused)[1:]}.", FAILED)
    except Failure as failure:
        return _complain(str(failure), failure.code)
    except (KeyboardInterrupt, BrokenPipeError):
        return FAILED
    return OK


def _deployment(options: argparse.Namespace) -> Deployment | None:
    if not doctor.wants_deployment(options, os.environ):
        return None
    target = find_target(options.state, options.stack, options.region, os.environ)
    cloud = Cloud(target)
    return Deployment(target, cloud.parameters, cloud.key_values, cloud.signing_keys, cloud.inspector, readable_errors)


def _complain(sentence: str, code: int) -> int:
    print(f"roadstead: {printable(sentence)}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roadstead",
        description="Manage a registry: accounts, webhooks and keys; and check that it works.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = Subcommands(parser, "command")
    account_commands.add_parsers(commands)
    webhook_commands.add_parsers(commands)
    key_commands.add_parsers(commands)
    audit_commands.add_parsers(commands)
    collect_commands.add_parsers(commands)
    check_commands.add_parsers(commands)
    index_commands.add_parsers(commands)
    status_commands.add_parsers(commands)
    doctor.add_parser(commands.parsers)
    preflight.add_parser(commands.parsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
