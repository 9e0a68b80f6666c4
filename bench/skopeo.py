"""Runs skopeo as a person does: one process for each command."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from bench.content import TAG
from bench.servers import Missing, Server

_TIMEOUT = 600.0  # seconds: for a machine that hangs, not a slow one


class Skopeo:
    """Runs commands in their own directory. Each returns its wall time in seconds. Raises CalledProcessError."""

    def __init__(self, work: Path) -> None:
        if shutil.which("skopeo") is None:
            raise Missing("skopeo is not installed: apt-get install skopeo")
        self._work = work
        self._auth = work / "auth.json"
        self._auth.write_text("{}")

    def login(self, server: Server) -> float:
        command = ("login", "--tls-verify=false", "-u", server.user, "--password-stdin", server.host)
        return self._run(*command, stdin=server.password)

    def push(self, server: Server, layout: Path, name: str) -> float:
        """`name` is repository:tag."""
        target = f"docker://{server.host}/{name}"
        return self._run("copy", "-q", "--preserve-digests", "--dest-tls-verify=false", f"oci:{layout}:{TAG}", target)

    def pull(self, server: Server, name: str) -> float:
        """Pull into an empty directory, which is deleted afterwards."""
        store = self._work / "pulled"
        try:
            source = f"docker://{server.host}/{name}"
            return self._run("copy", "-q", "--preserve-digests", "--src-tls-verify=false", source, f"dir:{store}")
        finally:
            shutil.rmtree(store, ignore_errors=True)

    def _run(self, *arguments: str, stdin: str = "") -> float:
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self._work), "TMPDIR": str(self._work)}
        environment["REGISTRY_AUTH_FILE"] = str(self._auth)
        began = time.perf_counter()
        subprocess.run(
            ["skopeo", "--insecure-policy", *arguments],
            input=stdin,
            text=True,
            env=environment,
            capture_output=True,
            timeout=_TIMEOUT,
            check=True,
        )
        return time.perf_counter() - began
