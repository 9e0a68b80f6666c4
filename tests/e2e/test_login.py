"""Logging in and out."""

from __future__ import annotations

import json

import pytest

from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.docker import Docker
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.people import Office, People


def test_the_right_password_logs_in_until_logout(
    client: Client, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    client.load(image, reference)
    client.login(people.developer.name, people.developer.password).succeeded()
    client.push(reference).succeeded()

    client.logout().succeeded()

    client.push(reference).failed()


@pytest.mark.parametrize("name", ["known", "unknown"])
def test_wrong_credentials_are_refused_with_a_message(
    client: Client, cloud: Cloud, office: Office, project: str, name: str
) -> None:
    """The message is the same whether or not the user exists."""
    user = office.make_person().name if name == "known" else f"{project}-nobody"
    refused = client.login(user, "not the right password")
    if not client.logs_in:
        refused = client.pull(f"{cloud.host}/{project}/app:1")
    assert client.wrong_password in refused.failed().output
    assert refused.seconds < 20


def test_other_clients_use_the_credentials_of_docker_login(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    """docker keeps name and password in a file that the others read, too."""
    docker = open_client(Docker)
    assert isinstance(docker, Docker)
    docker.login(people.developer.name, people.developer.password).succeeded()
    kept = json.loads(docker.config.read_text())["auths"][cloud.host]
    assert kept["auth"] and "identitytoken" not in kept

    skopeo = open_client(Skopeo)
    assert isinstance(skopeo, Skopeo)
    skopeo.auth_file.write_text(docker.config.read_text())
    reference = f"{cloud.host}/{project}/app:1"
    skopeo.load(image, reference)
    skopeo.push(reference).succeeded()
