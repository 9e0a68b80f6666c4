"""`roadstead check`: the bucket compared with the index."""

from __future__ import annotations

from argparse import Namespace

from cli.composition import Cloud
from cli.failures import Failure
from cli.output import Output, fields
from cli.subcommands import Subcommands
from roadstead.lifecycle.bucket_audit import Audit

SHOWN = 20  # keys of each kind, for people


def add_parsers(commands: Subcommands) -> None:
    check = commands.add("check", "compare the bucket with the index: what nothing explains, and what is missing", run)
    check.add_argument(
        "--repair", action="store_true", help="hand what nothing explains to the collector, which looks again first"
    )


def run(options: Namespace, cloud: Cloud, output: Output) -> None:
    """Compare everything, beside pushes. Exit code 1 if objects are missing, or nothing explains some that stay."""
    output.progress("Listing the bucket and reading the index …")
    audit, left = cloud.check(repair=options.repair)
    output.result(_document(audit), _lines(audit))
    if audit.missing:
        raise Failure(
            f"{len(audit.missing)} objects that the index names are missing: restore them from the bucket's versions."
        )
    if left:
        raise Failure(
            f"Nothing explains {len(left)} objects."
            + ("" if options.repair else " `roadstead check --repair` hands them to the collector.")
        )


def _document(audit: Audit) -> dict[str, object]:
    return {
        "objects": audit.objects,
        "bytes": audit.size,
        "young": audit.young,
        "unexplained": [{"key": one.key, "bytes": one.size} for one in audit.unexplained],
        "missing": [{"key": one.key, "named_by": "/".join(one.place)} for one in audit.missing],
    }


def _lines(audit: Audit) -> list[str]:
    lines = fields(
        {
            "objects": audit.objects,
            "bytes": audit.size,
            "too young to tell": audit.young,
            "unexplained": len(audit.unexplained),
            "missing": len(audit.missing),
        }
    )
    lines += [f"  unexplained  {one.key}" for one in audit.unexplained[:SHOWN]]
    return lines + [f"  missing      {one.key}, named by {' '.join(one.place)}" for one in audit.missing[:SHOWN]]
