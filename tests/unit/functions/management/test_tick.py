"""What the management function does by itself, every hour."""

from __future__ import annotations

import time

import pytest

from functions.management import handler
from roadstead.identity.permissions import Permission
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import DAY, Robot, RobotGrant, Scope, generated_hash
from roadstead.trail.entries import ActorKind, Operation
from tests.unit.functions.management.client import Desk


def test_a_tick_warns_of_robots_that_expire_soon_and_a_request_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    monkeypatch.setattr(handler, "services", lambda: desk.services)
    monkeypatch.setattr(handler, "application", lambda: desk.application)
    created, pull = int(time.time()) - 25 * DAY, frozenset({Permission.parse("repository", "pull")})
    grants = (RobotGrant(Scope.PROJECT, pull),)
    name, secret = RobotName(None, "ci"), generated_hash("secret")
    robot = desk.directory.create_robot(Robot(name, 0, secret, grants, created, 30, "ada", ActorKind.USER, 1))
    request = {"httpMethod": "GET", "path": "/api/v2.0/ping", "requestContext": {}, "headers": {}, "tick": "true"}
    assert handler.handle(request, None)["statusCode"] == 200
    assert [handler.handle({"tick": True}, None) for _ in range(2)] == [{"warned": 1}, {"warned": 0}]
    (event,) = [event for event in desk.directory.events if event.operation is Operation.ROBOT_EXPIRES]
    assert (event.user, event.detail.partition(" ")[0]) == ("robot$ci", f"robot={robot.id}")
