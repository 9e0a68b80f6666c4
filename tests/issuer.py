"""A provider of OpenID Connect on this machine, by plain HTTP: for people who sign in, and for CI.

Whoever comes to `/authorize` is signed in at once, as `person` says. `/ci` gives out identity tokens as GitHub Actions
does: `?audience=…`, and every other parameter is a claim. The protocol is as far as the registry uses it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from roadstead import base64url
from tests.unit.identity.oidc_parts import Signer

CLIENT = "registry"  # its id; it has no secret: PKCE protects the code
LIFETIME = 300  # seconds of a token


@dataclass
class Issuer:
    """`person` are the claims of who signs in next."""

    url: str
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "1234", "preferred_username": "grace"})
    signer: Signer = field(default_factory=lambda: Signer("RS256", kid=secrets.token_hex(4)))
    _asked: dict[str, tuple[dict[str, str], dict[str, Any]]] = field(default_factory=dict)  # by code

    def token(self, audience: str, claims: Mapping[str, Any], *, lives: int = LIFETIME) -> str:
        """Return a token that was made now and lives for so many seconds."""
        now = int(time.time())
        return self.signer.token(
            {
                "iss": self.url,
                "aud": audience,
                "iat": min(now, now + lives - 1),
                "exp": now + lives,
                "jti": secrets.token_hex(8),
                **claims,
            }
        )

    def describe(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.signer.algorithm],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Return where to send the browser."""
        code = secrets.token_urlsafe(16)
        self._asked[code] = (asked, dict(self.person))
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.url})}"

    def redeem(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Return the tokens for a code, once, to who has the verifier. Raises KeyError otherwise."""
        asked, person = self._asked.pop(form["code"])
        challenge = base64url.encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if (challenge, form["redirect_uri"], form["client_id"]) != (
            asked["code_challenge"],
            asked["redirect_uri"],
            asked["client_id"],
        ):
            raise KeyError("code")
        token = self.token(asked["client_id"], {**person, "nonce": asked["nonce"]})
        return {"id_token": token, "access_token": secrets.token_hex(16), "token_type": "Bearer"}


@contextmanager
def issuer(port: int = 0) -> Iterator[Issuer]:
    """Run one on the loopback address until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    running = Issuer(f"http://127.0.0.1:{server.server_port}")
    server.issuer = running  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        issuer: Issuer = self.server.issuer  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        match parts.path:
            case "/.well-known/openid-configuration":
                self._answer(200, issuer.describe())
            case "/keys":
                self._answer(200, {"keys": [issuer.signer.jwk()]})
            case "/authorize" if {"redirect_uri", "state", "nonce", "code_challenge"} <= asked.keys():
                self._answer(302, {}, location=issuer.authorize(asked))
            case "/ci" if "audience" in asked:
                self._answer(200, {"value": issuer.token(asked.pop("audience"), asked)})
            case _:
                self._answer(404, {})

    def do_POST(self) -> None:
        issuer: Issuer = self.server.issuer  # type: ignore[attr-defined]
        form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        try:
            self._answer(200, issuer.redeem(form))
        except KeyError:
            self._answer(400, {"error": "invalid_grant"})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, document: Any, *, location: str = "") -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
