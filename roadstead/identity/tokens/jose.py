"""The format of tokens and of the certificates in them: compact JWS (RFC 7515), ES256 only (RFC 7518 section 3.4).

A token's header:

    alg  ES256     typ  JWT     kid  RFC 7638 thumbprint of the key that signed it
    crt  the certificate of that key; absent if the key itself is a trusted one (mode `direct`)

A token's claims are those of the Docker registry's "JWT implementation" (iss, sub, aud, exp, nbf, iat, jti, access),
`kind`, the actor's kind, and `sets`, if the access granted is long (`tokens.granted`). A certificate is a
JWS too, with `typ` roadstead-key+jwt and the claims iss, aud, iat, exp and `cnf` (RFC 7800): a trusted key states that
the key in `cnf` may sign tokens until `exp`. Times are whole seconds since the epoch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from roadstead import base64url, documents
from roadstead.identity.tokens.signing import PublicKeys

PublicKey = ec.EllipticCurvePublicKey

ALGORITHM = "ES256"
TOKEN_TYPE = "JWT"
CERTIFICATE_TYPE = "roadstead-key+jwt"
CERTIFICATE = "crt"  # the header parameter

CERTIFICATE_LIFETIME = 3600  # seconds; verifiers refuse a certificate with a longer lifetime
MIN_TOKEN_LIFETIME = 60  # seconds, of a setting
TOKEN_LIFETIME = 1800  # seconds, at most, also enforced by verifiers; a certificate is used for half an hour then
LEEWAY = 60  # seconds by which two clocks may differ

_COORDINATE = 32  # bytes of a P-256 coordinate
ES256 = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True)
class Jws:
    """A JWS as it was read: nothing in it is verified but by `is_signed_by`."""

    header: Mapping[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes

    @classmethod
    def read(cls, token: str) -> Jws:
        """Read a JWS in compact form. Raises ValueError unless it has three segments and its header is an object.

        Each segment is base64url without padding or stray bits: many decoders accept other spellings, too.
        """
        head, payload, signature = token.split(".")
        try:
            header = json.loads(base64url.decode(head))
        except RecursionError:
            raise ValueError("a header that deep is no header") from None
        if not isinstance(header, dict):
            raise ValueError("a header is an object")
        signed = token[: len(head) + 1 + len(payload)].encode("ascii")
        return cls(header, base64url.decode(payload), signed, base64url.decode(signature))

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether the signature is ES256 by this key: R and S, of 32 bytes each (RFC 7518 section 3.4)."""
        if len(self.signature) != 2 * _COORDINATE:
            return False
        r, s = (int.from_bytes(part, "big") for part in (self.signature[:_COORDINATE], self.signature[_COORDINATE:]))
        try:
            key.verify(encode_dss_signature(r, s), self.signed, ES256)
        except InvalidSignature:
            return False
        return True


def compact(header: Mapping[str, Any], claims: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """Return a JWS in compact form; `sign` returns the raw R||S signature of a message."""
    return compact_under(segment(header), claims, sign)


def compact_under(header: str, claims: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """Return what `compact` does, of the `segment` of a header: a key's header is the same in all its tokens."""
    signed = f"{header}.{segment(claims)}"
    return f"{signed}.{base64url.encode(sign(signed.encode('ascii')))}"


def public_jwk(key: PublicKey) -> dict[str, str]:
    """Return the key's required members (RFC 7517), in the order in which RFC 7638 hashes them."""
    numbers = key.public_numbers()
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": base64url.encode(numbers.x.to_bytes(_COORDINATE, "big")),
        "y": base64url.encode(numbers.y.to_bytes(_COORDINATE, "big")),
    }


def key_from_jwk(jwk: object) -> PublicKey:
    """Return the P-256 key in a JWK. Raises ValueError for anything else, a point off the curve included."""
    if not isinstance(jwk, dict) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise ValueError("not a P-256 key")
    x, y = jwk.get("x"), jwk.get("y")
    if not (isinstance(x, str) and isinstance(y, str)):
        raise ValueError("a P-256 key needs x and y")
    numbers = ec.EllipticCurvePublicNumbers(_coordinate(x), _coordinate(y), ec.SECP256R1())
    return numbers.public_key()


def thumbprint(key: PublicKey) -> str:
    """Return the JWK thumbprint with SHA-256 (RFC 7638), the `kid` of every key here."""
    canonical = documents.compact(public_jwk(key)).encode()
    return base64url.encode(hashlib.sha256(canonical).digest())


def trusted_keys(source: PublicKeys, key_ids: Iterable[str]) -> dict[str, PublicKey]:
    """Return the public keys of the configured keys, by thumbprint. Costs one call to `source` for each."""
    keys = (source.public_key(key_id) for key_id in key_ids)
    return {thumbprint(key): key for key in keys}


def _coordinate(text: str) -> int:
    data = base64url.decode(text)
    if len(data) != _COORDINATE:
        raise ValueError("a P-256 coordinate has 32 bytes")
    return int.from_bytes(data, "big")


def segment(document: Mapping[str, Any]) -> str:
    """Return a header or claims as they stand in a JWS."""
    return base64url.encode(documents.compact(document).encode())
