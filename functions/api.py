"""The routes of the HTTP API: which function serves which path. The CDK app and the local gateway read them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the HTTP API, any method. A path may end in the greedy `{proxy+}`, which is never empty."""

    path: str
    function: str

    def match(self, path: str) -> str | None:
        """What `{proxy+}` stands for, empty for a route without; None when the path is not this route's."""
        prefix, greedy, _ = self.path.partition("{proxy+}")
        if not greedy:
            return "" if path == self.path else None
        return path[len(prefix) :] or None if path.startswith(prefix) else None


ROUTES = (
    Route("/v2/{proxy+}", "registry"),
    Route("/v2/", "registry"),
    Route("/v2", "registry"),
    Route("/token", "token"),
    Route("/service/token", "token"),  # Harbor's
    Route("/.well-known/jwks.json", "token"),
    Route("/api/{proxy+}", "management"),
    Route("/c/{proxy+}", "management"),  # OpenID Connect: browsers come back here
    Route("/ui/{proxy+}", "management"),
    Route("/ui/", "registry"),  # as on AWS, see infra/api.py; it redirects to /ui
    Route("/ui", "management"),
    Route("/assets/{proxy+}", "management"),
    Route("/", "management"),
)
