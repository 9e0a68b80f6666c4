"""The operations pages name only commands that parse, and alarms and checks that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cli.__main__ import _parser
from cli.doctor.deployment import CHECKS as OF_THE_DEPLOYMENT
from cli.doctor.endurance import CHECKS as OF_MINUTES
from cli.doctor.examination import CHECKS
from cli.remote import command as remote

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "docs" / "operations.md", *sorted((ROOT / "docs" / "operations").glob("*.md")))
TEXT = "\n".join(page.read_text() for page in PAGES)
_IN_BLOCKS = [
    command.strip()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    for command in line.partition("#")[0].split(";")
    if command.strip().startswith("roadstead ")
]
_IN_LINE = [text for text in re.findall(r"`(roadstead [^`]+)`", TEXT) if not text.endswith("…")]
COMMANDS = sorted(set(_IN_BLOCKS + _IN_LINE))


def is_complete(command: str) -> bool:
    """Prose names some commands without their arguments."""
    named = ("user release", "user reset-password", "webhook test", "robot trust-remove")
    return command.removeprefix("roadstead ") not in named


@pytest.mark.parametrize("command", [one for one in COMMANDS if is_complete(one)])
def test_a_documented_command_parses(command: str) -> None:
    arguments = shlex.split(command)[1:]
    if remote.wanted(arguments, {}):
        remote.parser().parse_args(arguments)
    else:
        assert _parser().parse_args(arguments).command == arguments[0]


def test_documented_commands_are_found() -> None:
    assert len(_IN_BLOCKS) >= 15
    assert "roadstead keys init" in COMMANDS


def test_every_alarm_is_documented() -> None:
    source = "".join(file.read_text() for file in sorted((ROOT / "infra").rglob("*.py")))
    names = set(re.findall(r'AlarmRule\(\s*"(\w+)"', source) + re.findall(r'\("(\w+DeadLetters)", audit', source))
    assert len(names) >= 12
    section = TEXT.partition("## Alarms")[2].partition("\n## ")[0]
    assert [name for name in names if f"`{name}`" not in section] == []


def test_the_checklist_names_only_existing_checks() -> None:
    section = (ROOT / "docs" / "operations" / "first-deployment.md").read_text()
    named = {
        check
        for part in re.findall(r"doctor ((?:`[\w-]+`(?:, | and )?)+)", section)
        for check in re.findall(r"`([\w-]+)`", part)
    }
    known = {check.id for check in (*CHECKS, *OF_MINUTES)} | {check.id for check in OF_THE_DEPLOYMENT}
    assert named <= known
    assert {"cycle", "wrong-digest", "large-chunked"} <= named
