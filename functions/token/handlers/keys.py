"""`/.well-known/jwks.json`: the trusted public keys (RFC 7517 section 5)."""

from __future__ import annotations

from functions.token.services import TokenServices
from roadstead.http import Request, Response
from roadstead.identity.tokens import jose

MAX_AGE = 300  # seconds for which a verifier may cache the set


def get_keys(services: TokenServices, request: Request) -> Response:
    """Respond with every trusted key. In `certified` mode, they sign the certificates in the tokens' headers."""
    keys = [
        {**jose.public_jwk(key), "kid": kid, "use": "sig", "alg": jose.ALGORITHM}
        for kid, key in services.public_keys().items()
    ]
    headers = (
        ("Content-Type", "application/jwk-set+json"),
        ("Cache-Control", f"public, max-age={MAX_AGE}"),
    )
    return Response.json(200, {"keys": keys}, headers)
