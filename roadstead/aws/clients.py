"""AWS clients, one per service and process, and what their errors mean."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "max_attempts": 3},
)
_S3_CONFIG = _CONFIG.merge(
    Config(
        # Or the client of us-east-1 would presign with SigV2 for the global host.
        signature_version="s3v4",
        # botocore would add CRCs of its own; the checksums that matter here are named explicitly.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
)


def client(service: str, *, connections: int = 10, patience: float = 10) -> Any:
    """A client of `service` in the environment's region; its endpoint by `AWS_ENDPOINT_URL_<SERVICE>` if set.

    `connections` are kept open at most; `patience` is how many seconds an answer may take (completing a large
    multipart upload takes S3 minutes). Virtual-host addressing for S3, as presigned URLs want it;
    `ROADSTEAD_S3_ADDRESSING=path` for emulators that have no wildcard DNS name.
    """
    own = Config(max_pool_connections=connections, read_timeout=patience)
    if service != "s3":
        return boto3.client(service, config=_CONFIG.merge(own))
    style = os.environ.get("ROADSTEAD_S3_ADDRESSING", "virtual")
    return boto3.client("s3", config=_S3_CONFIG.merge(own).merge(Config(s3={"addressing_style": style})))


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
