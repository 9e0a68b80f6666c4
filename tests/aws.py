"""AWS for tests: ministack in a process of its own, clients for it or for moto, the two tables, and call counts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.ports import free_port

REGION = "eu-central-1"
USER_AGENT = "roadstead-tests"  # botocore composes its own anew for each call, which is a tenth of what a call takes
# The index table's, as infra/tables.py has it.
INDEXES: list[dict[str, Any]] = [
    {
        "IndexName": "by-push",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "pushed", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["digest", "type", "size", "by", "at"]},
    }
]
CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}  # both emulators take any


@contextlib.contextmanager
def ministack(environment: dict[str, str] | None = None) -> Iterator[str]:
    """The endpoint of a fresh ministack on loopback, ended with the context. Raises RuntimeError with its log."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="roadstead-ministack-") as directory:
        log = Path(directory) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                cwd=directory,
                env={
                    **os.environ,
                    "GATEWAY_PORT": str(port),
                    "BIND_HOST": "127.0.0.1",
                    "MINISTACK_REGION": REGION,
                    "TMPDIR": directory,
                    # It checks presigned URLs by these; moto leaves others in the environment of this process.
                    "AWS_ACCESS_KEY_ID": "test",
                    "AWS_SECRET_ACCESS_KEY": "test",
                    "IOT_MTLS_ENABLED": "0",  # or it listens on all interfaces
                    "DOCKER_HOST": "unix:///nonexistent",  # or it tidies up containers that are not its own
                    **(environment or {}),
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        endpoint = f"http://127.0.0.1:{port}"
        try:
            _wait_until_up(endpoint, process, log)
            yield endpoint
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_until_up(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=20):
            return
        time.sleep(0.05)
    raise RuntimeError(f"ministack did not come up on {endpoint}:\n{log.read_text(errors='replace')[-4000:]}")


def client(service: str, endpoint: str | None = None) -> Any:
    """A client with made-up credentials; without an endpoint it is for use inside `moto.mock_aws()`."""
    config = Config(
        user_agent=USER_AGENT,
        retries={"mode": "standard", "max_attempts": 2},
        signature_version="s3v4" if service == "s3" else None,
        s3={"addressing_style": "path"},
    )
    return boto3.client(service, region_name=REGION, endpoint_url=endpoint, config=config, **CREDENTIALS)


def local_client(service: str, ready: Mapping[str, Any]) -> Any:
    """A client of a running local cloud, by what its `ready.json` says."""
    keys = json.loads(Path(ready["credentials_file"]).read_text())
    return boto3.client(
        service,
        region_name=ready["region"],
        endpoint_url=ready["aws_endpoint"],
        aws_access_key_id=keys["access_key"],
        aws_secret_access_key=keys["secret_key"],
        config=Config(
            user_agent=USER_AGENT,
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
        ),
    )


def make_tables(dynamodb_client: Any, index_table: str, identity_table: str) -> None:
    """Both tables as they are deployed: string keys pk and sk, on demand, TTL by `expires` (seconds)."""
    for name, indexes in ((index_table, INDEXES), (identity_table, [])):
        attributes = ["pk", "sk", *(key["AttributeName"] for index in indexes for key in index["KeySchema"])]
        dynamodb_client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": "S"} for attribute in dict.fromkeys(attributes)
            ],
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        )
        dynamodb_client.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
        )


def make_signing_key(kms_client: Any) -> str:
    """The id of a new P-256 signing key."""
    key = kms_client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return str(key["KeyMetadata"]["KeyId"])


def record_calls(*clients: Any, calls: list[str] | None = None) -> list[str]:
    """A list that grows by `service.Operation` with every call that the clients make (retries count once)."""
    recorded = [] if calls is None else calls

    def record(model: Any, **_: Any) -> None:
        recorded.append(f"{model.service_model.service_name}.{model.name}")

    for one in clients:
        one.meta.events.register("before-call", record)
    return recorded
