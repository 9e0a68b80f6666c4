"""`roadstead check`: the bucket compared with the index, and the usage of projects with what exists."""

from __future__ import annotations

import time
from argparse import Namespace
from dataclasses import dataclass, field

from cli.composition import Cloud
from cli.failures import Failure
from cli.output import Output, fields
from cli.subcommands import Subcommands
from roadstead.catalog.usage_audit import Difference, Place, UsageAudit
from roadstead.lifecycle.bucket_audit.comparison import MIN_AGE, BucketAudit, Served, Stored
from roadstead.lifecycle.bucket_audit.execution import SETTLED

SHOWN = 20  # keys of each kind, for people
_AT_ONCE = 500  # objects, of which is asked what explains them


@dataclass(slots=True)
class _Found:
    """What was compared, and what differs. `young` objects that nothing explains may belong to what is under way, and
    `changing` counts changed again and again."""

    objects: int = 0
    size: int = 0
    young: int = 0
    unexplained: list[Stored] = field(default_factory=list)
    missing: list[Served] = field(default_factory=list)
    projects: int = 0
    changing: int = 0
    miscounted: list[Difference] = field(default_factory=list)


def add_parsers(commands: Subcommands) -> None:
    what = "compare bucket, index and usage: what nothing explains, what is missing, and what counts wrongly"
    check = commands.add("check", what, run)
    check.add_argument(
        "--repair",
        action="store_true",
        help="hand what nothing explains to the collector, which looks again first; count anew what counts wrongly",
    )


def run(options: Namespace, cloud: Cloud, output: Output) -> None:
    """Compare everything, beside pushes. Exit code 1 if objects are missing, or something stays that is wrong."""
    output.progress("Looking at the bucket …")
    audit, found = cloud.bucket_audit, _Found()
    _look_at_bucket(audit, found)
    output.progress("Looking at what repositories serve …")
    _look_at_repositories(audit, found)
    left = audit.repair(found.unexplained, now=_now()) if options.repair else found.unexplained
    output.progress("Looking at what counts …")
    _look_at_usage(cloud.usage_audit, found)
    recounted = cloud.usage_audit.repair(found.miscounted) if options.repair else 0
    output.result(_document(found), _lines(found))
    if found.missing:
        raise Failure(
            f"{len(found.missing)} objects that the index names are missing: restore them from the bucket's versions."
        )
    if left:
        raise Failure(
            f"Nothing explains {len(left)} objects."
            + ("" if options.repair else " `roadstead check --repair` hands them to the collector.")
        )
    if len(found.miscounted) > recounted:
        more = "They have changed since, or nothing can be derived: try again."
        if not options.repair:
            more = "`roadstead check --repair` counts anew."
        raise Failure(f"{len(found.miscounted) - recounted} counts of usage are wrong. {more}")


def _look_at_bucket(audit: BucketAudit, found: _Found) -> None:
    after, strange = "", list[Stored]()
    while (page := audit.page(after)) is not None:
        after = page.last
        found.objects += page.objects
        found.size += page.size
        strange += page.strange
        if len(strange) >= _AT_ONCE:
            _settle(audit, found, strange)
            strange = []
    _settle(audit, found, strange)


def _settle(audit: BucketAudit, found: _Found, strange: list[Stored]) -> None:
    now = _now()
    unexplained = audit.unexplained(strange, now=now)
    old = [one for one in unexplained if one.at < now // 1000 - MIN_AGE]
    found.young += len(unexplained) - len(old)
    found.unexplained += old


def _look_at_repositories(audit: BucketAudit, found: _Found) -> None:
    last = ""
    while names := audit.repositories(last):
        last = names[-1]
        for name in names:
            after = ""
            while served := audit.served(name, after):
                after = served[-1].place[1]
                found.missing += audit.missing(served)


def _look_at_usage(audit: UsageAudit, found: _Found) -> None:
    place: Place | None = {}
    differing: list[Difference] = []
    while place is not None:
        page = audit.page(place)
        place = page.place
        found.projects += page.projects
        found.changing += page.changing
        differing += page.differences
    if differing:
        time.sleep(SETTLED)  # the indexer may be about to count what differs
        found.miscounted += audit.again(differing)


def _now() -> int:
    return int(time.time() * 1000)


def _document(found: _Found) -> dict[str, object]:
    return {
        "objects": found.objects,
        "bytes": found.size,
        "young": found.young,
        "unexplained": [{"key": one.key, "bytes": one.size} for one in found.unexplained],
        "missing": [{"key": one.key, "named_by": "/".join(one.place)} for one in found.missing],
        "projects": found.projects,
        "changing": found.changing,
        "miscounted": [
            {
                "kind": str(one.kind),
                "project": one.project,
                "repository": one.repository or "",
                "what": one.what,
                "counted": one.counted,
                "there": one.there,
            }
            for one in found.miscounted
        ],
    }


def _lines(found: _Found) -> list[str]:
    lines = fields(
        {
            "objects": found.objects,
            "bytes": found.size,
            "too young to tell": found.young,
            "unexplained": len(found.unexplained),
            "missing": len(found.missing),
            "projects": found.projects,
            "counts too busy to tell": found.changing,
            "counted wrongly": len(found.miscounted),
        }
    )
    lines += [f"  unexplained  {one.key}" for one in found.unexplained[:SHOWN]]
    lines += [f"  missing      {one.key}, named by {' '.join(one.place)}" for one in found.missing[:SHOWN]]
    return lines + [f"  miscounted   {one}" for one in found.miscounted[:SHOWN]]
