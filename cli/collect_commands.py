"""`roadstead collect`: a run of the collector by hand, from here."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

from cli.composition import Cloud
from cli.failures import USAGE, Failure
from cli.output import Output, fields
from cli.subcommands import Subcommands
from roadstead.lifecycle.collector.report import Report
from roadstead.lifecycle.collector.run import MIN_FENCE, MIN_GRACE


def add_parsers(commands: Subcommands) -> None:
    collect = commands.add("collect", "free what nothing needs any more", run)
    collect.add_argument("--dry-run", action="store_true", help="say what would go; change nothing")
    for name, default, what in (
        ("--grace", MIN_GRACE, "how old a candidate is before it is looked at"),
        ("--fence", MIN_FENCE, "how long a link that nothing needs is left alone before it is removed"),
    ):
        collect.add_argument(
            name, type=_seconds, default=default, metavar="SECONDS", help=f"{what} (default and least: {default})"
        )


def run(options: Namespace, cloud: Cloud, output: Output) -> None:
    """Run it as often as it takes for everything that is due now."""
    if not cloud.target.is_local and (options.grace < MIN_GRACE or options.fence < MIN_FENCE):
        raise Failure(
            f"Beside pushes only a grace of at least {MIN_GRACE} s and a fence of at least {MIN_FENCE} s are safe; "
            "less is for a local registry.",
            USAGE,
        )
    report = cloud.collector(options.grace, options.fence).run(dry=options.dry_run)
    output.result(report.as_json(), _lines(report))


def _lines(report: Report) -> list[str]:
    would = "would be " if report.dry_run else ""
    return fields(
        {
            "candidates that were due": report.candidates,
            f"links {would}marked": report.links_marked,
            f"links {would}removed": report.links_removed,
            f"blobs {would}deleted": report.blobs_deleted,
            f"manifests {would}deleted": report.manifests_deleted,
            f"leftovers {would}deleted": report.leftovers_deleted,
            f"bytes {would}freed": report.bytes_freed,
            "candidates not understood": report.unexplained,
        }
    )


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds")
    return int(text)
