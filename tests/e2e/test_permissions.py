"""Who may do what, and the messages to those who may not."""

from __future__ import annotations

import pytest

from tests.e2e.api import Api
from tests.e2e.clients import Client, Skopeo
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.images import Image
from tests.e2e.people import People, Person
from tests.e2e.processes import Outcome

SOON = 20.0  # seconds; a client that takes the refusal for a hiccup tries for a minute


def push_with_skopeo(open_client: OpenClient, person: Person, image: Image, reference: str) -> None:
    skopeo = open_client(Skopeo)
    skopeo.login(person.name, person.password).succeeded()
    skopeo.load(image, reference)
    skopeo.push(reference).succeeded()


def reads(refused: Outcome, sentence: str, repository: str, user: str) -> None:
    """Raises AssertionError unless the command failed and printed the message."""
    expected = sentence.format(repository=repository, user=user)
    assert expected in refused.failed().output, f"{expected!r} is not what a person reads:\n{refused}"


@pytest.mark.parametrize("role", ["guest", "stranger"])
def test_a_push_without_permission_fails_at_once_with_a_message(
    client: Client, cloud: Cloud, people: People, project: str, image: Image, role: str
) -> None:
    person: Person = getattr(people, role)
    reference = f"{cloud.host}/{project}/app:1"
    client.login(person.name, person.password).succeeded()
    client.load(image, reference)

    refused = client.push(reference)

    sentence = client.may_not_push if role == "guest" else client.may_not_look
    reads(refused, sentence, f"{project}/app", person.name)
    assert refused.seconds < SOON
    people.developer.api(cloud).manifest(f"{project}/app", "1").expect(404)


def test_only_members_pull_from_a_private_project(
    client: Client, open_client: OpenClient, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{project}/app:1"
    push_with_skopeo(open_client, people.developer, image, reference)

    reads(client.pull(reference), client.may_not_pull, f"{project}/app", "an anonymous user")
    client.login(people.stranger.name, people.stranger.password).succeeded()
    refused = client.pull(reference)

    reads(refused, client.may_not_pull, f"{project}/app", people.stranger.name)
    assert refused.seconds < SOON


def test_anybody_pulls_from_a_public_project(
    client: Client, open_client: OpenClient, cloud: Cloud, people: People, public_project: str, image: Image
) -> None:
    reference = f"{cloud.host}/{public_project}/app:1"
    push_with_skopeo(open_client, people.developer, image, reference)

    client.pull(reference).succeeded()

    assert client.digest(reference) == image.digest == Api(cloud.url).digest(f"{public_project}/app", "1")


def test_only_members_push_to_a_public_project(client: Client, cloud: Cloud, public_project: str, image: Image) -> None:
    reference = f"{cloud.host}/{public_project}/app:1"
    client.load(image, reference)

    refused = client.push(reference)

    reads(refused, client.may_not_push, f"{public_project}/app", "an anonymous user")
    assert refused.seconds < SOON


def test_an_administrators_push_creates_the_project(
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
