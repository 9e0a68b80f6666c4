"""`roadstead index`: what pages show, derived again."""

from __future__ import annotations

import sys
from argparse import Namespace

from cli.composition import Cloud
from cli.failures import Failure
from cli.output import Output
from cli.subcommands import Subcommands


def add_parsers(commands: Subcommands) -> None:
    index = commands.group("index", "what pages show, derived from what is stored")
    index.add(
        "rebuild", "derive all of it again: after a restore or an upgrade; beside pushes, and again if stopped", rebuild
    )


def rebuild(_: Namespace, cloud: Cloud, output: Output) -> None:
    """Derive everything again. Exit code 1 if counts changed too often to be compared."""
    rebuilt = cloud.rebuild(lambda repository: print(f"  {repository}", file=sys.stderr))
    output.record({"repositories": rebuilt.repositories, "manifests": rebuilt.manifests, "blobs": rebuilt.blobs})
    if rebuilt.busy:
        raise Failure(f"The counts of {', '.join(rebuilt.busy[:10])} changed again and again; run it once more.")
