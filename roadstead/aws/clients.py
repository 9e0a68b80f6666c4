"""AWS clients, one per service and process, and what their errors mean.

They are botocore's own, without boto3, which adds to its clients what nothing here uses and imports s3transfer for it.
Signing, endpoints, credentials, retries and X-Ray's patch are botocore's; two things are done past it, since they are
most of what a small call costs (docs/adr/0010): the body of an answer that holds items becomes Python by `json.loads`
alone, not by a walk through botocore's model of it; and the User-Agent is put together once, not for every request.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
)
_S3_CONFIG = Config(
    # Or the client of us-east-1 would presign with SigV2 for the global host.
    signature_version="s3v4",
    # botocore would add CRCs of its own; the checksums that matter here are named explicitly.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
# `attributes.encode` makes requests that are well formed; checking each against the model takes longer than sending it.
_DYNAMODB_CONFIG = Config(parameter_validation=False)
# Not BatchWriteItem: what it leaves unprocessed is sent again, and botocore would encode its binary a second time.
_ITEMS = ("GetItem", "BatchGetItem", "Query", "UpdateItem")


@cache
def session() -> botocore.session.Session:
    """botocore's session of this process: its clients share credentials, and what was read of AWS's service models."""
    return botocore.session.Session()


def client(service: str, *, connections: int = 10, patience: float = 10, attempts: int = 3) -> Any:
    """A client of `service` in the environment's region; its endpoint by `AWS_ENDPOINT_URL_<SERVICE>` if set.

    `connections` are kept open at most; `patience` is how many seconds an answer may take (completing a large
    multipart upload takes S3 minutes), and `attempts` how often botocore tries. Virtual-host addressing for S3, as
    presigned URLs want it; `ROADSTEAD_S3_ADDRESSING=path` for emulators that have no wildcard DNS name. Items in the
    answers of DynamoDB hold binary as the base64 that DynamoDB sends, as `attributes.decode` reads it.
    """
    ours = session()
    config = _CONFIG.merge(
        Config(
            max_pool_connections=connections,
            read_timeout=patience,
            user_agent=ours.user_agent(),
            retries={"mode": "standard", "max_attempts": attempts},
        )
    )
    if service == "s3":
        style = os.environ.get("ROADSTEAD_S3_ADDRESSING", "virtual")
        config = config.merge(_S3_CONFIG).merge(Config(s3={"addressing_style": style}))
    elif service == "dynamodb":
        config = config.merge(_DYNAMODB_CONFIG)
    made = ours.create_client(service, config=config)
    if service == "dynamodb":
        for operation in _ITEMS:
            made.meta.events.register(f"before-parse.dynamodb.{operation}", _load_items)
    return made


class Deferred:
    """A client that is made when something is first asked of it: a function then pays for it only where it is used."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:  # botocore's clients can be used by many threads at once, but not made by them
            if self._made is None:
                self._made = self._make()
        value = getattr(self._made, name)
        self.__dict__[name] = value  # the next time nobody comes by here
        return value


def _load_items(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Make the answer of its body by itself, and leave an empty object for botocore to parse.

    Errors are left to botocore. Raises ResponseParserError for a body that is not a JSON object: botocore would take
    it for an answer without an item.
    """
    if response_dict["status_code"] >= 300:
        return
    try:
        answer = json.loads(response_dict["body"])
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ResponseParserError("DynamoDB's answer is not a JSON object")
    customized_response_dict.update(answer)
    response_dict["body"] = b"{}"


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
