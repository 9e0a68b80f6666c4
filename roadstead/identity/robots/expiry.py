"""Warnings that a robot is about to expire: one event for each expiry, whether or not the robot signs in.

The store notes when a robot is to be looked at, in the transaction that makes or changes it. A note is only a hint:
what counts is the robot as it is then, so notes of robots that were changed or removed meanwhile do no harm.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from roadstead.conflicts import Conflict
from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.robots.robots import DueWarning, Robot, Robots, warn_at
from roadstead.identity.stores import Projects
from roadstead.trail.entries import Actor, ActorKind, Operation, rfc3339
from roadstead.trail.events import EventMaker

MOST = 200  # robots that one run looks at; the next one goes on
_PAGE = 50
REGISTRY = Actor("management", ActorKind.SYSTEM)


class ExpiryStore(Robots, Projects, Protocol):
    """The parts of the identity store that warnings need."""


class ExpiryWarnings:
    """Looks at the robots that are due. `configuration` says how robots are named."""

    def __init__(
        self, store: ExpiryStore, configuration: ConfigurationReader, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._clock = clock
        self._events = EventMaker(clock)

    def run(self) -> int:
        """Leave an event for each robot that is due; return how many.

        Costs one Query; for each robot two reads, a transaction and a delete. Two runs at once, or one that is cut
        short, leave no event twice.
        """
        warned = seen = 0
        while seen < MOST:
            page = self._store.due_warnings(int(self._clock()), _PAGE)
            if not page:
                break
            for due in page:
                warned += self._look_at(due)
                self._store.forget_warning(due)
            seen += len(page)
        return warned

    def _look_at(self, due: DueWarning) -> bool:
        robot = self._store.find_robot(due.name)
        if robot is None or robot.id != due.id or warn_at(robot) != due.at or not self._is_alive(robot):
            return False
        event = self._events.make(
            Operation.ROBOT_EXPIRES,
            REGISTRY,
            "",
            project=robot.name.project or "",
            user=robot.name.full(self._configuration.read().text("robot_name_prefix")),
            detail=f"robot={robot.id} expires={rfc3339(robot.expires * 1000)}",
        )
        # A conflict means that another run has warned meanwhile, or that the robot is gone.
        with contextlib.suppress(Conflict):
            self._store.set_robot_warned(robot, event=event)
            return True
        return False

    def _is_alive(self, robot: Robot) -> bool:
        project = robot.name.project
        if robot.has_expired(self._clock()):
            return False
        found = self._store.find_project(project) if project is not None else None
        return project is None or (found is not None and robot.is_of(project, found.id))
