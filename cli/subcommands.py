"""The command line as a tree: groups of commands, each with the function that runs it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from cli.composition import Cloud
from cli.output import Output

Command = Callable[[argparse.Namespace, Cloud, Output], None]


class Subcommands:
    """The commands of one parser. Each takes --json, and options that select the registry."""

    def __init__(self, parser: argparse.ArgumentParser, dest: str) -> None:
        self.parsers: Any = parser.add_subparsers(dest=dest, required=True, metavar="COMMAND")
        self._dest = dest

    def group(self, name: str, help: str) -> Subcommands:
        parser: argparse.ArgumentParser = self.parsers.add_parser(name, help=help, description=help)
        return Subcommands(parser, f"{self._dest}_{name.replace('-', '_')}")

    def add(self, name: str, help: str, command: Command) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = self.parsers.add_parser(name, help=help, description=help)
        parser.set_defaults(run=command)
        parser.add_argument("--json", action="store_true", help="print one JSON document, for scripts")
        target = parser.add_argument_group("which registry")
        target.add_argument("--state", metavar="DIRECTORY", help="a local registry, by its state directory")
        target.add_argument("--stack", metavar="NAME", help="a deployed registry, by its CloudFormation stack")
        target.add_argument("--region", help="the stack's region (default: from the AWS configuration)")
        return parser
