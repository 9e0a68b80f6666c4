"""A provider of OpenID Connect for tests: it signs tokens, and can be told to misbehave. Nothing leaves the process."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from roadstead import base64url
from roadstead.outbound.endpoint import Endpoint, EndpointPolicy
from roadstead.outbound.https import Reply, Unreachable

ISSUER = "https://login.example.com"
CLIENT, SECRET = "registry", "the client's secret"
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES = {
    "ES256": (ec.SECP256R1(), "P-256", 32),
    "ES384": (ec.SECP384R1(), "P-384", 48),
    "ES512": (ec.SECP521R1(), "P-521", 66),
}

RSA_KEY = rsa.generate_private_key(65_537, 2_048)


def _number(value: int, size: int = 0) -> str:
    return base64url.encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


@dataclass
class Signer:
    """A key of one algorithm, its JWK, and tokens by it."""

    algorithm: str
    kid: str = "one"
    key: Any = None

    def __post_init__(self) -> None:
        if self.key is None and self.algorithm[:2] in ("RS", "PS"):
            self.key = RSA_KEY
        elif self.key is None and self.algorithm == "EdDSA":
            self.key = ed25519.Ed25519PrivateKey.generate()
        elif self.key is None:
            self.key = ec.generate_private_key(_CURVES[self.algorithm][0])

    def jwk(self, **more: Any) -> dict[str, Any]:
        common = {"kid": self.kid, "use": "sig", "alg": self.algorithm, **more}
        if isinstance(self.key, rsa.RSAPrivateKey):
            numbers = self.key.public_key().public_numbers()
            return {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e), **common}
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": base64url.encode(self.key.public_key().public_bytes_raw()),
                **common,
            }
        _, curve, size = _CURVES[self.algorithm]
        point = self.key.public_key().public_numbers()
        return {"kty": "EC", "crv": curve, "x": _number(point.x, size), "y": _number(point.y, size), **common}

    def token(self, claims: Mapping[str, Any], **header: Any) -> str:
        head = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT", **header}
        signed = ".".join(base64url.encode(json.dumps(part).encode()) for part in (head, claims))
        return f"{signed}.{base64url.encode(self._sign(signed.encode()))}"

    def _sign(self, message: bytes) -> bytes:
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(message)
        digest = _HASHES[self.algorithm[2:]]
        if isinstance(self.key, rsa.RSAPrivateKey):
            if self.algorithm.startswith("PS"):
                return self.key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
            return self.key.sign(message, padding.PKCS1v15(), digest)
        size = _CURVES[self.algorithm][2]
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


@dataclass
class FakeProvider:
    """A Fetcher that is the provider itself. `claims` are added to every token; `asked` has the paths of requests."""

    clock: Callable[[], float]
    signer: Signer = field(default_factory=lambda: Signer("RS256"))
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "1234", "preferred_username": "Grace"})
    user: dict[str, Any] = field(default_factory=dict)  # what userinfo says
    description: dict[str, Any] = field(default_factory=dict)  # beyond, or instead of, what is right
    asked: list[str] = field(default_factory=list)
    down: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)  # the authorisation requests, by the codes for them
    make: Callable[[dict[str, Any]], str] | None = None  # makes the token of its claims

    def parse(self, url: str) -> Endpoint:
        return Endpoint.parse(url, EndpointPolicy())

    def approve(self, location: str) -> str:
        """Return the code that the browser brings back from `location`."""
        parts = urlsplit(location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/authorize"
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return code

    def fetch(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        self.asked.append(endpoint.target)
        if self.down:
            raise Unreachable("no connection")
        assert endpoint.host == "login.example.com"
        match endpoint.target:
            case "/.well-known/openid-configuration":
                return self._reply(200, self._description())
            case "/keys":
                return self._reply(200, {"keys": [self.signer.jwk()]})
            case "/token":
                return self._token(headers, parse_qs((body or b"").decode()))
            case "/userinfo":
                assert headers["Authorization"] == "Bearer access"
                return self._reply(200, {"sub": self.claims["sub"], **self.user})
        return self._reply(404, {})

    def _description(self) -> dict[str, Any]:
        named = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "end_session_endpoint": f"{ISSUER}/logout",
        }
        return {name: value for name, value in {**named, **self.description}.items() if value is not None}

    def _token(self, headers: Mapping[str, str], form: Mapping[str, list[str]]) -> Reply:
        basic = base64.b64encode(f"{CLIENT}:the%20client%27s%20secret".encode()).decode()
        if headers.get("Authorization") != f"Basic {basic}" and form.get("client_secret") != [SECRET]:
            return self._reply(401, {"error": "invalid_client"})
        asked = self.codes.pop(form["code"][0], None)
        if asked is None:
            return self._reply(400, {"error": "invalid_grant"})
        challenge = base64url.encode(hashlib.sha256(form["code_verifier"][0].encode()).digest())
        assert (challenge, form["redirect_uri"][0]) == (asked["code_challenge"], asked["redirect_uri"])
        now = int(self.clock())
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
        }
        token = self.make(claims) if self.make else self.signer.token(claims)
        return self._reply(200, {"id_token": token, "access_token": "access", "token_type": "Bearer"})

    def _reply(self, status: int, document: Any) -> Reply:
        return Reply(status, json.dumps(document).encode())
