"""CloudFront's error caching: it repeats an origin's 4xx or 5xx for ErrorCachingMinTTL seconds.

It does so even if a behaviour caches nothing else, for 10 s unless configured ("How CloudFront processes and caches
HTTP 4xx and 5xx status codes from your origin"). A registry must set it to 0: Docker asks for a blob, gets a 404,
uploads the blob and asks again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from local.edge.rules import Headers

STATUSES = frozenset((400, 403, 404, 405, 414, 416, 429, 500, 501, 502, 503, 504))
_METHODS = frozenset(("GET", "HEAD"))
_ENTRIES = 1_000
_BODY_LIMIT = 64 * 1024  # bytes; more than any error has


@dataclass(frozen=True, slots=True)
class CachedError:
    status: int
    headers: Headers
    body: bytes


class ErrorCache:
    """Errors by path: in behaviours without caching, neither query nor headers are in the cache key."""

    def __init__(self, minimum_ttl: float, clock: Callable[[], float]) -> None:
        self._ttl = minimum_ttl
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, CachedError]] = OrderedDict()

    def find(self, method: str, path: str) -> CachedError | None:
        expires, error = self._entries.get(path, (0.0, None))
        return error if method in _METHODS and self._clock() < expires else None

    def keeps(self, method: str, status: int) -> bool:
        """Whether a response would be cached."""
        return self._ttl > 0 and method in _METHODS and status in STATUSES

    def keep(self, path: str, error: CachedError) -> None:
        if len(error.body) > _BODY_LIMIT:
            return
        self._entries[path] = (self._clock() + self._ttl, error)
        self._entries.move_to_end(path)
        while len(self._entries) > _ENTRIES:
            self._entries.popitem(last=False)
