"""Retention: a project's rules, and their runs. A policy has the id of its project, so a project's name finds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cli.failures import USAGE, Failure
from cli.remote.shapes import (
    EXECUTION,
    HARBOR,
    OWN_OF_PROJECT,
    PROJECT,
    Argument,
    Command,
    Given,
    Option,
    deleting,
    id_of_project,
    listing,
    showing,
)

_POLICY = Argument("project", "the project's name", id_of_project("project"))
_ONE = f"{HARBOR}/retentions/{{project}}"
_RUNS = f"{_ONE}/executions"
_RUN = f"{_RUNS}/{{execution}}"
_KEEP = Option(
    "keep",
    "what stays: always, or latestPushedK=N, latestPulledN=N, nDaysSinceLastPush=N, nDaysSinceLastPull=N, "
    "newestVersionsOfMinor=N",
    required=True,
)
_SELECTORS = (
    Option("tags", "a pattern of the tags that the rule is about (default: **)"),
    Option("repositories", "a pattern of repositories (default: **)"),
    Option("not-untagged", "leave out artifacts without a tag", kind="flag"),
)
_CRON = Option("cron", "when it runs, in six fields, seconds first, UTC; without one it runs by hand only")


def _rule(given: Given) -> dict[str, Any]:
    template, _, number = given["keep"].partition("=")
    if number and not (number.isascii() and number.isdigit()):
        raise Failure(f"--keep takes a number behind {template}=.", USAGE)
    extras = '{"untagged":false}' if given["not_untagged"] else '{"untagged":true}'
    tags = {"kind": "doublestar", "decoration": "matches", "pattern": given["tags"] or "**", "extras": extras}
    where = {"kind": "doublestar", "decoration": "repoMatches", "pattern": given["repositories"] or "**"}
    return {
        "action": "retain",
        "template": template,
        "params": {template: int(number)} if number else {},
        "tag_selectors": [tags],
        "scope_selectors": {"repository": [where]},
    }


def _policy(project: Any, rules: Sequence[Mapping[str, Any]], cron: str) -> dict[str, Any]:
    return {
        "algorithm": "or",
        "scope": {"level": "project", "ref": int(project)},
        "trigger": {"kind": "Schedule", "settings": {"cron": cron}},
        "rules": list(rules),
    }


def _again(given: Given, rules: Sequence[Mapping[str, Any]], cron: str | None = None) -> dict[str, Any]:
    """The policy that there is, with other rules or another schedule."""
    kept = given["was"]["trigger"]["settings"]["cron"] if cron is None else cron
    return _policy(given["project"], rules, kept)


def _without(given: Given) -> dict[str, Any]:
    rules = given["was"]["rules"]
    left = [one for one in rules if str(one["id"]) != given["rule"]]
    if len(left) == len(rules):
        raise Failure(f"The project has no rule {given['rule']}.")
    return _again(given, left)


COMMANDS: tuple[Command, ...] = (
    showing("retention", "show a project's rules", _ONE, _POLICY),
    Command(
        "retention",
        "create",
        "give a project its first rule: whatever no rule keeps goes, in the repositories that a rule is about",
        "POST",
        f"{HARBOR}/retentions",
        (_POLICY,),
        (_KEEP, *_SELECTORS, _CRON),
        lambda o: _policy(o["project"], [_rule(o)], o["cron"] or ""),
    ),
    Command(
        "retention",
        "add-rule",
        "add a rule: an artifact that one rule keeps stays",
        "PUT",
        _ONE,
        (_POLICY,),
        (_KEEP, *_SELECTORS),
        lambda o: _again(o, [*o["was"]["rules"], _rule(o)]),
        base=_ONE,
    ),
    Command(
        "retention",
        "remove-rule",
        "remove a rule; without any nothing goes",
        "PUT",
        _ONE,
        (_POLICY, Argument("rule", "the rule's id")),
        body=_without,
        base=_ONE,
    ),
    Command(
        "retention",
        "schedule",
        "set when the rules run",
        "PUT",
        _ONE,
        (_POLICY,),
        (_CRON,),
        lambda o: _again(o, o["was"]["rules"], o["cron"] or ""),
        base=_ONE,
    ),
    deleting("retention", "remove all rules of a project", _ONE, _POLICY),
    Command(
        "retention",
        "preview",
        "say what the rules would keep now, and change nothing",
        "POST",
        f"{OWN_OF_PROJECT}/retention/preview",
        (PROJECT,),
        columns={"REPOSITORY": "repository", "DIGEST": "digest", "TAGS": "tags", "KEEP": "keep", "WHY": "reason"},
        rows=lambda found: [
            {"repository": one["repository"], **artifact} for one in found for artifact in one["artifacts"]
        ],
    ),
    Command(
        "retention",
        "run",
        "run the rules now",
        "POST",
        _RUNS,
        (_POLICY,),
        (Option("dry-run", "say what would go, and delete nothing", kind="flag"),),
        lambda o: {"dry_run": bool(o["dry_run"])},
    ),
    listing(
        "retention",
        "list the runs of a project's rules",
        _RUNS,
        {"ID": "id", "STATUS": "status", "STARTED": "start_time", "ENDED": "end_time", "DRY RUN": "dry_run"},
        _POLICY,
        name="runs",
        options=(),
    ),
    listing(
        "retention",
        "list the repositories of a run",
        f"{_RUN}/tasks",
        {"TASK": "id", "REPOSITORY": "repository", "STATUS": "status", "TOTAL": "total", "RETAINED": "retained"},
        _POLICY,
        EXECUTION,
        name="tasks",
        options=(),
    ),
    showing(
        "retention",
        "print what a run did in a repository, and why",
        f"{_RUN}/tasks/{{task}}",
        _POLICY,
        EXECUTION,
        Argument("task"),
        name="log",
    ),
    Command(
        "retention",
        "stop",
        "stop a run after the step that is under way",
        "PATCH",
        _RUN,
        (_POLICY, EXECUTION),
        body=lambda _: {"action": "stop"},
    ),
)
