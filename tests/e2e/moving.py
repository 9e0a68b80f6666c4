"""Pushing with one client and pulling with another, and the memory that takes."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.e2e import images
from tests.e2e.api import exchange
from tests.e2e.clients import Client
from tests.e2e.cloud import Cloud
from tests.e2e.images import MIB, Image
from tests.e2e.memory import EDGE, RELAY, Growth
from tests.e2e.people import People

# MiB that any layer may take: bytes in transit, the allocator's, other requests'.
EDGE_GROWTH = 24.0
RELAY_GROWTH = 95.0  # 40 are the parts of one upload, filling and under way; an upload may take 100 MB
_PATIENCE = 300.0  # seconds


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition. Raises AssertionError if it does not hold within five minutes."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"not within {_PATIENCE:.0f} s: {what}"
        time.sleep(0.01)


def push_and_pull(pushing: Client, pulling: Client, cloud: Cloud, people: People, repository: str, image: Image) -> str:
    """Push to `repository`:1 and pull into the other client's store; return the manifest's digest."""
    reference = f"{cloud.host}/{repository}:1"
    pushing.login(people.developer.name, people.developer.password).succeeded()
    pushing.load(image, reference)
    pushing.push(reference).succeeded()
    return pull(pulling, cloud, people, reference, image.digest if pushing.keeps_manifest else None)


def pull(client: Client, cloud: Cloud, people: People, reference: str, expected: str | None = None) -> str:
    """Pull as a guest; the client's digest must be the registry's, and `expected`. Return it."""
    client.login(people.guest.name, people.guest.password).succeeded()
    client.pull(reference).succeeded()
    repository, _, tag = reference.partition("/")[2].rpartition(":")
    digest = people.guest.api(cloud).digest(repository, tag)
    assert client.digest(reference) == digest
    assert expected in (None, digest)
    return digest


def wake_the_relay(cloud: Cloud, people: People, repository: str) -> None:
    """Send it a small body: it starts with its first request, and what a start takes is not what a layer takes."""
    upload = people.developer.api(cloud).start_upload(repository)
    exchange("PATCH", upload, iter([b"wake up"]), {}).expect(202)


def move_in_bounded_memory(
    pushing: Client, pulling: Client, cloud: Cloud, people: People, repository: str, size: int
) -> None:
    """Push and pull one layer of `size` bytes; print the times, and how much the registry's processes grew."""
    image = images.exact_image(pushing.home / "layout", (size,))
    reference = f"{cloud.host}/{repository}:1"
    pushing.login(people.developer.name, people.developer.password).succeeded()
    pushing.load(image, reference)
    wake_the_relay(cloud, people, repository)
    growth = Growth(cloud)
    pushed = pushing.push(reference).succeeded()
    pulling.login(people.guest.name, people.guest.password).succeeded()
    pulled = pulling.pull(reference).succeeded()
    grown = growth.so_far()
    print(
        f"\n{pushing.name}, {size // MIB} MiB: push {pushed.seconds:.1f} s, pull {pulled.seconds:.1f} s; "
        f"gateway and edge +{grown[EDGE]:.0f} MiB, relay +{grown[RELAY]:.0f} MiB"
    )
    assert pulling.digest(reference) == people.guest.api(cloud).digest(repository, "1")
    assert grown[EDGE] < EDGE_GROWTH
    assert grown[RELAY] < RELAY_GROWTH
