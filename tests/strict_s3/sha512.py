"""SHA-512 checksums for LocalStack's S3, whose model of the service is older than they are.

Without this it takes `x-amz-checksum-sha512` for a header that means nothing: it neither compares nor keeps it. Its
tables are extended in place before the service is loaded; what it then does is what it does for SHA-256.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from localstack.aws import spec
from localstack.services.s3 import constants, models, provider, utils
from localstack.services.s3.storage import ephemeral

ALGORITHM = "SHA512"
_MEMBER = {"shape": "ChecksumSHA512", "location": "header", "locationName": "x-amz-checksum-sha512"}
_SHAPES = ("PutObjectRequest", "PutObjectOutput", "HeadObjectOutput", "GetObjectOutput")


def extend_model() -> None:
    """Before anything loads the model of S3."""
    patches: list[dict[str, Any]] = [
        {"op": "add", "path": "/shapes/ChecksumSHA512", "value": {"type": "string"}},
        {"op": "add", "path": "/shapes/ChecksumAlgorithm/enum/-", "value": ALGORITHM},
        *({"op": "add", "path": f"/shapes/{shape}/members/ChecksumSHA512", "value": _MEMBER} for shape in _SHAPES),
    ]
    spec.loader.patches.setdefault("s3/2006-03-01/service-2", []).extend(patches)


def extend_checks() -> None:
    """Compute and compare it wherever another checksum is."""
    constants.CHECKSUM_ALGORITHMS.append(ALGORITHM)
    compute, is_valid = utils.get_s3_checksum, provider.validate_checksum_value

    def compute_also_sha512(algorithm: str) -> Any:
        return hashlib.sha512() if algorithm == ALGORITHM else compute(algorithm)

    def is_valid_also_sha512(value: str, algorithm: str) -> bool:
        return _is_sha512(value) if algorithm == ALGORITHM else is_valid(value, algorithm)

    for module in (utils, models, ephemeral):
        module.get_s3_checksum = compute_also_sha512
    provider.validate_checksum_value = is_valid_also_sha512


def _is_sha512(value: str) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == hashlib.sha512().digest_size
    except binascii.Error:
        return False
