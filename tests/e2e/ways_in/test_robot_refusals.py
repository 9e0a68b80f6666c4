"""Robots that may not come in, or not any more: what the client shows, and what the trail has."""

from __future__ import annotations

from dataclasses import replace

from tests.e2e.cloud import Cloud
from tests.e2e.management import ask, make_robot
from tests.e2e.people import Office, Person
from tests.e2e.ways_in import ways
from tests.e2e.ways_in.doors import Gate, Pushes


def test_a_robots_secret_ends_with_the_robot(
    gate: Gate, pushes: Pushes, cloud: Cloud, admin: Person, project: str
) -> None:
    robot = make_robot(cloud, admin, project, "pull", "push")
    path = f"/v2.0/robots/{ways.robot_id(cloud, admin, project, robot.name)}"
    assert pushes.by(robot)
    gate.refuses(replace(robot, password="wrong" + robot.password), "the robot's name or its secret is wrong")
    shown = ask(cloud, admin, "GET", path)[1]
    assert ask(cloud, admin, "PUT", path, {**shown, "disable": True})[0] == 200
    gate.refuses(robot, "the robot is disabled")
    assert ask(cloud, admin, "PUT", path, {**shown, "disable": False})[0] == 200
    assert pushes.still()
    fresh = ask(cloud, admin, "PATCH", path, {})[1]["secret"]
    gate.refuses(robot, "the robot's name or its secret is wrong")
    assert pushes.by(replace(robot, password=fresh))
    assert ask(cloud, admin, "DELETE", path)[0] == 200
    gate.refuses(replace(robot, password=fresh), "the robot's name or its secret is wrong")
    assert not pushes.still()


def test_a_robot_that_has_expired_is_told_so(
    gate: Gate, cloud: Cloud, admin: Person, project: str, office: Office
) -> None:
    robot = make_robot(cloud, admin, project, "pull", "push")
    office.age_robot(robot.name, days=2)
    gate.refuses(robot, "the robot has expired: give it a longer duration, which counts from its creation")


def test_a_robot_goes_with_its_project_and_a_later_project_of_that_name_knows_none(
    gate: Gate, cloud: Cloud, admin: Person, project: str
) -> None:
    robot = make_robot(cloud, admin, project, "pull", "push")
    assert ask(cloud, admin, "DELETE", f"/v2.0/projects/{project}")[0] == 200
    gone = "the robot's"
    gate.refuses(robot, gone)
    assert ask(cloud, admin, "POST", "/v2.0/projects", {"project_name": project})[0] == 201
    gate.refuses(robot, gone)


def test_a_robot_that_only_pulls_pushes_nothing_and_the_trail_says_what_it_asked(
    pushes: Pushes, cloud: Cloud, admin: Person, project: str
) -> None:
    robot = make_robot(cloud, admin, project, "pull")
    assert not pushes.by(robot)
    refusals = [
        entry
        for entry in cloud.trail()
        if entry["operation"] == "permission-refused" and entry["actor"]["name"] == robot.name
    ]
    assert {entry["actor"]["kind"] for entry in refusals} == {"robot"}
    assert any(f"{project}/app" in str(entry) and "push" in entry["detail"] for entry in refusals)
