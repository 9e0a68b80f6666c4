"""The registry's management API beside npm's provider, which serves by HTTPS."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.ports import free_port
from roadstead.outbound.endpoint import EndpointPolicy
from roadstead.outbound.https import HttpsPoster
from tests.oidc_provider import NpmProvider, client, npm_provider
from tests.oidc_provider.place import REGISTRY, Place
from tests.slapd import Authority
from tests.unit.functions.management.client import Desk

PEOPLE: dict[str, dict[str, Any]] = {
    "1234": {"preferred_username": "Grace", "name": "Grace Hopper", "email": "grace@example.org", "groups": ["devs"]},
    "5678": {"preferred_username": "linus", "groups": ["admins"]},
}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("the provider's authority")


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    """What trusts the provider's certificate."""
    return ssl.create_default_context(cadata=authority.pem)


@pytest.fixture(scope="module")
def pem(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    certificate, key = authority.issue(tmp_path_factory.mktemp("tls"), "127.0.0.1", "localhost")
    return {"cert": certificate.read_text(), "key": key.read_text()}


@pytest.fixture(scope="module")
def running(pem: dict[str, str]) -> Iterator[NpmProvider]:
    with npm_provider(free_port(), PEOPLE, client(REGISTRY), tls=pem) as provider:
        yield provider


@pytest.fixture(scope="module")
def labs(pem: dict[str, str]) -> Iterator[NpmProvider]:
    """A second provider, where other people have the same names and subjects."""
    with npm_provider(free_port(), PEOPLE, client(REGISTRY, provider="labs"), tls=pem) as provider:
        yield provider


@pytest.fixture
def provider(running: NpmProvider) -> NpmProvider:
    """The provider as it was at first, whatever the last test did to it."""
    if running.process is None:
        running.start()
    running.tell(people=PEOPLE, clients=[client(REGISTRY)], idTokenSeconds=3_600, claimsInIdToken=False)
    return running


@pytest.fixture
def place(provider: NpmProvider, tls: ssl.SSLContext) -> Place:
    """A registry that is set up for the provider."""
    poster = HttpsPoster(EndpointPolicy(ports=frozenset(), internal=True), tls=tls)
    place = Place(Desk(fetcher=poster, now=time.time()), provider, tls)
    place.configure()
    return place
