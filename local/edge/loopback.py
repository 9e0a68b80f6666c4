"""Redirects to S3, for viewers that its name would mislead.

S3's name is `localhost` here (local/cloud/endpoint.py). For a client that uses `127.0.0.1` for the registry, that is
another host, as it should be. For a client that uses `localhost`, it is the same host: most clients would send the
registry's Authorization to S3, which refuses it. For a client on another machine, it is that machine. These two kinds
of client get the bytes from the edge.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from local.edge.origins import Origin, OriginResponse
from local.edge.rules import Headers

_REDIRECT = 307
_PASSED_ON = frozenset({"range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"})
# Headers of the registry's response that S3 does not send: clients need them.
_KEPT = ("docker-content-digest", "docker-distribution-api-version")


def finds_s3(host: str) -> bool:
    """Whether a client that uses this host for the registry reaches S3 by its name, as another host."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def target(answer: OriginResponse, origin: Origin) -> str | None:
    """Return path and query of a redirect to S3, the `origin`; None for any other response."""
    location = next((value for name, value in answer.headers if name == "location"), "")
    here, there = urlsplit(origin.url), urlsplit(location)
    if answer.status != _REDIRECT or there.netloc != here.netloc:
        return None
    return f"{there.path}?{there.query}"


def conditions(headers: Headers) -> Headers:
    """Return the viewer's headers that are passed on to S3."""
    return tuple(pair for pair in headers if pair[0] in _PASSED_ON)


def merged(redirect: OriginResponse, found: OriginResponse) -> OriginResponse:
    """Return S3's response with the registry's headers about the blob."""
    kept = tuple(pair for pair in redirect.headers if pair[0] in _KEPT)
    own = tuple(pair for pair in found.headers if not pair[0].startswith("x-amz-"))
    return OriginResponse(found.status, found.reason, (*own, *kept), found.body)
