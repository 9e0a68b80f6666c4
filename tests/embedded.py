"""The embedded cloud for tests: `python -m local.cloud` on a directory and a port of its own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests import aws

ROOT = Path(__file__).parents[1]
REGION = aws.REGION
ACCESS_KEY, SECRET_KEY = aws.CREDENTIALS["aws_access_key_id"], aws.CREDENTIALS["aws_secret_access_key"]
_START, _STOP = 300.0, 300.0  # seconds, on a busy machine


class NotStartedError(RuntimeError):
    """It ended, or did not serve in time; the message is its log."""


@dataclass
class Embedded:
    """A process that serves; `stop`, or `kill` and see what is left."""

    process: subprocess.Popen[bytes]
    endpoint: str
    log: Path
    region: str = REGION

    def environment(self) -> dict[str, str]:
        """What points boto3 here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "ROADSTEAD_S3_ADDRESSING": "path",
        }

    def client(self, service: str, *, attempts: int = 2, secret: str = SECRET_KEY, access: str = ACCESS_KEY) -> Any:
        config = Config(
            user_agent=aws.USER_AGENT,
            retries={"mode": "standard", "max_attempts": attempts},
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=config,
        )

    def stop(self) -> int:
        """The exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return self.process.wait(_STOP)
        finally:
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()


def start(directory: Path, faults: Mapping[str, Any] | None = None, *, port: int = 0, region: str = REGION) -> Embedded:
    """One on loopback, ready to serve. Raises NotStartedError with its log."""
    directory.mkdir(mode=0o700, exist_ok=True)
    log = directory.with_name(directory.name + ".log")
    with socket.socket() as listener, log.open("ab") as output:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "local.cloud", str(directory), str(listener.fileno())],
            cwd=ROOT,
            env={
                "PATH": os.environ.get("PATH", ""),
                "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                "AWS_REGION": region,
                "AWS_ENDPOINT_URL": endpoint,
                "ROADSTEAD_CLOUD_FAULTS": json.dumps(faults or {}),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=output,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    started = Embedded(process, endpoint, log, region)
    deadline = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{endpoint}/_ready", timeout=20):
            return started
        time.sleep(0.02)
    started.kill()
    raise NotStartedError(f"the embedded cloud did not start:\n{log.read_text(errors='replace')[-4000:]}")


@contextlib.contextmanager
def embedded(directory: Path, faults: Mapping[str, Any] | None = None) -> Iterator[Embedded]:
    """One that serves while the context lasts."""
    started = start(directory, faults)
    try:
        yield started
    finally:
        started.stop()
