"""Robots, groups and access tokens through real clients: made over the management API, used to push and pull."""

from __future__ import annotations

import pytest

from tests.e2e.clients import Client, Skopeo
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.management import ask, make_robot
from tests.e2e.people import People, Person


@pytest.mark.parametrize("level", ["project", "system"])
def test_a_robot_pushes_and_pulls_until_it_is_disabled(
    client: Client, cloud: Cloud, people: People, project: str, image: Image, level: str
) -> None:
    """Its name has `$` and, in a project, `+`."""
    robot = make_robot(cloud, people.admin, project, "pull", "push", level=level)
    assert robot.name == f"robot${f'{project}+' if level == 'project' else ''}ci_{level}.{project}"
    reference = f"{cloud.host}/{project}/app:1"
    client.load(image, reference)
    client.login(robot.name, robot.password).succeeded()
    client.push(reference).succeeded()
    client.pull(reference).succeeded()

    query = f"q=Level%3D{level}%2CProjectID%3D{_project_id(cloud, people.admin, project)}&page_size=100"
    listed = ask(cloud, people.admin, "GET", f"/v2.0/robots?{query}")[1]
    (shown,) = [one for one in listed if one["name"] == robot.name]
    assert ask(cloud, people.admin, "PUT", f"/v2.0/robots/{shown['id']}", {**shown, "disable": True})[0] == 200
    client.push(reference).failed()


def test_a_robot_that_may_only_pull_pushes_nothing(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    client, other = open_client(Skopeo), open_client(Skopeo)
    reference = f"{cloud.host}/{project}/app:1"
    client.load(image, reference)
    client.login(people.developer.name, people.developer.password).succeeded()
    client.push(reference).succeeded()

    robot = make_robot(cloud, people.admin, project, "pull")
    other.login(robot.name, robot.password).succeeded()
    other.pull(reference).succeeded()
    other.load(image, f"{cloud.host}/{project}/app:2")
    other.push(f"{cloud.host}/{project}/app:2").failed()


def test_an_access_token_takes_the_place_of_the_password_until_it_is_revoked(
    client: Client, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    tokens = "/roadstead/v1/users/current/tokens"
    new = {"name": f"{client.name} {project}", "access": "write", "projects": [project], "duration": 1}
    status, made = ask(cloud, people.developer, "POST", tokens, new)
    assert status == 201, made
    reference = f"{cloud.host}/{project}/app:1"
    client.load(image, reference)
    client.login(people.developer.name, made["token"]).succeeded()
    client.push(reference).succeeded()

    assert ask(cloud, people.developer, "DELETE", f"{tokens}/{made['id']}")[0] == 200
    client.push(reference).failed()


def test_a_role_limited_to_repositories_pushes_to_those_alone(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    client, stranger = open_client(Skopeo), people.stranger
    limited = {"role_id": 2, "member_user": {"username": stranger.name}, "repositories": ["team-a/**"]}
    assert ask(cloud, people.admin, "POST", f"/roadstead/v1/projects/{project}/members", limited)[0] == 201
    client.login(stranger.name, stranger.password).succeeded()
    for repository in ("team-a/app", "team-b/app"):
        client.load(image, f"{cloud.host}/{project}/{repository}:1")
    client.push(f"{cloud.host}/{project}/team-a/app:1").succeeded()
    client.push(f"{cloud.host}/{project}/team-b/app:1").failed()


def test_a_member_of_a_local_group_pushes_until_the_group_is_removed(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    client = open_client(Skopeo)
    admin, stranger = people.admin, people.stranger
    new = {"group_name": f"{client.name} {project}", "group_type": 2}
    assert ask(cloud, admin, "POST", "/v2.0/usergroups", new)[0] == 201
    group = ask(cloud, admin, "GET", f"/v2.0/usergroups?group_name={project}")[1][0]["id"]
    member = {"role_id": 2, "member_group": {"id": group}}
    assert ask(cloud, admin, "POST", f"/v2.0/projects/{project}/members", member)[0] == 201
    reference = f"{cloud.host}/{project}/app:1"
    client.load(image, reference)
    client.login(stranger.name, stranger.password).succeeded()
    client.push(reference).failed()

    who = {"username": stranger.name}
    assert ask(cloud, admin, "POST", f"/roadstead/v1/usergroups/{group}/members", who)[0] == 201
    client.push(reference).succeeded()

    assert ask(cloud, admin, "DELETE", f"/v2.0/usergroups/{group}")[0] == 200
    client.push(reference).failed()


def _project_id(cloud: Cloud, admin: Person, project: str) -> int:
    return int(ask(cloud, admin, "GET", f"/v2.0/projects/{project}")[1]["project_id"])
