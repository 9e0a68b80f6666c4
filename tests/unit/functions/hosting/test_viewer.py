"""Requests that came through the distribution, and those that claim to have."""

from __future__ import annotations

import pytest

from functions.hosting.viewer import as_viewed
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Request


class Secrets:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def edge_secrets(self) -> tuple[str, ...]:
        self.asked += 1
        return ("current", "previous")


def request(**headers: str) -> Request:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(method="GET", path="/v2/", query=(), headers=named, host="api", scheme="https", source_ip="edge")


@pytest.mark.parametrize("secret", ["current", "previous"])
def test_a_request_with_the_secret_has_the_viewers_host_and_address(secret: str) -> None:
    given = request(x_roadstead_secret=secret, x_roadstead_host="registry", x_roadstead_address="viewer")
    viewed = as_viewed(given, Secrets(), required=True)
    assert (viewed.host, viewed.source_ip, viewed.via_edge, viewed.headers) == ("registry", "viewer", True, ())


@pytest.mark.parametrize("headers", [{}, {"x_roadstead_secret": "guessed"}, {"x_roadstead_host": "registry"}])
def test_a_request_without_a_required_secret_is_refused(headers: dict[str, str]) -> None:
    given = request(**headers)
    assert not as_viewed(given, Secrets()).via_edge
    with pytest.raises(RegistryError) as refused:
        as_viewed(given, Secrets(), required=True)
    assert refused.value.status == 403
    assert refused.value.entries[0].code is ErrorCode.DENIED


def test_a_request_without_a_secret_does_not_read_the_secrets() -> None:
    secrets = Secrets()
    with pytest.raises(RegistryError):
        as_viewed(request(), secrets, required=True)
    assert secrets.asked == 0


def test_a_required_secret_that_is_not_configured_refuses_every_request() -> None:
    with pytest.raises(RegistryError):
        as_viewed(request(x_roadstead_secret="any"), None, required=True)
