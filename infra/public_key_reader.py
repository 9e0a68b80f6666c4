"""CloudFormation's custom resource that reads the public keys of the token keys, for the functions' variables.

It is deployed as inline code of at most 4,096 characters, for which Lambda provides `cfnresponse`.
"""

import base64
import time
from typing import Any

import boto3
import cfnresponse
from botocore.exceptions import ClientError

PATIENCE = 60  # seconds: a role and a key that were just created are not known everywhere at once
PAUSE = 3  # seconds


def handler(event: dict[str, Any], context: Any) -> None:
    """Return `Keys`: SubjectPublicKeyInfo in base64 of each of the resource's `Keys`, in their order, with commas."""
    id = "public-keys"
    data = {}
    try:
        if event["RequestType"] != "Delete":
            until = time.monotonic() + PATIENCE
            data["Keys"] = ",".join(read(name, until) for name in event["ResourceProperties"]["Keys"])
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        cfnresponse.send(event, context, cfnresponse.FAILED, {}, id, reason=reason)
        return
    cfnresponse.send(event, context, cfnresponse.SUCCESS, data, id)


def read(name: str, until: float) -> str:
    """Read one key, again until `until` if KMS refuses or does not know it."""
    while True:
        try:
            key = boto3.client("kms").get_public_key(KeyId=name)["PublicKey"]
            return base64.b64encode(key).decode()
        except ClientError as error:
            refused = error.response["Error"]["Code"] in ("AccessDeniedException", "NotFoundException")
            if not refused or time.monotonic() > until:
                raise
            time.sleep(PAUSE)
