"""boto3 clients for the embedded AWS, by the variables that a function would see, without touching our own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config


def client(service: str, environment: Mapping[str, str]) -> Any:
    """A client of `service`; `environment` as `aws.Endpoint.environment` has it."""
    session = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    config = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 5})
    return session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"], config=config)
