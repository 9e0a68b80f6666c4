"""The embedded AWS: ministack in a child process, on the loopback, with its state in a directory."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.failures import ExitCode, Failure
from local.processes import children
from local.processes.probe import answers
from local.state import StateDirectory

REGION = "us-east-1"
# ministack knows these without an IAM user; it checks the signatures of presigned URLs by them.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
SERVICES = "dynamodb,dynamodbstreams,s3,kms,ssm,logs,sqs,sts"
START = 30.0  # seconds that it may take to start
STOP = 60.0  # and to stop: it writes its tables then


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where AWS answers."""

    address: str
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The variables by which boto3 finds this AWS, as each Lambda, script and test needs them."""
        return {
            **CREDENTIALS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "ROADSTEAD_S3_ADDRESSING": "path",
        }


class EmbeddedAws:
    """The component. `endpoint` is known from the beginning."""

    name = "the embedded AWS"

    def __init__(self, state: StateDirectory, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._state = state
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        if importlib.util.find_spec("ministack") is None:
            raise Failure(ExitCode.DEPENDENCY_MISSING, "ministack is not installed; run `make up`, which installs it.")
        log = self._state.logs / "aws.log"
        with log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "local.aws_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=self._environment(os.environ),
                cwd=Path(__file__).parent.parent,
                start_new_session=True,  # Ctrl-C in the terminal is ours to pass on, when the functions have stopped
            )
        try:
            await self._until_ready(log)
        except BaseException:
            await self._end(self._process)
            raise

    async def watch(self) -> None:
        process = self._running()
        while True:
            try:
                await asyncio.wait_for(process.wait(), timeout=5)
            except TimeoutError:
                self._state.check_space()
            else:
                raise Failure(
                    ExitCode.COMPONENT_FAILED,
                    f"The embedded AWS died (exit code {process.returncode}); see {self._state.logs / 'aws.log'}.",
                )

    async def stop(self) -> None:
        process = self._running()
        alive = process.returncode is None
        before = self._saved()
        await self._end(process)
        # It only logs when it cannot write, so the file has to tell.
        if alive and self._saved() == before:
            raise Failure(
                ExitCode.DISK_FULL,
                f"The state could not be saved in {self._state.path} (is the disk full?); what was pushed in the "
                f"last seconds is lost. See {self._state.logs / 'aws.log'}.",
            )

    def _saved(self) -> int:
        """When the tables were last written, in nanoseconds; 0 for never."""
        file = self._state.tables / "dynamodb.json"
        return file.stat().st_mtime_ns if file.exists() else 0

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the embedded AWS was not started")
        return self._process

    def _environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        scratch = str(self._state.scratch)
        return {
            **{name: outer[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in outer},
            "SERVICES": SERVICES,
            "BIND_HOST": self.endpoint.address,
            "GATEWAY_PORT": str(self.endpoint.port),
            "MINISTACK_HOST": self.endpoint.host,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._state.tables),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._state.objects),
            "TMPDIR": scratch,
            # It would listen on every interface for MQTT.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            # It would reap containers that other instances of it have started; there is no daemon behind this name.
            "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",
        }

    async def _until_ready(self, log: Path) -> None:
        process = self._running()
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            if process.returncode is not None:
                raise Failure(
                    ExitCode.COMPONENT_FAILED,
                    f"The embedded AWS did not start (exit code {process.returncode}); see {log}.",
                )
            if await asyncio.to_thread(answers, f"{self.endpoint.url}/_ministack/ready"):
                return
            await asyncio.sleep(0.05)
        raise Failure(ExitCode.COMPONENT_FAILED, f"The embedded AWS did not start within {START:.0f} s; see {log}.")

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Close its input, which stops it in order; kill it when that takes too long."""
        if process.stdin is not None:
            process.stdin.close()
        await children.end(process, STOP)
