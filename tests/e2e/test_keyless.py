"""Signing in without a kept secret, through real clients: by the credential helper, and by hand."""

from __future__ import annotations

import json

import pytest

from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.docker import Docker
from tests.e2e.clients.podman import Podman
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.credential_helper import aws_variables, set_variables, use_helper
from tests.e2e.images import Image
from tests.e2e.management import ask, make_robot
from tests.e2e.people import People, Person

LOCAL_ROLE = "arn:aws:iam::000000000000:role/local"


def trusting(cloud: Cloud, admin: Person, project: str) -> str:
    """Make a robot that trusts the role of the embedded AWS, and return its name."""
    robot = make_robot(cloud, admin, project, "pull", "push")
    rule = {"issuer": "aws", "audience": cloud.host, "claims": {"arn": LOCAL_ROLE}}
    trust = f"/roadstead/v1/robots/{id_of(cloud, admin, project, robot.name)}/trust"
    assert ask(cloud, admin, "PUT", trust, {"rules": [rule]})[0] == 200
    return robot.name


def id_of(cloud: Cloud, admin: Person, project: str, name: str) -> int:
    project_id = ask(cloud, admin, "GET", f"/v2.0/projects/{project}")[1]["project_id"]
    listed = ask(cloud, admin, "GET", f"/v2.0/robots?q=Level%3Dproject%2CProjectID%3D{project_id}")[1]
    (found,) = [one["id"] for one in listed if one["name"] == name]
    return int(found)


@pytest.mark.parametrize("with_helper", [Docker, Skopeo, Podman], ids=lambda one: one.name)
def test_a_client_pushes_and_pulls_by_the_credential_helper_with_aws_credentials(
    open_client: OpenClient,
    cloud: Cloud,
    people: People,
    project: str,
    image: Image,
    with_helper: type[Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = open_client(with_helper)
    reference = f"{cloud.host}/{project}/app:1"
    client.load(image, reference)
    client.push(reference).failed()

    robot = trusting(cloud, people.admin, project)
    use_helper(client, cloud, robot, "aws", monkeypatch, **aws_variables(cloud))
    client.push(reference).succeeded()
    client.pull(reference).succeeded()

    trust = f"/roadstead/v1/robots/{id_of(cloud, people.admin, project, robot)}/trust"
    assert ask(cloud, people.admin, "PUT", trust, {"rules": []})[0] == 200
    client.push(reference).failed()


def test_docker_login_without_a_name_takes_what_the_helper_makes(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_client(Docker)
    assert isinstance(client, Docker)
    robot = trusting(cloud, people.admin, project)
    use_helper(client, cloud, robot, "aws", monkeypatch, **aws_variables(cloud))
    assert "Login Succeeded" in client.docker("login", cloud.host).succeeded().output
    assert json.loads(client.config.read_text()).get("auths", {}).get(cloud.host, {}) == {}
    refused = client.login(people.developer.name, people.developer.password).failed()
    assert "keeps no passwords" in refused.output


def test_the_command_sets_docker_up_and_prints_a_password_for_a_pipe(
    open_client: OpenClient,
    cloud: Cloud,
    people: People,
    project: str,
    image: Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = open_client(Docker)
    assert isinstance(client, Docker)
    robot = trusting(cloud, people.admin, project)
    set_variables(client, monkeypatch, **aws_variables(cloud))
    sign_in = ("roadstead", "login", cloud.url, "--user", robot, "--keyless", "aws")
    password = client.run(*sign_in, "--print-password").succeeded().stdout
    client.login(robot, password).succeeded()
    reference = f"{cloud.host}/{project}/app:1"
    client.load(image, reference)
    client.push(reference).succeeded()
    client.logout().succeeded()
    client.push(reference).failed()

    client.run(*sign_in, "--docker").succeeded()
    client.push(reference).succeeded()
    client.logout().succeeded()
    client.push(reference).failed()


def test_credentials_that_no_rule_names_are_refused_with_a_sentence(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, robot = open_client(Docker), trusting(cloud, people.admin, project)
    set_variables(client, monkeypatch, **aws_variables(cloud))
    print_password = ("roadstead", "login", cloud.url, "--user", robot, "--keyless", "aws", "--print-password")
    trust = f"/roadstead/v1/robots/{id_of(cloud, people.admin, project, robot)}/trust"
    for audience, arn, words in (
        ("other.example.com", LOCAL_ROLE, f"signed for the registry {cloud.host}"),
        (cloud.host, f"{LOCAL_ROLE}-evil", f"{LOCAL_ROLE} fits no rule of the robot"),
        (cloud.host, "arn:aws:iam::111111111111:role/local", f"{LOCAL_ROLE} fits no rule of the robot"),
    ):
        rule = {"issuer": "aws", "audience": audience, "claims": {"arn": arn}}
        assert ask(cloud, people.admin, "PUT", trust, {"rules": [rule]})[0] == 200
        refused = client.login(robot, client.run(*print_password).succeeded().stdout).failed()
        assert words in refused.output
