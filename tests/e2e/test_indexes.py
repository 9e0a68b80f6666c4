"""Images for several architectures under one name."""

from __future__ import annotations

import platform

import pytest

from tests.e2e import images
from tests.e2e.api import DOCKER_LIST, OCI_INDEX
from tests.e2e.clients import Client, Skopeo
from tests.e2e.clients.podman import Buildah, Podman
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import KIB, Image
from tests.e2e.people import People

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def test_an_index_is_copied_and_every_client_pulls_its_platform(
    client: Client, open_client: OpenClient, cloud: Cloud, people: People, project: str, index: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    skopeo = open_client(Skopeo)
    skopeo.login(people.developer.name, people.developer.password).succeeded()
    skopeo.load(index, reference)
    skopeo.push(reference).succeeded()

    api = people.guest.api(cloud)
    assert api.digest(f"{project}/app", "1") == index.digest
    for child in index.manifest()["manifests"]:
        assert api.digest(f"{project}/app", child["digest"]) == child["digest"]

    client.login(people.guest.name, people.guest.password).succeeded()
    client.pull(reference).succeeded()
    here = [
        child["digest"]
        for child in index.manifest()["manifests"]
        if child["platform"]["architecture"] == ARCHITECTURES[platform.machine()]
    ]
    assert client.digest(reference) in [index.digest, *here]


@pytest.mark.parametrize("builder", [Podman, Buildah], ids=["podman", "buildah"])
@pytest.mark.parametrize(("format_", "media_type"), [("oci", OCI_INDEX), ("v2s2", DOCKER_LIST)])
def test_a_manifest_list_of_pushed_images_can_be_pushed(
    open_client: OpenClient,
    cloud: Cloud,
    people: People,
    project: str,
    builder: type[Podman],
    format_: str,
    media_type: str,
) -> None:
    skopeo, maker = open_client(Skopeo), open_client(builder)
    assert isinstance(maker, Podman)
    members = []
    for one in (skopeo, maker):
        one.login(people.developer.name, people.developer.password).succeeded()
    for architecture in ("amd64", "arm64"):
        member = f"{cloud.host}/{project}/app:{architecture}"
        made = images.image(skopeo.home / architecture, (KIB, 10 * KIB), architecture=architecture)
        skopeo.load(made, member)
        skopeo.push(member).succeeded()
        members.append(member)

    maker.make_list("all", tuple(members))
    maker.push_list("all", f"{cloud.host}/{project}/app:all", "--format", format_).succeeded()

    answer = people.guest.api(cloud).manifest(f"{project}/app", "all").expect(200)
    assert answer.headers["content-type"] == media_type
    children = answer.json()["manifests"]
    assert [child["platform"]["architecture"] for child in children] == ["amd64", "arm64"]
    for child in children:
        people.guest.api(cloud).digest(f"{project}/app", child["digest"])
