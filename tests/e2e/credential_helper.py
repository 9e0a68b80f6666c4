"""Clients with the credential helper, and with the AWS credentials of the embedded AWS."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.e2e.clients import Client
from tests.e2e.clients.client import AuthFileClient
from tests.e2e.clients.docker import Docker
from tests.e2e.cloud import REPOSITORY, Cloud

BIN = REPOSITORY / "bin"


def aws_variables(cloud: Cloud) -> dict[str, str]:
    """The credentials of the embedded AWS, as a CI has them in variables."""
    keys = json.loads(Path(cloud.ready["credentials_file"]).read_text())
    return {
        "AWS_ACCESS_KEY_ID": keys["access_key"],
        "AWS_SECRET_ACCESS_KEY": keys["secret_key"],
        "AWS_DEFAULT_REGION": cloud.ready["region"],
        "AWS_ENDPOINT_URL": cloud.ready["aws_endpoint"],
    }


def set_variables(client: Client, monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """Give the client's commands more variables, and the command and the helper on their path."""
    kept = {**client.environment(), "PATH": f"{BIN}:{os.defpath}:/usr/sbin:/sbin", **more}
    monkeypatch.setattr(client, "environment", lambda: kept)


def use_helper(
    client: Client, cloud: Cloud, robot: str, source: str, monkeypatch: pytest.MonkeyPatch, **more: str
) -> None:
    """Name the helper in the client's configuration; the robot and the source in variables."""
    variables = {"ROADSTEAD_URL": cloud.url, "ROADSTEAD_USER": robot, "ROADSTEAD_KEYLESS": source, **more}
    set_variables(client, monkeypatch, **variables)
    assert isinstance(client, AuthFileClient | Docker)
    config = client.config if isinstance(client, Docker) else client.auth_file
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps({"credHelpers": {cloud.host: "roadstead"}}))
