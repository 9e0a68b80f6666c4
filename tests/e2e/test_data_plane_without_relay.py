"""FRONT=edge: layers sent whole still go to S3; those sent in pieces are limited to what a Lambda accepts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import free_port
from tests.e2e import images
from tests.e2e.clients import Client
from tests.e2e.cloud import Cloud, instance
from tests.e2e.images import KIB, MIB, Image
from tests.e2e.moving import push_and_pull
from tests.e2e.people import Office
from tests.e2e.processes import Machine

SOON = 20.0  # seconds; a client that takes the refusal for a hiccup tries for a minute


@pytest.fixture(scope="module")
def relayless(work: Path) -> Iterator[tuple[Cloud, Office]]:
    with instance(work / "relayless", free_port(), "--front", "edge") as started:
        cloud = started.wait_until_ready()
        yield cloud, Office(cloud, "relayless")


@pytest.fixture(scope="module")
def large(work: Path) -> Image:
    return images.exact_image(work / "large", (KIB, 12 * MIB))


def test_without_a_relay_whole_layers_are_accepted_and_others_refused_with_advice(
    relayless: tuple[Cloud, Office], machine: Machine, work: Path, kind: type[Client], large: Image
) -> None:
    cloud, office = relayless
    project = office.make_project()
    reference = f"{cloud.host}/{project}/app:1"
    with kind(machine, work / project, cloud.host) as client:
        if client.sends == "whole":
            with kind(machine, work / f"{project}-pull", cloud.host) as other:
                push_and_pull(client, other, cloud, office.people, f"{project}/app", large)
            return
        client.login(office.people.developer.name, office.people.developer.password).succeeded()
        client.load(large, reference)

        refused = client.push(reference).failed()

    assert refused.seconds < SOON, f"{refused}"
    assert "ask the operator of the registry to deploy its relay" in refused.output, f"{refused}"
    office.people.guest.api(cloud).manifest(f"{project}/app", "1").expect(404)
