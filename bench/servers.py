"""The registries that are compared: Roadstead's local stack and distribution, both on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.ports import free_port
from tests.e2e import cloud

DISTRIBUTION = "docker-registry"  # Debian's package and program of this name; distribution 2.8
_START, _STOP = 30.0, 30.0  # seconds
_PASSWORD = "the-password-of-the-bench"
_HTPASSWD = "bench:$2y$05$roadsteadroadsteadroauCRh5FZOP8ZvTAoJu7z/4JwVuFDAo5Cy\n"  # bcrypt of it


class Missing(Exception):
    """A program that the bench needs is not installed; the message names it and its package."""


@dataclass(frozen=True, slots=True)
class Server:
    """A registry on the loopback; without login, `user` is empty. `ready` is the content of `ready.json`, if any."""

    host: str  # host:port, as in the name of an image
    pid: int
    user: str = ""
    password: str = ""
    ready: Mapping[str, Any] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}"


@contextlib.contextmanager
def roadstead(work: Path, *options: str, name: str = "roadstead") -> Iterator[Server]:
    """Run `python -m local up` with `options`. Raises AssertionError with its output if it does not start."""
    with cloud.instance(work / name, free_port(), *options) as instance:
        found = instance.wait_until_ready()
        yield Server(found.host, int(found.ready["pid"]), found.admin, found.admin_password, found.ready)


@contextlib.contextmanager
def distribution(work: Path, storage: Mapping[str, Any], *, login: bool) -> Iterator[Server]:
    """Run Debian's distribution on `storage`, a section of its configuration; `login` enables htpasswd.

    Raises Missing; RuntimeError with its log if it does not start.
    """
    program = shutil.which(DISTRIBUTION)
    if program is None:
        raise Missing(f"{DISTRIBUTION} is not installed: apt-get install {DISTRIBUTION}")
    directory = work / "distribution"
    directory.mkdir()
    host = f"127.0.0.1:{free_port()}"
    (directory / "htpasswd").write_text(_HTPASSWD)
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {**storage, "delete": {"enabled": True}},
        "http": {"addr": host},
    }
    if login:
        settings["auth"] = {"htpasswd": {"realm": "bench", "path": str(directory / "htpasswd")}}
    (directory / "config.yml").write_text(json.dumps(settings))  # JSON is YAML
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "serve", directory / "config.yml"],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", ""), "OTEL_TRACES_EXPORTER": "none"},
            start_new_session=True,
        )
    try:
        _wait_until_listening(host, process, log)
        yield Server(host, process.pid, *(("bench", _PASSWORD) if login else ()))
    finally:
        _end(process)
        shutil.rmtree(directory)


def filesystem(work: Path) -> dict[str, Any]:
    """Return distribution's configuration for storage in a directory."""
    return {"filesystem": {"rootdirectory": str(work / "distribution" / "data")}}


def _wait_until_listening(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{host}/", timeout=2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{DISTRIBUTION} did not start on {host}:\n{log.read_text(errors='replace')[-4000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
