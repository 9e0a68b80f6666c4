"""One layer pushed by two clients at once, mounted, deleted in one repository and kept in another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.containerd import Containerd
from tests.e2e.clients.docker import Docker
from tests.e2e.clients.podman import Podman
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import MIB, Image
from tests.e2e.moving import pull, push_and_pull
from tests.e2e.people import People

CONFIG_ALONE = 1  # blob that skopeo uploads although it could be mounted


@pytest.fixture(scope="module")
def shared(work: Path) -> Image:
    return images.exact_image(work / "shared", (6 * MIB, 12 * MIB))


@pytest.mark.parametrize(
    ("first", "second"), [(Skopeo, Containerd), (Docker, Podman)], ids=["relay-and-direct", "both-by-the-relay"]
)
@pytest.mark.parametrize("repositories", [1, 2], ids=["one-repository", "two-repositories"])
def test_two_different_clients_push_the_same_layers_at_once(
    open_client: OpenClient,
    first: type[Client],
    second: type[Client],
    repositories: int,
    cloud: Cloud,
    people: People,
    project: str,
    shared: Image,
) -> None:
    names = [f"{cloud.host}/{project}/app:1", f"{cloud.host}/{project}/app{'2' * (repositories - 1)}:2"]
    clients = [open_client(first), open_client(second)]
    for client, name in zip(clients, names, strict=True):
        client.login(people.developer.name, people.developer.password).succeeded()
        client.load(shared, name)

    with ThreadPoolExecutor(2) as pool:
        for pushed in list(pool.map(lambda client, name: client.push(name), clients, names)):
            pushed.succeeded()

    pulling = open_client(Skopeo)
    for name in names:
        pull(pulling, cloud, people, name)


def test_a_layer_sent_straight_to_s3_can_be_mounted(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, shared: Image
) -> None:
    first, second = f"{project}/app", f"{project}/team/copy"
    skopeo = open_client(Skopeo)
    assert isinstance(skopeo, Skopeo)
    push_and_pull(open_client(Containerd), skopeo, cloud, people, first, shared)  # so skopeo knows where they are
    skopeo.login(people.developer.name, people.developer.password).succeeded()
    before = len(cloud.requests())

    skopeo.copy(f"docker://{cloud.host}/{first}:1", f"docker://{cloud.host}/{second}:1").succeeded()

    mounted = [line for line in cloud.requests()[before:] if f"POST /v2/{second}/blobs/uploads/ 201" in line]
    assert len(mounted) >= len(shared.manifest()["layers"])
    assert cloud.uploads(second, before) <= CONFIG_ALONE
    pull(open_client(Skopeo), cloud, people, f"{cloud.host}/{second}:1", shared.digest)


def test_a_deleted_layer_stays_deleted_although_another_repository_keeps_its_object(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, shared: Image
) -> None:
    """The object stays where the direct upload to the first repository put it, for the second one."""
    first, second = f"{project}/app", f"{project}/kept"
    containerd, skopeo = open_client(Containerd), open_client(Skopeo)
    assert isinstance(skopeo, Skopeo)
    push_and_pull(containerd, skopeo, cloud, people, first, shared)
    skopeo.login(people.maintainer.name, people.maintainer.password).succeeded()
    skopeo.copy(f"docker://{cloud.host}/{first}:1", f"docker://{cloud.host}/{second}:1").succeeded()

    api = people.maintainer.api(cloud)
    manifest = shared.manifest()
    blobs = [one["digest"] for one in (manifest["config"], *manifest["layers"])]
    api.call("DELETE", f"/v2/{first}/manifests/{shared.digest}").expect(202)
    for digest in blobs:
        api.call("DELETE", f"/v2/{first}/blobs/{digest}").expect(202)

    for person in (people.developer, people.guest, people.maintainer):
        for method in ("HEAD", "GET", "HEAD"):
            for digest in blobs:
                person.api(cloud).call(method, f"/v2/{first}/blobs/{digest}").expect(404)
        person.api(cloud).manifest(first, shared.digest).expect(404)
    pull(open_client(Skopeo), cloud, people, f"{cloud.host}/{second}:1", shared.digest)

    containerd.push(f"{cloud.host}/{first}:1").succeeded()
    pull(open_client(Skopeo), cloud, people, f"{cloud.host}/{first}:1", shared.digest)
