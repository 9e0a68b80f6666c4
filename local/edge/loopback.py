"""Redirects to S3, for viewers to whom its name means something else.

S3's name is `localhost` here (local/cloud/endpoint.py). To a client that named the registry `127.0.0.1` that is another
host, as it should be. To one that named it `localhost` it is the same, and most clients would send the registry's
Authorization along, which S3 refuses; to one on another machine it is that machine. They get the bytes from the edge.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from local.edge.origins import Answer, Origin
from local.edge.rules import Headers

_REDIRECT = 307
_PASSED_ON = frozenset({"range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"})
# Of the registry's answer, and not of S3's: what clients know a blob by.
_KEPT = ("docker-content-digest", "docker-distribution-api-version")


def finds_s3(host: str) -> bool:
    """Whether a client that named the registry so finds S3 by its own name, and takes it for another host."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def target(answer: Answer, origin: Origin) -> str | None:
    """Path and query of a redirect to S3, the `origin`; None for any other answer."""
    location = next((value for name, value in answer.headers if name == "location"), "")
    here, there = urlsplit(origin.url), urlsplit(location)
    if answer.status != _REDIRECT or there.netloc != here.netloc:
        return None
    return f"{there.path}?{there.query}"


def conditions(headers: Headers) -> Headers:
    """What of a viewer's request S3 is asked as well."""
    return tuple(pair for pair in headers if pair[0] in _PASSED_ON)


def merged(redirect: Answer, found: Answer) -> Answer:
    """S3's answer, with what the registry says of the blob."""
    kept = tuple(pair for pair in redirect.headers if pair[0] in _KEPT)
    own = tuple(pair for pair in found.headers if not pair[0].startswith("x-amz-"))
    return Answer(found.status, found.reason, (*own, *kept), found.body)
