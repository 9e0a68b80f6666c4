"""The form of tokens and of the certificates in them: compact JWS (RFC 7515), ES256 only (RFC 7518 section 3.4).

A token's header:

    alg  ES256     typ  JWT     kid  RFC 7638 thumbprint of the key that signed it
    crt  the certificate of that key; absent when the key itself is one of the trusted ones (mode `direct`)

A token's claims are those of the Docker registry's "JWT implementation" (iss, sub, aud, exp, nbf, iat, jti, access)
and `kind`, the actor's kind. A certificate is a JWS too, with `typ` roadstead-key+jwt and the claims iss, aud, iat, exp
and `cnf` (RFC 7800): a trusted key says that the key in `cnf` may sign tokens until `exp`. Times are whole seconds
since the epoch.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from roadstead.identity.signing import PublicKeys

PublicKey = ec.EllipticCurvePublicKey

ALGORITHM = "ES256"
TOKEN_TYPE = "JWT"
CERTIFICATE_TYPE = "roadstead-key+jwt"
CERTIFICATE = "crt"  # the header parameter

CERTIFICATE_LIFETIME = 3600  # seconds; verifiers refuse a certificate that was given a longer one
LEEWAY = 60  # seconds by which two clocks may differ

_COORDINATE = 32  # bytes of a P-256 coordinate


def encode_bytes(data: bytes) -> str:
    """base64url without padding, as everything in JOSE."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_bytes(text: str) -> bytes:
    """Raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def compact(header: Mapping[str, Any], claims: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A JWS in compact form; `sign` answers the raw R||S signature of the bytes that it is given."""
    signed = f"{_segment(header)}.{_segment(claims)}"
    return f"{signed}.{encode_bytes(sign(signed.encode('ascii')))}"


def public_jwk(key: PublicKey) -> dict[str, str]:
    """The key's required members (RFC 7517), in the order in which RFC 7638 hashes them."""
    numbers = key.public_numbers()
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": encode_bytes(numbers.x.to_bytes(_COORDINATE, "big")),
        "y": encode_bytes(numbers.y.to_bytes(_COORDINATE, "big")),
    }


def key_from_jwk(jwk: object) -> PublicKey:
    """The P-256 key in a JWK. Raises ValueError when it is anything else, a point off the curve included."""
    if not isinstance(jwk, dict) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise ValueError("not a P-256 key")
    x, y = jwk.get("x"), jwk.get("y")
    if not (isinstance(x, str) and isinstance(y, str)):
        raise ValueError("a P-256 key needs x and y")
    numbers = ec.EllipticCurvePublicNumbers(_coordinate(x), _coordinate(y), ec.SECP256R1())
    return numbers.public_key()


def thumbprint(key: PublicKey) -> str:
    """The JWK thumbprint with SHA-256 (RFC 7638): the `kid` of every key here."""
    canonical = json.dumps(public_jwk(key), separators=(",", ":")).encode()
    return encode_bytes(hashlib.sha256(canonical).digest())


def trusted_keys(source: PublicKeys, key_ids: Iterable[str]) -> dict[str, PublicKey]:
    """The public halves of the configured keys, by thumbprint; one call to `source` for each."""
    keys = (source.public_key(key_id) for key_id in key_ids)
    return {thumbprint(key): key for key in keys}


def _coordinate(text: str) -> int:
    data = decode_bytes(text)
    if len(data) != _COORDINATE:
        raise ValueError("a P-256 coordinate has 32 bytes")
    return int.from_bytes(data, "big")


def _segment(document: Mapping[str, Any]) -> str:
    return encode_bytes(json.dumps(document, separators=(",", ":")).encode())
