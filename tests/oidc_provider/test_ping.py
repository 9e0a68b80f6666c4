"""The test button, pressed beside npm's provider: it says which step failed."""

from __future__ import annotations

import pytest

from roadstead.outbound.endpoint import EndpointPolicy
from roadstead.outbound.https import HttpsPoster
from tests.oidc_provider.place import Place
from tests.unit.functions.management.client import Desk


def test_a_provider_that_works_passes(place: Place) -> None:
    assert place.ping(place.provider.issuer) == (200, "")
    assert place.ping(f"{place.provider.issuer}/") == (200, "")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://localhost:{port}", "is of another issuer: oidc_endpoint must be the issuer's own URL"),
        ("https://127.0.0.1:{port}/realms/acme", "responded with 404, and not with a description"),
        ("http://127.0.0.1:{port}", "no connection to 127.0.0.1: closed by the host"),
    ],
)
def test_a_url_that_is_not_the_issuers_fails_at_discovery(place: Place, url: str, said: str) -> None:
    status, message = place.ping(url.format(port=place.provider.port))
    assert (status, message.partition(":")[0]) == (400, "discovery")
    assert said in message


def test_a_provider_that_is_down_fails_at_discovery(place: Place) -> None:
    place.provider.stop()
    status, message = place.ping(place.provider.issuer)
    assert (status, message.partition(":")[0]) == (400, "discovery")
    assert "no connection to 127.0.0.1" in message


def test_a_certificate_of_an_unknown_authority_fails_at_discovery(place: Place) -> None:
    place.desk = Desk(fetcher=HttpsPoster(EndpointPolicy(ports=frozenset(), internal=True)))
    status, message = place.ping(place.provider.issuer)
    assert (status, message.partition(":")[0]) == (400, "discovery")
    assert "the certificate of 127.0.0.1 is not valid" in message


def test_a_provider_in_a_private_network_needs_the_setting_that_lets_it_be_there(place: Place) -> None:
    place.desk = Desk(fetcher=HttpsPoster(EndpointPolicy(ports=frozenset())))
    status, message = place.ping(place.provider.issuer)
    assert (status, message.partition(":")[0]) == (400, "discovery")
    assert "not public" in message
