"""A layer beyond what one request to a Lambda can carry."""

from __future__ import annotations

import pytest

from tests.e2e import images
from tests.e2e.clients import Client
from tests.e2e.cloud import Cloud
from tests.e2e.images import MIB
from tests.e2e.people import People

SOON = 20.0  # seconds; a client that takes the refusal for a hiccup tries for a minute


@pytest.mark.parametrize("size", [5, 11], ids=["beyond-the-function", "beyond-the-gateway"])
def test_a_layer_that_is_too_large_is_refused_at_once(
    client: Client, cloud: Cloud, people: People, project: str, size: int
) -> None:
    """By API Gateway itself, which says no more than that it is too large, and no function hears of it."""
    reference = f"{cloud.host}/{project}/app:1"
    client.login(people.developer.name, people.developer.password).succeeded()
    client.load(images.image(client.home / "large", (size * MIB,)), reference)

    refused = client.push(reference).failed()

    assert "Request Entity Too Large" in refused.output, f"{refused}"
    assert refused.seconds < SOON
    people.guest.api(cloud).manifest(f"{project}/app", "1").expect(404)
