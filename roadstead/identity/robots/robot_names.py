"""Names of robots: `robot$<project>+<name>` of a project's robot, `robot$<name>` of a system robot.

The prefix is `robot_name_prefix` of the configuration. The store knows a robot without it, so that another prefix
renames every robot at once, within the minute that the configuration is remembered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from roadstead.names import ProjectName

MAX_NAME = 64  # characters
MAX_LOCAL = 160  # characters of a project's name, `+` and a robot's name: a token holds them
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class RobotName:
    """A robot's name without the prefix. `project` is None for a system robot."""

    project: ProjectName | None
    name: str

    @classmethod
    def parse(cls, project: ProjectName | None, name: str) -> Self:
        """Return the name of a new robot. Raises ValueError with a sentence for a person."""
        if len(name) > MAX_NAME or _NAME.fullmatch(name) is None:
            raise ValueError(
                f"{name[:70]!r} is not a robot's name: 1 to {MAX_NAME} lower-case letters and digits, "
                "parted by single . _ or -; the registry adds the prefix and the project"
            )
        found = cls(project, name)
        if len(found.local) > MAX_LOCAL:
            raise ValueError(f"the names of project and robot have {len(found.local)} characters; at most {MAX_LOCAL}")
        return found

    @classmethod
    def parse_local(cls, text: str) -> Self:
        """Parse `<project>+<name>` or `<name>`. Raises ValueError."""
        first, plus, second = text.partition("+")
        return cls.parse(ProjectName.parse(first), second) if plus else cls.parse(None, first)

    @property
    def local(self) -> str:
        """`<project>+<name>` or `<name>`."""
        return self.name if self.project is None else f"{self.project}+{self.name}"

    def full(self, prefix: str) -> str:
        """Return the name by which the robot signs in."""
        return f"{prefix}{self.local}"


def robot_named(text: str, prefix: str) -> RobotName | None:
    """Return the robot that signs in as `text`, or None if it does not have the form of a robot's name."""
    if not text.startswith(prefix):
        return None
    try:
        return RobotName.parse_local(text.removeprefix(prefix))
    except ValueError:
        return None
