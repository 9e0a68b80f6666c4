"""The headers of a single connection, which neither API Gateway nor CloudFront forwards."""

from __future__ import annotations

# RFC 9110 section 7.6.1; `expect` is met, or not, on each connection. Only an HTTP/1.1 message has `transfer-encoding`,
# which CloudFront's functions may see.
HOP_BY_HOP = frozenset(
    (
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
    )
)
