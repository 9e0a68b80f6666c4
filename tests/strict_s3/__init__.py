"""A strict S3: LocalStack's, in a process and an environment of its own, since its dependencies contradict ours.

It verifies the signatures of every request (S3's own refusals: server.py, signatures.py), checksums of SHA-256 and
SHA-512 (sha512.py), the sizes of parts and the checksums that completing a multipart upload names; it keeps objects in
files. `make .venv-s3/strict-s3.stamp` installs it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-s3" / "bin" / "python"
_START, _STOP = 300.0, 60.0  # seconds, on a busy machine


@dataclass(frozen=True, slots=True)
class StrictS3:
    """Where it serves, path style, and the one key pair that it takes. `pid` is of its process."""

    endpoint: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    pid: int = 0

    def environment(self) -> dict[str, str]:
        """What points a function's S3 client here and leaves its other clients where they are."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "ROADSTEAD_S3_ADDRESSING": "path",
        }


@contextlib.contextmanager
def strict_s3(region: str = "us-east-1") -> Iterator[StrictS3]:
    """One that serves, empty, while the context lasts. Raises RuntimeError: it is not installed, or with its log."""
    if not PYTHON.exists():
        raise RuntimeError(f"{PYTHON} is missing; `make .venv-s3/strict-s3.stamp` installs the strict S3")
    # LocalStack knows the secret of presigned URLs by heart: "test", whatever the access key.
    access_key, secret_key = "test", "test"
    with tempfile.TemporaryDirectory(prefix="roadstead-s3-") as directory, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        host, port = listener.getsockname()
        log = Path(directory) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [PYTHON, "-m", "tests.strict_s3.server", str(listener.fileno())],
                cwd=ROOT,
                env={
                    "PATH": os.environ.get("PATH", ""),
                    "OWNER": f"{access_key}:{secret_key}:{region}",
                    "GATEWAY_LISTEN": f"{host}:{port}",
                    "S3_SKIP_SIGNATURE_VALIDATION": "0",
                    # Nothing is sent, fetched or looked for, and nothing written elsewhere.
                    "DISABLE_EVENTS": "1",
                    "SKIP_INFRA_DOWNLOADS": "1",
                    "SKIP_SSL_CERT_DOWNLOAD": "1",
                    "DOCKER_HOST": "unix:///nonexistent",
                    "HOME": directory,
                    "TMPDIR": directory,
                    "FILESYSTEM_ROOT": str(Path(directory) / "localstack"),
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
        listener.close()  # so that a connection is refused once that process is gone
        try:
            endpoint = f"http://{host}:{port}"
            _wait_until_up(endpoint, process, log)
            yield StrictS3(endpoint, region, access_key, secret_key, process.pid)
        finally:
            _end(process)


def _wait_until_up(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(endpoint, timeout=20).close()
        except urllib.error.HTTPError as answered:  # 403: the request was not signed
            answered.close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the strict S3 did not come up on {endpoint}:\n{log.read_text(errors='replace')[-4000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
