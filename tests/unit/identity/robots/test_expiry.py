"""Warnings of robots that are about to expire: in time, once, and without a sign-in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.conflicts import Conflict
from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.directory import Project
from roadstead.identity.permissions import Permission
from roadstead.identity.robots import expiry
from roadstead.identity.robots.expiry import ExpiryWarnings
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import DAY, NEVER, Robot, RobotGrant, Scope, generated_hash
from roadstead.names import ProjectName
from roadstead.trail.entries import ActorKind, Event, Operation
from tests.memory.configuration import MemoryConfiguration
from tests.memory.identity import MemoryIdentities
from tests.unit.identity.parts import Clock

NOON, SHIPS = 1_800_000_000, ProjectName("ships")
GRANT = RobotGrant(Scope.PROJECT, frozenset({Permission.parse("repository", "pull")}), SHIPS, 1)


class Registry:
    """A store with the project `ships`, and warnings by a clock of the test's own."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryIdentities(), Clock(NOON)
        self.project = self.store.create_project(Project(SHIPS, False, NOON, "root"))
        reader = ConfigurationReader(MemoryConfiguration([]), clock=self.clock)
        self.warnings = ExpiryWarnings(self.store, reader, clock=self.clock)

    def add(self, duration: int, name: str = "ci", *, system: bool = False) -> Robot:
        return self.store.create_robot(
            Robot(
                name=RobotName(None if system else SHIPS, name),
                project_id=0 if system else self.project.id,
                secret=generated_hash("secret"),
                grants=(replace(GRANT, project_id=self.project.id),),
                created=int(self.clock.now),
                duration=duration,
                creator="root",
                creator_kind=ActorKind.USER,
                creator_id=1,
            )
        )

    def told(self, days: float) -> list[Event]:
        """What a run leaves so many days after noon."""
        self.clock.now = NOON + int(days * DAY)
        before = len(self.store.events)
        count = self.warnings.run()
        events = self.store.events[before:]
        assert len(events) == count and {event.operation for event in events} <= {Operation.ROBOT_EXPIRES}
        return events


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_a_robot_that_never_signs_in_is_warned_of_once_seven_days_before_it_expires(registry: Registry) -> None:
    robot = registry.add(30)
    assert registry.told(22.9) == []
    (event,) = registry.told(23)
    assert (event.user, event.project, event.actor.kind) == ("robot$ships+ci", "ships", ActorKind.SYSTEM)
    assert event.detail == f"robot={robot.id} expires=2027-02-14T08:00:00.000Z"
    assert registry.told(24) == registry.told(31) == []


def test_a_robot_of_a_short_life_is_warned_of_when_half_of_it_is_over(registry: Registry) -> None:
    registry.add(1)
    assert registry.told(0.49) == []
    assert len(registry.told(0.5)) == 1


def test_a_system_robot_is_warned_of_without_a_project(registry: Registry) -> None:
    registry.add(14, system=True)
    (event,) = registry.told(7)
    assert (event.user, event.project) == ("robot$ci", "")


def test_a_robot_that_never_expires_is_never_looked_at(registry: Registry) -> None:
    registry.add(NEVER)
    assert registry.store.due_warnings(NOON + 10_000 * DAY, 10) == ()


def test_another_duration_is_warned_of_again_and_a_longer_one_not_before_its_time(registry: Registry) -> None:
    robot = registry.add(30)
    registry.store.update_robot(replace(robot, duration=60))
    assert registry.told(23) == []
    assert len(registry.told(53)) == 1
    kept = registry.store.find_robot(robot.name)
    assert kept is not None
    registry.store.update_robot(replace(kept, description="the same life"))
    assert registry.told(54) == []
    registry.store.update_robot(replace(kept, duration=61))
    assert len(registry.told(54)) == 1


def test_whoever_was_disabled_removed_made_anew_or_lost_the_project_is_not_warned_of(registry: Registry) -> None:
    disabled, removed, anew = (registry.add(30, name) for name in ("disabled", "removed", "anew"))
    registry.store.update_robot(replace(disabled, disabled=True))
    registry.store.remove_robot(removed)
    registry.store.remove_robot(anew)
    registry.add(90, "anew")
    assert registry.told(23) == []
    registry.store.update_robot(disabled)
    assert [event.user for event in registry.told(23)] == ["robot$ships+disabled"]
    assert [event.user for event in registry.told(83)] == ["robot$ships+anew"]
    registry.add(30, "orphan")
    registry.store._projects[SHIPS] = replace(registry.project, id=registry.project.id + 1)
    assert registry.told(83 + 23) == []


def test_a_robot_that_has_expired_before_anybody_looked_is_not_warned_of(registry: Registry) -> None:
    registry.add(30)
    assert registry.told(30) == []


def test_more_robots_than_one_run_looks_at_are_left_to_the_next(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "MOST", 100)
    for number in range(120):
        registry.add(30, f"r{number}")
    assert (len(registry.told(23)), len(registry.told(23)), len(registry.told(23))) == (100, 20, 0)


def test_a_run_that_is_cut_short_leaves_no_event_twice(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the event and the removal of the note: the next run finds the note, and the robot that was warned of."""
    registry.add(30)
    with monkeypatch.context() as cut:
        cut.setattr(registry.store, "forget_warning", lambda _: (_ for _ in ()).throw(Conflict("cut")))
        registry.clock.now = NOON + 23 * DAY
        with pytest.raises(Conflict):
            registry.warnings.run()
    assert registry.told(23) == []
    warned = [event for event in registry.store.events if event.operation is Operation.ROBOT_EXPIRES]
    assert len(warned) == 1
