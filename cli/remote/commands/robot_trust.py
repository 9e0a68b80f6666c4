"""Whose identity tokens, and which AWS credentials, count in place of a robot's secret; and what robots can have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cli.failures import USAGE, Failure
from cli.remote.commands.robots import ROBOT
from cli.remote.shapes import HARBOR, OWN, Argument, Command, Given, Option

_TRUST = f"{OWN}/robots/{{robot}}/trust"
_COLUMNS = {"RULE": "rule", "ISSUER": "issuer", "AUDIENCE": "audience", "CLAIMS": "claims"}


def _rows(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Number the rules as `trust-remove` takes them."""
    return [
        {**rule, "rule": number, "claims": [f"{name}={text}" for name, text in rule["claims"].items()]}
        for number, rule in enumerate(document["rules"], 1)
    ]


def _added(given: Given) -> dict[str, Any]:
    claims = {}
    for one in given["claim"]:
        name, equals, text = one.partition("=")
        if not name or not equals:
            raise Failure(f"{one} is not a claim: write NAME=TEXT, such as repository=acme/ships.", USAGE)
        if name in claims:
            raise Failure(f"The claim {name} is given twice: all claims of a rule must hold.", USAGE)
        claims[name] = text
    rule = {"issuer": given["issuer"], "audience": given["audience"], "claims": claims}
    return {"rules": [*given["was"]["rules"], rule]}


def _removed(given: Given) -> dict[str, Any]:
    rules, text = list(given["was"]["rules"]), given["rule"]
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= len(rules)):
        raise Failure(f"There is no rule {text}: the robot has {len(rules)}.")
    del rules[int(text) - 1]
    return {"rules": rules}


def _catalogue(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [{"in": place, **one} for place in sorted(document) for one in document[place]]


COMMANDS: tuple[Command, ...] = (
    Command(
        "robot",
        "trust",
        "list the rules by which identity tokens and AWS credentials count in place of the robot's secret",
        "GET",
        _TRUST,
        (ROBOT,),
        columns=_COLUMNS,
        rows=_rows,
    ),
    Command(
        "robot",
        "trust-add",
        "add a rule by which an identity token, or AWS credentials, count in place of the robot's secret",
        "PUT",
        _TRUST,
        (ROBOT,),
        (
            Option("issuer", "the issuer's URL, as its tokens write it; aws for AWS IAM", required=True),
            Option("audience", "whom the token is for: the registry's host", required=True),
            Option("claim", "NAME=TEXT, in which * is any text; may be repeated", kind="list", required=True),
        ),
        _added,
        base=_TRUST,
    ),
    Command(
        "robot",
        "trust-remove",
        "remove a rule",
        "PUT",
        _TRUST,
        (ROBOT, Argument("rule", "its number, as `trust` shows it")),
        body=_removed,
        base=_TRUST,
    ),
    Command(
        "robot",
        "set-trust",
        "replace all rules",
        "PUT",
        _TRUST,
        (ROBOT,),
        (
            Option(
                "rules", 'a file with [{"issuer", "audience", "claims"}]; -: standard input', kind="file", required=True
            ),
        ),
        lambda o: {"rules": o["rules"]},
    ),
    Command(
        "robot",
        "permissions",
        "list what robots can have",
        "GET",
        f"{HARBOR}/permissions",
        columns={"IN": "in", "RESOURCE": "resource", "ACTION": "action"},
        rows=_catalogue,
    ),
)
