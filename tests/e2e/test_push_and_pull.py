"""Push, and pull into an empty store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.containerd import Containerd
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.people import People

CONFIG_ALONE = 1  # blob that a client which mounts layers may still upload


def test_a_pushed_image_is_pulled_into_an_empty_store(
    client: Client, other: Client, cloud: Cloud, people: People, project: str, layers: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    client.login(people.developer.name, people.developer.password).succeeded()
    client.load(layers, reference)
    client.push(reference).succeeded()

    other.login(people.guest.name, people.guest.password).succeeded()
    other.pull(reference).succeeded()

    api = people.guest.api(cloud)
    assert other.digest(reference) == api.digest(f"{project}/app", "1")
    if client.keeps_manifest:
        assert other.digest(reference) == layers.digest
    manifest = api.manifest(f"{project}/app", "1").json()
    assert len(manifest["layers"]) == 5
    for descriptor in (manifest["config"], *manifest["layers"]):
        assert len(api.blob(f"{project}/app", descriptor["digest"])) == descriptor["size"]


def test_pushing_again_changes_nothing(
    client: Client, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    client.login(people.developer.name, people.developer.password).succeeded()
    client.load(image, reference)
    client.push(reference).succeeded()
    digest = people.guest.api(cloud).digest(f"{project}/app", "1")

    client.push(reference).succeeded()

    assert people.guest.api(cloud).digest(f"{project}/app", "1") == digest


def test_two_clients_push_the_same_image_at_once(
    client: Client, other: Client, cloud: Cloud, people: People, project: str, layers: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    for one in (client, other):
        one.login(people.developer.name, people.developer.password).succeeded()
        one.load(layers, reference)

    with ThreadPoolExecutor(2) as pool:
        for pushed in [pool.submit(one.push, reference) for one in (client, other)]:
            pushed.result().succeeded()

    api = people.guest.api(cloud)
    for descriptor in api.manifest(f"{project}/app", "1").json()["layers"]:
        api.blob(f"{project}/app", descriptor["digest"])


def test_an_image_moves_to_another_repository_of_the_project(
    client: Client, other: Client, cloud: Cloud, people: People, project: str, layers: Image
) -> None:
    first, second = f"{cloud.host}/{project}/app:1", f"{cloud.host}/{project}/team/copy:2"
    client.login(people.developer.name, people.developer.password).succeeded()
    client.load(layers, first)
    client.push(first).succeeded()
    before = len(cloud.requests())
    client.load(layers, second)
    client.push(second).succeeded()
    if client.mounts:
        assert cloud.uploads(f"{project}/team/copy", before) <= CONFIG_ALONE

    other.login(people.guest.name, people.guest.password).succeeded()
    other.pull(second).succeeded()
    assert other.digest(second) == people.guest.api(cloud).digest(f"{project}/app", "1")


def test_containerd_mounts_what_it_pulled(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, layers: Image
) -> None:
    first, second = f"{cloud.host}/{project}/app:1", f"{cloud.host}/{project}/team/copy:2"
    skopeo, containerd = open_client(Skopeo), open_client(Containerd)
    assert isinstance(containerd, Containerd)
    for client in (skopeo, containerd):
        client.login(people.developer.name, people.developer.password).succeeded()
    skopeo.load(layers, first)
    skopeo.push(first).succeeded()

    containerd.pull(first).succeeded()
    containerd.tag(first, second)
    before = len(cloud.requests())
    containerd.push(second).succeeded()

    assert cloud.uploads(f"{project}/team/copy", before) <= CONFIG_ALONE
    assert people.guest.api(cloud).digest(f"{project}/team/copy", "2") == layers.digest
