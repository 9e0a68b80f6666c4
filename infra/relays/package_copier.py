"""CloudFormation's custom resource that copies the relay's package, and empties the bucket when the stack is deleted.

It is deployed as inline code of at most 4,096 characters, for which Lambda provides `cfnresponse`.
"""

from typing import Any

import boto3
import cfnresponse


def handler(event: dict[str, Any], context: Any) -> None:
    """Return the copy's VersionId to the template. The physical id never changes, so no update deletes a copy."""
    wanted = event["ResourceProperties"]
    bucket = wanted["Bucket"]
    s3 = boto3.client("s3")
    data = {}
    try:
        if event["RequestType"] == "Delete":
            empty(s3, bucket)
        else:
            source = {"Bucket": wanted["SourceBucket"], "Key": wanted["SourceKey"]}
            data["VersionId"] = s3.copy_object(Bucket=bucket, Key=wanted["Key"], CopySource=source)["VersionId"]
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        cfnresponse.send(event, context, cfnresponse.FAILED, {}, bucket, reason=reason)
        return
    cfnresponse.send(event, context, cfnresponse.SUCCESS, data, bucket)


def empty(s3: Any, bucket: str) -> None:
    """Delete every version and delete marker."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
