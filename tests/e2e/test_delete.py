"""Deleted content is gone at once, and can be pushed again."""

from __future__ import annotations

from tests.e2e.clients import Client, Skopeo
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.people import People


def test_a_deleted_image_is_gone_and_can_be_pushed_again(
    client: Client, other: Client, open_client: OpenClient, cloud: Cloud, people: People, project: str, layers: Image
) -> None:
    repository, reference = f"{project}/app", f"{cloud.host}/{project}/app:1"
    client.login(people.developer.name, people.developer.password).succeeded()
    client.load(layers, reference)
    client.push(reference).succeeded()
    digest = people.guest.api(cloud).digest(repository, "1")

    skopeo = open_client(Skopeo)
    assert isinstance(skopeo, Skopeo)
    skopeo.login(people.maintainer.name, people.maintainer.password).succeeded()
    assert skopeo.tags(repository) == ["1"]
    skopeo.delete(reference).succeeded()

    other.login(people.guest.name, people.guest.password).succeeded()
    other.pull(reference).failed()
    for gone in ("1", digest):
        people.guest.api(cloud).manifest(repository, gone).expect(404)

    client.push(reference).succeeded()
    other.pull(reference).succeeded()
    assert other.digest(reference) == digest


def test_a_developer_may_not_delete(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    skopeo = open_client(Skopeo)
    assert isinstance(skopeo, Skopeo)
    skopeo.login(people.developer.name, people.developer.password).succeeded()
    skopeo.load(image, reference)
    skopeo.push(reference).succeeded()

    refused = skopeo.delete(reference).failed()

    assert f"{project}/app does not exist, or {people.developer.name} may not delete there" in refused.output
    people.developer.api(cloud).digest(f"{project}/app", "1")


def test_deleting_one_of_two_repositories_leaves_the_other(
    open_client: OpenClient, cloud: Cloud, people: People, project: str, layers: Image
) -> None:
    first, second = f"{cloud.host}/{project}/app:1", f"{cloud.host}/{project}/copy:1"
    skopeo = open_client(Skopeo)
    assert isinstance(skopeo, Skopeo)
    skopeo.login(people.maintainer.name, people.maintainer.password).succeeded()
    skopeo.load(layers, first)
    skopeo.push(first).succeeded()
    skopeo.copy(f"docker://{first}", f"docker://{second}").succeeded()

    skopeo.delete(first).succeeded()
    api = people.maintainer.api(cloud)
    for descriptor in layers.manifest()["layers"]:
        api.call("DELETE", f"/v2/{project}/app/blobs/{descriptor['digest']}").expect(202)

    skopeo.pull(first).failed()
    skopeo.pull(second).succeeded()
    assert skopeo.digest(second) == layers.digest
