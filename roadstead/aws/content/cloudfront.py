"""Signed URLs of the distribution for blobs, instead of S3's: cheaper egress, and responses that name the digest.

They use a canned policy ("Create a signed URL using a canned policy", Amazon CloudFront Developer Guide), signed by an
ECDSA P-256 key with SHA-256 (`Hash-Algorithm=SHA256`). Signing makes no call, except to read the private key every five
minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from roadstead.aws.ssm import Parameter
from roadstead.content.objects import BlobUrls
from roadstead.digest import Digest


class DistributionUrls:
    """`BlobUrls` of one distribution. A download must begin within `seconds`."""

    def __init__(
        self,
        ssm: Any,
        *,
        origin: str,
        key_id: str,
        key_parameter: str,
        seconds: int,
        otherwise: BlobUrls,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`origin` is the distribution's scheme and host, empty if each call names them; `key_id` is CloudFront's id of
        the public key, `key_parameter` the SSM parameter with the private one. A call that should name the origin and
        does not gets a URL of `otherwise`.
        """
        self._origin = origin
        self._key_id = key_id
        self._key = Parameter(ssm, key_parameter, _private_key, time.monotonic)
        self._seconds = seconds
        self._otherwise = otherwise
        self._clock = clock

    def presign(self, key: str, *, digest: Digest, method: str = "GET", at: str = "") -> str:
        """Return a URL for GET and HEAD. It contains the digest, which a streamed upload's key does not."""
        origin = self._origin or at
        if not origin:
            return self._otherwise.presign(key, digest=digest, method=method)
        resource = f"{origin}/{quote(key)}?digest={quote(digest, safe='')}"
        until = datetime.fromtimestamp(int(self._clock()) + self._seconds, UTC)
        url: str = CloudFrontSigner(self._key_id, self._sign).generate_presigned_url(resource, date_less_than=until)
        return f"{url}&Hash-Algorithm=SHA256"

    def _sign(self, policy: bytes) -> bytes:
        return self._key.value().sign(policy, ECDSA(SHA256()))


def _private_key(pem: str) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("the key of signed URLs must be an ECDSA P-256 key in PEM")
    return key
