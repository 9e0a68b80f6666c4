"""BuildKit pushes an image with its build, and its cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.clients.docker import Docker, DockerContainerd
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.people import People, Person
from tests.e2e.processes import Machine


def builder(open_client: OpenClient, kind: type[Docker], machine: Machine, person: Person) -> tuple[Docker, Path]:
    """Return a docker that is logged in, and a build context that needs no image and no network."""
    machine.require("/usr/libexec/docker/cli-plugins/docker-buildx", "docker-buildx")
    docker = open_client(kind)
    assert isinstance(docker, Docker)
    docker.login(person.name, person.password).succeeded()
    context = docker.home / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM scratch\nCOPY motd /etc/motd\nLABEL about=buildx\n")
    (context / "motd").write_text("ships lie at anchor\n")
    return docker, context


@pytest.mark.parametrize("store", [Docker, DockerContainerd], ids=["docker", "docker-containerd"])
def test_a_build_is_pushed(
    machine: Machine, open_client: OpenClient, store: type[Docker], cloud: Cloud, people: People, project: str
) -> None:
    docker, context = builder(open_client, store, machine, people.developer)
    reference = f"{cloud.host}/{project}/built:1"

    docker.docker("buildx", "build", "--push", "-t", reference, context).succeeded()

    other = open_client(store)
    other.login(people.guest.name, people.guest.password).succeeded()
    other.pull(reference).succeeded()
    assert other.digest(reference) == people.guest.api(cloud).digest(f"{project}/built", "1")


def test_an_exported_cache_is_used_again(
    machine: Machine, open_client: OpenClient, cloud: Cloud, people: People, project: str
) -> None:
    """The cache is an index whose children are blobs."""
    cache = f"type=registry,ref={cloud.host}/{project}/built:cache"
    docker, context = builder(open_client, DockerContainerd, machine, people.developer)
    docker.docker("buildx", "build", "--cache-to", f"{cache},mode=max,image-manifest=false", context).succeeded()

    people.guest.api(cloud).digest(f"{project}/built", "cache")
    again, context = builder(open_client, DockerContainerd, machine, people.developer)
    built = again.docker("buildx", "build", "--progress=plain", "--cache-from", cache, context).succeeded()
    assert "CACHED" in built.output
