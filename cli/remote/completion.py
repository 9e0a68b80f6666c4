"""What completes the command in bash: groups, their commands, and the options and fixed values of each."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from cli.remote.shapes import Argument, Command, Option
from cli.remote.table import COMMANDS, GROUPS

_COMMON = ("--json", "--no-wait", "--url", "--help")


def script(others: Sequence[str]) -> str:
    """Return a script for bash; `others` are commands that belong to no group.

    It needs no registry: names of projects and repositories are not completed.
    """
    groups = "\n".join(
        f"    {group}) words={shlex.quote(' '.join(one.name for one in COMMANDS if one.group == group))};;"
        for group in GROUPS
    )
    words = "\n".join(f"    '{one.group} {one.name}') words={shlex.quote(' '.join(_words(one)))};;" for one in COMMANDS)
    return f"""_roadstead() {{
  local words=''
  if [ "$COMP_CWORD" -eq 1 ]; then words='{" ".join([*others, *GROUPS])}'
  elif [ "$COMP_CWORD" -eq 2 ]; then case "${{COMP_WORDS[1]}}" in
{groups}
  esac; else case "${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}" in
{words}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -F _roadstead roadstead"""


def _words(one: Command) -> list[str]:
    parts: list[Argument | Option] = [*one.arguments, *one.options]
    fixed = [value for part in parts for value in part.choices]
    options = [f"--{option.name}" for option in one.options]
    return [*fixed, *options, *(["--limit"] if one.listed else []), *_COMMON]
