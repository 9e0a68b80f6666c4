"""Who may do what, and what the others are told."""

from __future__ import annotations

import pytest

from tests.e2e.api import Api
from tests.e2e.clients import Client, Skopeo
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.people import People, Person

SOON = 20.0  # seconds; a client that takes the refusal for a hiccup tries for a minute


def push_with_skopeo(open_client: OpenClient, person: Person, image: Image, reference: str) -> None:
    skopeo = open_client(Skopeo)
    skopeo.login(person.name, person.password).succeeded()
    skopeo.load(image, reference)
    skopeo.push(reference).succeeded()


@pytest.mark.parametrize("role", ["guest", "stranger"])
def test_who_may_not_push_is_told_so_at_once(
    client: Client, cloud: Cloud, people: People, project: str, image: Image, role: str
) -> None:
    person: Person = getattr(people, role)
    reference = f"{cloud.host}/{project}/app:1"
    client.login(person.name, person.password).succeeded()
    client.load(image, reference)

    refused = client.push(reference)

    # Some ask first whether a layer is there, which a stranger may not even know.
    may_not = "push to it" if role == "guest" or not client.asks_before_pushing else "pull there"
    client.was_told(refused, f"does not exist, or {person.name} may not {may_not}")
    assert refused.seconds < SOON
    people.developer.api(cloud).manifest(f"{project}/app", "1").expect(404)


def test_nobody_pulls_from_a_private_project_without_being_a_member(
    client: Client, open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    push_with_skopeo(open_client, people.developer, image, reference)

    client.was_told(client.pull(reference), f"{project}/app does not exist, or an anonymous user may not pull there")
    client.login(people.stranger.name, people.stranger.password).succeeded()
    refused = client.pull(reference)

    client.was_told(refused, f"{project}/app does not exist, or {people.stranger.name} may not pull there")
    assert refused.seconds < SOON


def test_anybody_pulls_from_a_public_project(
    client: Client, open_client: OpenClient, cloud: Cloud, people: People, public_project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{public_project}/app:1"
    push_with_skopeo(open_client, people.developer, image, reference)

    client.pull(reference).succeeded()

    assert client.digest(reference) == image.digest == Api(cloud.url).digest(f"{public_project}/app", "1")


def test_nobody_pushes_to_a_public_project_without_being_a_member(
    client: Client, cloud: Cloud, public_project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{public_project}/app:1"
    client.load(image, reference)

    refused = client.push(reference)

    client.was_told(
        refused, f"the project of {public_project}/app does not exist, or an anonymous user may not push to it"
    )
    assert refused.seconds < SOON


def test_an_administrator_makes_a_project_by_pushing_to_it(
    client: Client, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}-new/app:1"
    client.load(image, reference)
    client.login(people.developer.name, people.developer.password).succeeded()
    client.push(reference).failed()
    client.login(people.admin.name, people.admin.password).succeeded()
    client.push(reference).succeeded()

    people.admin.api(cloud).digest(f"{project}-new/app", "1")
    Api(cloud.url).manifest(f"{project}-new/app", "1").expect(401)
