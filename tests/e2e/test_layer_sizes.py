"""Layers too large for a request to a Lambda, without edge and relay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import free_port
from tests.e2e import images
from tests.e2e.clients import Client
from tests.e2e.cloud import Cloud, instance
from tests.e2e.images import MIB
from tests.e2e.people import Office
from tests.e2e.processes import Machine

SOON = 20.0  # seconds; a client that takes the refusal for a hiccup tries for a minute


@pytest.fixture(scope="module")
def bare(work: Path) -> Iterator[tuple[Cloud, Office]]:
    """A registry of API Gateway and functions only."""
    with instance(work / "bare", free_port(), "--front", "none") as started:
        cloud = started.wait_until_ready()
        yield cloud, Office(cloud, "bare")


@pytest.mark.parametrize("size", [5, 11], ids=["beyond-the-function", "beyond-the-gateway"])
def test_without_edge_and_relay_a_large_layer_is_refused_at_once(
    bare: tuple[Cloud, Office], machine: Machine, work: Path, kind: type[Client], size: int
) -> None:
    """API Gateway itself refuses it, saying only that it is too large; no function is invoked."""
    cloud, office = bare
    project = office.make_project()
    reference = f"{cloud.host}/{project}/app:1"
    with kind(machine, work / project, cloud.host) as client:
        client.login(office.people.developer.name, office.people.developer.password).succeeded()
        client.load(images.image(client.home / "large", (size * MIB,)), reference)

        refused = client.push(reference).failed()

    assert "Request Entity Too Large" in refused.output, f"{refused}"
    assert refused.seconds < SOON
    office.people.guest.api(cloud).manifest(f"{project}/app", "1").expect(404)
