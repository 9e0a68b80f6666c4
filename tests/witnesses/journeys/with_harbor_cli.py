"""The journey by `harbor-cli`, the command on top of `harborapi`."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path

from pushing import push

URL, PASSWORD = os.environ["ROADSTEAD_URL"], os.environ["ROADSTEAD_PASSWORD"]
OWN = secrets.token_hex(4)
PROJECT = f"command-{OWN}"
CONFIGURATION = f"""
[harbor]
url = "{URL}/api/v2.0"
username = "admin"
secret = "{PASSWORD}"
[general]
confirm_deletion = false
confirm_enumeration = false
[output]
format = "json"
"""


def main() -> None:
    path = Path.cwd() / f"harbor-cli-{OWN}.toml"
    path.write_text(CONFIGURATION)

    def harbor(*arguments: str) -> str:
        made = subprocess.run(
            ["harbor", "--config", str(path), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if made.returncode != 0:
            raise AssertionError(f"harbor {' '.join(arguments)}: {made.stdout[-2000:]}{made.stderr[-2000:]}")
        return made.stdout

    harbor("system", "ping")
    assert "healthy" in harbor("system", "health")
    assert "v2.16.0" in harbor("system", "info")
    harbor("system", "volumes")
    harbor("project", "create", PROJECT)
    assert PROJECT in harbor("project", "get", PROJECT)
    assert PROJECT in harbor("project", "list", "--query", f"name=~{OWN}")
    harbor("project", "summary", PROJECT)
    harbor("project", "exists", PROJECT)
    digest = push(URL, "admin", PASSWORD, f"{PROJECT}/crane", "v1")
    assert f"{PROJECT}/crane" in harbor("project", "repos", PROJECT)
    assert digest in harbor("artifact", "list", "--project", PROJECT, "--repo", "crane")
    assert digest in harbor("artifact", "get", f"{PROJECT}/crane:v1")
    harbor("artifact", "tag", "create", f"{PROJECT}/crane:v1", "v2")
    assert "v2" in harbor("artifact", "tag", "list", f"{PROJECT}/crane:v1")
    assert "admin" in harbor("user", "get-current")
    assert "admin" in harbor("user", "list")
    assert "db_auth" in harbor("config", "get")
    harbor("webhook", "policy", "list", PROJECT)
    assert "PUSH_ARTIFACT" in harbor("webhook", "events", PROJECT)
    harbor("registry", "list")
    harbor("replication", "policy", "list")
    harbor("scanner", "list")
    harbor("usergroup", "list")
    harbor("auditlog", "list")
    print("done")


main()
