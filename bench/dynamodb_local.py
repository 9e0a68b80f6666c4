"""Amazon's DynamoDB Local, whose transactions conflict as DynamoDB's do. npm's amplify-dynamodb-simulator carries it.

The package's own dependencies are not needed, so its tarball alone is fetched, once, and held to its hash.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import shutil
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.servers import Missing
from local.ports import free_port

PACKAGE = "amplify-dynamodb-simulator@2.9.30"
_SHA512 = "xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
_CACHE = Path.home() / ".cache" / "roadstead" / "dynamodb-local"
_START, _STOP = 60.0, 10.0  # seconds


@contextlib.contextmanager
def dynamodb_local() -> Iterator[str]:
    """Run it in memory; yield its URL. Raises Missing without Java or npm, RuntimeError if it does not start."""
    java = shutil.which("java")
    if java is None:
        raise Missing("java is not installed: apt-get install default-jre-headless")
    emulator = _unpacked() / "package" / "emulator"
    url = f"http://127.0.0.1:{(port := free_port())}"
    library = f"-Djava.library.path={emulator / 'DynamoDBLocal_lib'}"
    process = subprocess.Popen(
        [java, library, "-jar", emulator / "DynamoDBLocal.jar", "-inMemory", "-port", str(port)],
        cwd=_CACHE,  # it writes a file where it runs
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until_listening(url, process)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _unpacked() -> Path:
    """Return the directory of the package's files, which are fetched if they are not there. Raises Missing."""
    there = _CACHE / PACKAGE
    if there.is_dir():
        return there
    npm = shutil.which("npm")
    if npm is None:
        raise Missing("npm is not installed: apt-get install npm")
    _CACHE.mkdir(parents=True, exist_ok=True)
    fetched = subprocess.run(
        [npm, "pack", "--silent", PACKAGE], cwd=_CACHE, capture_output=True, text=True, check=False
    )
    if fetched.returncode:
        raise Missing(f"{PACKAGE} cannot be fetched: {fetched.stderr.strip()[-200:]}")
    tarball = _CACHE / fetched.stdout.split()[-1]
    if hashlib.sha512(tarball.read_bytes()).digest() != base64.b64decode(_SHA512):
        tarball.unlink()
        raise Missing(f"{PACKAGE} does not have the hash that bench/dynamodb_local.py names")
    with tarfile.open(tarball) as files:
        files.extractall(there.with_suffix(".new"), filter="data")
    there.with_suffix(".new").rename(there)
    tarball.unlink()
    return there


def _wait_until_listening(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:  # it answers; unsigned requests are refused
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("DynamoDB Local did not start")
