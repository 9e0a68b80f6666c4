"""`python -m cli`, also as `bin/roadstead`: the operator's command."""

from __future__ import annotations

import argparse
import os
import sys

from cli import account_commands, audit_commands, key_commands, status_commands, webhook_commands
from cli.aws import told_to_people
from cli.composition import Cloud, find_target
from cli.doctor import command as doctor
from cli.doctor.deployment import Deployment
from cli.failures import FAILED, OK, USAGE, Failure
from cli.output import Output
from cli.subcommands import Subcommands
from roadstead.identity.accounts import AccountRefused
from roadstead.notifications.webhooks import NotificationRefused

_EPILOG = f"""exit codes:
  {OK}  done; with doctor: nothing is wrong
  {FAILED}  it could not be done, or something is wrong; why is on stderr
  {USAGE}  the command line, or what it reads from standard input or the environment, is wrong

Without --state and --stack the environment says which registry is meant: ROADSTEAD_STATE, ROADSTEAD_STACK, or the
variables of docs/settings.md for those who deploy by other means (with AWS_REGION, KEY_VALUE_STORE_ARN, RELAY=on)."""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    output = Output(as_json=options.json)
    try:
        with told_to_people():
            if options.command == "doctor":
                return doctor.run(options, output, _deployment)
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
    return Deployment(target, cloud.parameters, cloud.key_values, cloud.signing_keys, cloud.inspector, told_to_people)


def _complain(sentence: str, code: int) -> int:
    print(f"roadstead: {sentence}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roadstead",
        description="Runs a registry: accounts, webhooks, keys, and a doctor.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = Subcommands(parser, "command")
    account_commands.add_parsers(commands)
    webhook_commands.add_parsers(commands)
    key_commands.add_parsers(commands)
    audit_commands.add_parsers(commands)
    status_commands.add_parsers(commands)
    doctor.add_parser(commands.parsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
