"""Identity tokens of OpenID Connect providers: signed JWTs (RFC 7519, RFC 7515) by keys in a JWK set (RFC 7517).

Algorithms are an allow-list, and each is tied to a kind of key: a key decides what may be signed with it, never the
token's header alone. `none`, HMAC and encrypted or nested tokens are refused. Times may differ by LEEWAY.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from roadstead import base64url, documents

MAX_TOKEN = 16 * 1024  # characters
MAX_KEYS = 100  # of a set
LEEWAY = 60  # seconds by which two clocks may differ
MAX_AGE = 24 * 3600  # seconds since a token was issued
_MIN_RSA, _MAX_RSA = 2_048, 8_192  # bits

Key = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

_HASHES: Mapping[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES: Mapping[str, tuple[str, ec.EllipticCurve, int]] = {
    "P-256": ("ES256", ec.SECP256R1(), 32),
    "P-384": ("ES384", ec.SECP384R1(), 48),
    "P-521": ("ES512", ec.SECP521R1(), 66),
}
_KINDS_OF_TOKEN = {"typ": "ID", "token_use": "id"}  # claims of Keycloak and of Cognito
_NOT_IN_ID_TOKENS = ("scope", "scp", "events")  # of access tokens (RFC 9068, Okta, Entra), of logout tokens (RFC 8417)
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})


class TokenInvalid(Exception):
    """The token is worth nothing. The message is a sentence for whoever sets this up, and repeats no token."""


class UnknownKey(TokenInvalid):
    """The set has no such key: it may have been rotated since it was read."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key of a set. `algorithms` are those that it may be used with."""

    id: str
    key: Key = field(repr=False)
    algorithms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say. `nonce` is None where there is none to expect."""

    issuer: str
    audience: str
    nonce: str | None = None


def parse_keys(document: Any) -> tuple[SigningKey, ...]:
    """Return the usable keys of a JWK set; others (for encryption, of unknown kinds, too short) are left out.

    Raises ValueError if it is not a set.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise ValueError("not a JWK set")
    found = []
    for jwk in listed:
        if isinstance(jwk, dict) and jwk.get("use", "sig") == "sig":
            try:
                found.append(_key(jwk))
            except (LookupError, ValueError, TypeError, UnsupportedAlgorithm):
                continue
    return tuple(found)


def verify(token: str, keys: Iterable[SigningKey], expected: Expected, now: float) -> Mapping[str, Any]:
    """Return the claims of a token that is signed by one of `keys` and says what is expected.

    Raises TokenInvalid; UnknownKey if another set of keys may help.
    """
    header, claims, signed, signature = _read(token)
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenInvalid(f"the token's algorithm is not accepted; these are: {', '.join(sorted(ALGORITHMS))}")
    if "crit" in header or header.get("cty") or "enc" in header:
        raise TokenInvalid("the token is encrypted, nested, or needs an extension; a plain signed token is accepted")
    fitting = [one for one in keys if algorithm in one.algorithms and (key_id is None or one.id == key_id)]
    if not fitting:
        raise UnknownKey("the provider has no key by which the token could be signed")
    if key_id is None and len(fitting) > 1:
        raise TokenInvalid("the token does not name its key, and the provider has several")
    if not _is_signed(fitting[0].key, algorithm, signed, signature):
        raise TokenInvalid("the token's signature is wrong")
    _check(claims, expected, now)
    return claims


def check_kind(token: str) -> None:
    """Raises TokenInvalid for a token that its provider made for something else than to say who somebody is.

    Such a token may be for the same audience: an access token that another client got, or a logout token. `typ` of the
    header tells them apart (RFC 9068, OIDC Back-Channel Logout 1.0), and where providers leave it out claims do.
    """
    header, claims, _, _ = _read(token)
    kind = header.get("typ", "JWT")
    is_plain = isinstance(kind, str) and kind.lower().removeprefix("application/") == "jwt"
    is_other = any(claims.get(name, kind) != kind for name, kind in _KINDS_OF_TOKEN.items())
    if not is_plain or is_other or any(name in claims for name in _NOT_IN_ID_TOKENS):
        raise TokenInvalid("this is another kind of token than an id token")


def claims_of(token: str) -> Mapping[str, Any]:
    """Return the claims of a token, unverified. Raises TokenInvalid."""
    return _read(token)[1]


def issuer_of(token: str) -> str:
    """Return the issuer that a token claims, unverified: which keys to look for. Raises TokenInvalid."""
    issuer = claims_of(token).get("iss")
    if not isinstance(issuer, str):
        raise TokenInvalid("the token names no issuer")
    return issuer


def _read(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any], bytes, bytes]:
    if len(token) > MAX_TOKEN:
        raise TokenInvalid(f"the token has {len(token)} characters; at most {MAX_TOKEN} are accepted")
    try:
        head, payload, signature = token.split(".")
        header, claims = (documents.read(base64url.decode(part)) for part in (head, payload))
        raw = base64url.decode(signature)
        signed = f"{head}.{payload}".encode("ascii")
    except ValueError as error:
        raise TokenInvalid("this is not a signed token (header.claims.signature)") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TokenInvalid("this is not a signed token (header.claims.signature)")
    return header, claims, signed, raw


def _check(claims: Mapping[str, Any], expected: Expected, now: float) -> None:
    if claims.get("iss") != expected.issuer:
        raise TokenInvalid(f"the token is of another issuer than {expected.issuer}")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
        raise TokenInvalid("the token has no subject")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or expected.audience not in audiences:
        raise TokenInvalid(f"the token is not for {expected.audience}")
    if len(audiences) > 1 and claims.get("azp") != expected.audience:
        raise TokenInvalid(f"the token is for several, and not issued to {expected.audience}")
    expires, issued, before = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise TokenInvalid("the token does not say when it was issued and when it expires (iat, exp)")
    if expires + LEEWAY <= now:
        raise TokenInvalid("the token has expired")
    if max(issued, before or 0) - LEEWAY > now:
        raise TokenInvalid("the token is of the future: compare the clocks")
    if issued + MAX_AGE <= now:
        raise TokenInvalid("the token was issued more than a day ago")
    nonce = claims.get("nonce")
    if expected.nonce is not None and not (
        isinstance(nonce, str) and hmac.compare_digest(nonce.encode(), expected.nonce.encode())
    ):
        raise TokenInvalid("the token is not of this sign-in")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a time in seconds, None if it is absent. Raises TokenInvalid if it is not one."""
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1 << 40:
        raise TokenInvalid(f"the token's {name} is not a time")
    return float(value)


def _key(jwk: Mapping[str, Any]) -> SigningKey:
    kind, id_, named = jwk.get("kty"), jwk.get("kid", ""), jwk.get("alg")
    key, algorithms = _KINDS[str(kind)](jwk) if kind in _KINDS else (None, frozenset())
    if key is None or not isinstance(id_, str):
        raise ValueError("not a key for signatures")
    if named is not None:
        algorithms &= {named}
    return SigningKey(id_, key, algorithms)


def _rsa(jwk: Mapping[str, Any]) -> tuple[Key, frozenset[str]]:
    n, e = (int.from_bytes(base64url.decode(jwk[name]), "big") for name in ("n", "e"))
    if not _MIN_RSA <= n.bit_length() <= _MAX_RSA or e.bit_length() > 33:
        raise ValueError("an RSA key of a size that is not accepted")
    return rsa.RSAPublicNumbers(e, n).public_key(), frozenset(
        f"{kind}{size}" for kind in ("RS", "PS") for size in _HASHES
    )


def _ec(jwk: Mapping[str, Any]) -> tuple[Key, frozenset[str]]:
    algorithm, curve, _ = _CURVES[jwk["crv"]]
    x, y = (int.from_bytes(base64url.decode(jwk[name]), "big") for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, curve).public_key(), frozenset({algorithm})


def _okp(jwk: Mapping[str, Any]) -> tuple[Key, frozenset[str]]:
    if jwk["crv"] != "Ed25519":
        raise ValueError("a curve that is not accepted")
    return ed25519.Ed25519PublicKey.from_public_bytes(base64url.decode(jwk["x"])), frozenset({"EdDSA"})


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], tuple[Key, frozenset[str]]]] = {"RSA": _rsa, "EC": _ec, "OKP": _okp}


def _is_signed(key: Key, algorithm: str, signed: bytes, signature: bytes) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            size = next(size for name, _, size in _CURVES.values() if name == algorithm)
            if len(signature) != 2 * size:
                return False
            r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(_HASHES[algorithm[2:]]))
        else:
            digest = _HASHES[algorithm[2:]]
            if algorithm.startswith("PS"):
                key.verify(signature, signed, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
            else:
                key.verify(signature, signed, padding.PKCS1v15(), digest)
    except (InvalidSignature, ValueError):
        return False
    return True
