"""SHA-512 checksums for the embedded S3, which knows those of S3's older list only.

S3 verifies and keeps `x-amz-checksum-sha512` as it does the others; ministack 1.5 stores such an object without it, so
that the adoption of an upload by its sha512 digest would find nothing that proves it. Its table and its one function
for checksums are extended in place; the version is pinned, and a test notices when they are no longer there.
"""

from __future__ import annotations

import base64
import hashlib

from ministack.services import s3

_HEADER = "sha512"


def accept_sha512() -> None:
    """Have the ministack of this process verify, keep and return SHA-512 checksums. Harmless when repeated."""
    if _HEADER in s3._S3_CHECKSUM_HEADERS:
        return
    compute = s3._compute_s3_checksum

    def compute_also_sha512(algorithm: str, body: bytes) -> str | None:
        if algorithm and algorithm.upper() == "SHA512":
            return base64.b64encode(hashlib.sha512(body).digest()).decode()
        result: str | None = compute(algorithm, body)
        return result

    s3._compute_s3_checksum = compute_also_sha512
    s3._S3_CHECKSUM_HEADERS = (*s3._S3_CHECKSUM_HEADERS, _HEADER)
