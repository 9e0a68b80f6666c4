"""Every client pushes layers of all sizes, and many layers, and pulls them into an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.api import closing, digest_of, exchange
from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.containerd import Containerd
from tests.e2e.clients.docker import Docker
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import KIB, MIB, Image
from tests.e2e.memory import EDGE, RELAY, Growth
from tests.e2e.moving import EDGE_GROWTH, RELAY_GROWTH, move_in_bounded_memory, push_and_pull
from tests.e2e.people import People

SIZES = (KIB, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 30 * MIB)  # around the least part of a multipart upload
STREAM = 160 * MIB
LARGE, HUGE = 300 * MIB, 2048 * MIB
MANY = 20


@pytest.fixture(scope="module")
def sizes(work: Path) -> Image:
    return images.exact_image(work / "sizes", SIZES)


@pytest.fixture(scope="module")
def many(work: Path) -> Image:
    return images.exact_image(work / "many", [3 * MIB] * MANY)


def test_layers_of_all_sizes_are_pushed_and_pulled(
    client: Client, other: Client, cloud: Cloud, people: People, project: str, sizes: Image
) -> None:
    push_and_pull(client, other, cloud, people, f"{project}/app", sizes)

    layers = people.guest.api(cloud).manifest(f"{project}/app", "1").json()["layers"]
    assert len(layers) == len(SIZES)
    if client.keeps_manifest:
        assert [one["size"] for one in layers][1:] == list(SIZES[1:])


@pytest.mark.parametrize("pushing", [Docker, Containerd, Skopeo], ids=lambda kind: str(kind.name))
def test_many_layers_are_pushed_at_once(
    open_client: OpenClient, pushing: type[Client], cloud: Cloud, people: People, project: str, many: Image
) -> None:
    push_and_pull(open_client(pushing), open_client(Skopeo), cloud, people, f"{project}/app", many)

    assert len(people.guest.api(cloud).manifest(f"{project}/app", "1").json()["layers"]) == MANY


def stream(seed: bytes) -> Iterator[bytes]:
    """Yield `STREAM` bytes in pieces."""
    for number in range(STREAM // MIB):
        yield (seed + number.to_bytes(4, "big")) * (MIB // (len(seed) + 4))


@pytest.mark.parametrize("way", ["whole", "streamed"])
def test_a_layer_passes_through_in_little_memory(cloud: Cloud, people: People, project: str, way: str) -> None:
    """With plain HTTP, so that no client slows the stream down."""
    api = people.developer.api(cloud)
    seed = f"{project}-{way}".encode().ljust(60, b".")
    digest, upload = digest_of(b"".join(stream(seed))), api.start_upload(f"{project}/app")
    growth = Growth(cloud)

    if way == "whole":
        exchange("PUT", closing(upload, digest), stream(seed), {"Content-Length": str(STREAM)}).expect(201)
    else:
        patched = exchange("PATCH", upload, stream(seed), {}).expect(202)
        assert patched.headers["range"] == f"0-{STREAM - 1}"
        exchange("PUT", closing(upload, digest), b"", {}).expect(201)

    grown = growth.so_far()
    assert grown[EDGE] < EDGE_GROWTH
    assert grown[RELAY] < RELAY_GROWTH
    head = api.call("HEAD", f"/v2/{project}/app/blobs/{digest}").expect(200)
    assert head.headers["content-length"] == str(STREAM)


@pytest.mark.large
def test_a_large_layer_is_pushed_and_pulled_in_little_memory(
    client: Client, other: Client, cloud: Cloud, people: People, project: str
) -> None:
    move_in_bounded_memory(client, other, cloud, people, f"{project}/app", LARGE)


@pytest.mark.large
@pytest.mark.parametrize("kind_", [Skopeo, Containerd], ids=["streamed", "whole"])
def test_a_layer_of_two_gigabytes_is_pushed_and_pulled_in_little_memory(
    open_client: OpenClient, kind_: type[Client], cloud: Cloud, people: People, project: str
) -> None:
    move_in_bounded_memory(open_client(kind_), open_client(kind_), cloud, people, f"{project}/app", HUGE)
