"""The custom resource that copies the package, on an S3 emulator."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, str], str, str]]]:
    """What CloudFormation is told: status, data, physical id, reason. Both buckets are there."""
    told: list[tuple[str, dict[str, str], str, str]] = []

    def send(
        event: Any, context: Any, status: str, data: dict[str, str], physical_id: str, *, reason: str = ""
    ) -> None:
        told.append((status, data, physical_id, reason))

    module = types.ModuleType("cfnresponse")
    monkeypatch.setattr(module, "send", send, raising=False)
    monkeypatch.setattr(module, "SUCCESS", "SUCCESS", raising=False)
    monkeypatch.setattr(module, "FAILED", "FAILED", raising=False)
    monkeypatch.setitem(sys.modules, "cfnresponse", module)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in ("assets", "code"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket="assets", Key="hash.zip", Body=b"package")
        yield told


def ask(kind: str, key: str = "hash.zip") -> None:
    properties = {"Bucket": "code", "Key": key, "SourceBucket": "assets", "SourceKey": key}
    module = importlib.import_module("infra.relays.package_copier")
    importlib.reload(module).handler({"RequestType": kind, "ResourceProperties": properties}, None)


def test_the_copys_version_is_told_and_the_physical_id_never_changes(sent: list[Any]) -> None:
    ask("Create")
    boto3.client("s3").put_object(Bucket="assets", Key="next.zip", Body=b"next")
    ask("Update", "next.zip")
    for (status, data, physical_id, _), key in zip(sent, ("hash.zip", "next.zip"), strict=True):
        assert (status, physical_id) == ("SUCCESS", "code")
        boto3.client("s3").get_object(Bucket="code", Key=key, VersionId=data["VersionId"])


def test_an_update_leaves_the_code_of_the_revision_before(sent: list[Any]) -> None:
    ask("Create")
    boto3.client("s3").put_object(Bucket="assets", Key="next.zip", Body=b"next")
    ask("Update", "next.zip")
    listed = boto3.client("s3").list_objects_v2(Bucket="code")["Contents"]
    assert {one["Key"] for one in listed} == {"hash.zip", "next.zip"}


def test_with_the_stack_goes_every_version_so_that_the_bucket_can_go(sent: list[Any]) -> None:
    ask("Create")
    ask("Update")
    boto3.client("s3").delete_object(Bucket="code", Key="hash.zip")  # leaves a delete marker
    ask("Delete")
    assert sent[-1][0] == "SUCCESS"
    boto3.client("s3").delete_bucket(Bucket="code")


def test_a_failure_is_told_with_its_reason(sent: list[Any]) -> None:
    ask("Create", "absent.zip")
    ((status, _, _, reason),) = sent
    assert status == "FAILED"
    assert "NoSuchKey" in reason
