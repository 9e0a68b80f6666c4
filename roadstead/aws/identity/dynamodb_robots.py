"""`Robots` on the identity table. A robot is one item; its id is claimed beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from roadstead.aws import id_claims
from roadstead.aws.identity.identity_items import ABSENT, project_key, told
from roadstead.aws.identity.robot_items import (
    ROBOTS_DUE,
    ROBOTS_EXPIRING,
    changeable,
    due_key,
    expiring_key,
    robot_from,
    robot_item,
    robot_key,
    robots_pk,
    trust_item,
)
from roadstead.aws.table import Key, Table, TransactionFailed, Write, check, delete, put, update
from roadstead.conflicts import Conflict
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import KEPT_EXPIRED, NEVER, DueWarning, Robot, UnknownRobot, warn_at
from roadstead.identity.stores import UnknownProject
from roadstead.ids import IdKind, clock_id
from roadstead.names import ProjectName
from roadstead.trail.entries import Event

_SAME = "id = :id"  # or another robot has the name by now


class DynamoRobots:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_robot(self, name: RobotName) -> Robot | None:
        item = self._table.get(robot_key(name))
        return robot_from(name, item) if item else None

    def list_robots(self, project: ProjectName | None) -> tuple[Robot, ...]:
        found = self._table.query(robots_pk(project))
        return tuple(robot_from(RobotName(project, item["sk"]), item) for item in found)

    def create_robot(self, robot: Robot, *, event: Event | None = None) -> Robot:
        free, values = ABSENT, {}
        checks: list[Write] = []
        if robot.name.project is not None:
            free, values = f"{ABSENT} OR project_id <> :project", {":project": robot.project_id}
            checks = [check(project_key(robot.name.project), _SAME, {":id": robot.project_id})]

        def writes(id_: int) -> list[Write]:
            made = replace(robot, id=id_)
            return [put(robot_key(robot.name), robot_item(made), free, values), *checks, *_noted(made), *told(event)]

        wanted = robot.id or clock_id(robot.created)
        try:
            return replace(robot, id=id_claims.create(self._table, IdKind.ROBOT, wanted, robot.name.local, writes))
        except TransactionFailed as error:
            if 1 in error.failed:
                raise UnknownProject(robot.name.project) from error
            raise

    def update_robot(self, robot: Robot, *, event: Event | None = None) -> None:
        self._set(robot, changeable(robot), event, _noted(robot))

    def set_robot_secret(self, robot: Robot, secret: str, *, event: Event | None = None) -> None:
        self._set(robot, {"secret": secret}, event)

    def set_robot_trust(self, robot: Robot, *, event: Event | None = None) -> None:
        self._set(robot, {"trust": trust_item(robot)}, event)

    def set_robot_warned(self, robot: Robot, *, event: Event | None = None) -> None:
        warn = update(
            robot_key(robot.name),
            "SET warned = :at",
            f"{_SAME} AND warned <> :at",
            {":at": robot.expires, ":id": robot.id},
        )
        self._table.transact([warn, *told(event)])

    def due_warnings(self, before: int, most: int) -> tuple[DueWarning, ...]:
        found = []
        for item in self._table.query(ROBOTS_DUE, limit=most):
            at, _, id_ = item["sk"].partition("#")
            if int(at) > before:
                break
            found.append(DueWarning(int(at), RobotName.parse_local(item["name"]), int(id_)))
        return tuple(found)

    def expiring(self, since: int, until: int, most: int) -> tuple[tuple[Robot, ...], bool]:
        read = self._table.query(ROBOTS_EXPIRING, after=f"{since:012d}", limit=most + 1)
        noted = [item for item in read if item["sk"] <= f"{until:012d}$"]  # the character after the # of a note
        names, notes = dict[Key, RobotName](), set[Key]()
        for item in noted[:most]:
            name = RobotName.parse_local(item["name"])
            names[robot_key(name)] = name
            notes.add((item["pk"], item["sk"]))
        found = self._table.batch_get(names) if names else {}
        robots = (robot_from(names[key], item) for key, item in found.items())
        standing = (robot for robot in robots if expiring_key(robot) in notes and not robot.disabled)
        return tuple(sorted(standing, key=lambda robot: (robot.expires, str(robot.id)))), len(noted) > most

    def forget_warning(self, due: DueWarning) -> None:
        self._table.write(delete(due_key(due)))

    def remove_robot(self, robot: Robot, *, event: Event | None = None) -> None:
        try:
            gone = delete(robot_key(robot.name), _SAME, {":id": robot.id})
            notes = [delete(expiring_key(robot))] if robot.expires != NEVER else []
            self._table.transact([gone, *notes, *told(event)])
        except Conflict:
            return  # it is gone

    def _set(
        self, robot: Robot, attributes: Mapping[str, Any], event: Event | None, more: Iterable[Write] = ()
    ) -> None:
        names = {f"#{name}": name for name in attributes}
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in attributes)
        values = {":id": robot.id, **{f":{name}": value for name, value in attributes.items()}}
        try:
            changed = update(robot_key(robot.name), expression, _SAME, values, names)
            self._table.transact([changed, *more, *told(event)])
        except Conflict as error:
            raise UnknownRobot(robot.name.local) from error


def _noted(robot: Robot) -> list[Write]:
    """Return the writes of the notes when a robot expires, and when to look at it if there is anything to warn of.

    A change of the expiry leaves the note of the earlier one, which its reader passes by.
    """
    if robot.expires == NEVER:
        return []
    if robot.disabled:
        return [delete(expiring_key(robot))]
    at, name = warn_at(robot), robot.name.local
    expires = put(expiring_key(robot), {"name": name, "expires": robot.expires + KEPT_EXPIRED})
    return [expires, *([put(due_key(DueWarning(at, robot.name, robot.id)), {"name": name})] if at is not None else [])]
