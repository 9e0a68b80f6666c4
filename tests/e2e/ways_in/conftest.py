"""A registry of its own, with a directory and an issuer: what is configured there must not change the other tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import free_port
from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.docker import Docker
from tests.e2e.cloud import Cloud, instance
from tests.e2e.images import Image
from tests.e2e.management import ask
from tests.e2e.people import Office, People, Person
from tests.e2e.processes import Machine
from tests.e2e.ways_in.doors import Gate, Pushes
from tests.issuer import Issuer, issuer
from tests.providers import directory_settings, issuer_settings
from tests.slapd import Slapd, group, person, slapd

# Whom the directory has beside ada and bob: each test that makes somebody fail has its own.
NAMES = ("carol", "dora", "emil", "fred", "gina", "hugo", "iris", "jon")


@pytest.fixture(scope="session")
def directory(work: Path) -> Iterator[Slapd]:
    extra = "".join(map(person, NAMES)) + group("crew", "uid=gina,ou=people", "uid=bob,ou=people")
    with slapd(work / "slapd", extra=extra) as running:
        yield running


@pytest.fixture(scope="session")
def provider() -> Iterator[Issuer]:
    """The provider of people, and the CI that the registry knows."""
    with issuer() as running:
        yield running


@pytest.fixture(scope="session")
def cloud(work: Path, directory: Slapd, provider: Issuer) -> Iterator[Cloud]:
    """A registry that is configured before it is asked for a token: a function remembers the configuration a minute."""
    with instance(work / "ways-in", free_port(), "--ldap-ca", str(directory.authority_file)) as started:
        running = started.wait_until_ready()
        admin = Person(running.admin, running.admin_password)
        settings = {**directory_settings(directory), **issuer_settings(provider)}
        assert ask(running, admin, "PUT", "/v2.0/configurations", settings)[0] == 200
        yield running


@pytest.fixture(scope="session")
def office(cloud: Cloud, work: Path) -> Office:
    return Office(cloud, "w" + work.name.rpartition("-")[2])


@pytest.fixture(scope="session")
def people(office: Office) -> People:
    return office.people


@pytest.fixture(scope="session")
def docker(work: Path, machine: Machine, cloud: Cloud) -> Iterator[Client]:
    """One Docker for all: it prints what the registry says."""
    with Docker(machine, work / "refused", cloud.host) as client:
        yield client


@pytest.fixture(scope="session")
def skopeo(work: Path, machine: Machine, cloud: Cloud) -> Iterator[Client]:
    with Skopeo(machine, work / "refused-skopeo", cloud.host) as client:
        yield client


@pytest.fixture
def gate(docker: Client, skopeo: Client, cloud: Cloud) -> Gate:
    return Gate(docker, skopeo, cloud)


@pytest.fixture
def pushes(skopeo: Client, cloud: Cloud, image: Image, project: str) -> Pushes:
    return Pushes(skopeo, cloud, image, project)


@pytest.fixture
def admin(office: Office) -> Person:
    return office.people.admin
