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


BEARER = (("authorization", "Bearer real"),)
MOVED = ("x-roadstead-authorization", "Bearer moved")


def authorized(*headers: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Return what is left of a request's headers, all of them Authorization."""
    given = Request("GET", "/v2/", headers=headers, host="api", source_ip="edge")
    viewed = as_viewed(given, Secrets())
    assert all(name == "authorization" for name, _ in viewed.headers)
    return viewed.headers


def test_the_edge_may_pass_authorization_on_in_a_header_of_ours() -> None:
    assert authorized(("x-roadstead-secret", "current"), MOVED) == (("authorization", "Bearer moved"),)


def test_what_the_edge_moved_replaces_every_other_authorization() -> None:
    """CloudFront's signature may stand there."""
    signature = ("authorization", "AWS4-HMAC-SHA256 Credential=x")
    sent = (signature, ("x-roadstead-secret", "current"), MOVED, signature)
    assert authorized(*sent) == (("authorization", "Bearer moved"),)


def test_two_that_were_moved_stay_two() -> None:
    other = ("x-roadstead-authorization", "Bearer other")
    moved = authorized(("x-roadstead-secret", "current"), MOVED, other)
    assert [value for _, value in moved] == ["Bearer moved", "Bearer other"]


def test_an_empty_one_that_was_moved_stays_empty() -> None:
    sent = (*BEARER, ("x-roadstead-secret", "current"), ("x-roadstead-authorization", ""))
    assert authorized(*sent) == (("authorization", ""),)


@pytest.mark.parametrize(
    "secrets",
    [
        (),
        (("x-roadstead-secret", "guessed"),),
        (("x-roadstead-secret", ""),),
        (("x-roadstead-secret", "current "),),
        (("x-roadstead-secret", "current"), ("x-roadstead-secret", "current")),
    ],
    ids=["none", "wrong", "empty", "longer", "twice"],
)
def test_without_the_right_secret_a_moved_authorization_does_not_exist(secrets: tuple[tuple[str, str], ...]) -> None:
    assert authorized(*secrets, MOVED) == ()
    assert authorized(*secrets, MOVED, *BEARER) == BEARER
    assert authorized(*secrets, *BEARER) == BEARER
