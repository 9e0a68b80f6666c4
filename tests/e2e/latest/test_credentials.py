"""crane and oras use the credentials that `docker login` stored."""

from __future__ import annotations

import pytest

from tests.e2e.clients.docker import Docker
from tests.e2e.clients.layouts import Crane, CurrentCrane, LayoutClient, Oras
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.people import People


@pytest.mark.parametrize("reader", [Crane, CurrentCrane, Oras], ids=lambda kind: str(kind.name))
def test_a_client_pushes_and_pulls_with_the_credentials_of_docker_login(
    open_client: OpenClient, reader: type[LayoutClient], cloud: Cloud, people: People, project: str, image: Image
) -> None:
    docker, client = open_client(Docker), open_client(reader)
    assert isinstance(docker, Docker)
    docker.login(people.developer.name, people.developer.password).succeeded()
    (client.home / "config.json").write_text(docker.config.read_text())

    reference = f"{cloud.host}/{project}/app:1"
    client.load(image, reference)
    client.push(reference).succeeded()
    client.pull(reference).succeeded()
    assert client.digest(reference) == image.digest
