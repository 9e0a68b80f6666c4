"""The X-Ray SDK is paid for where traces are asked for, and nowhere else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
SETTINGS = {
    **dict.fromkeys(
        ("INDEX_TABLE", "IDENTITY_TABLE", "BUCKET", "TOKEN_KEYS", "UPLOAD_KEYS_PARAMETER", "AUDIT_LOG_GROUP"), "x"
    ),
    "AUDIT_DEAD_LETTERS_URL": "https://q",
}
TRACE = "1-6745d3a0-aaaaaaaaaaaaaaaaaaaaaaaa"


def run(script: str, environment: Mapping[str, str]) -> str:
    variables = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1", **SETTINGS, **environment}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=variables, capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["registry", "token", "management", "collector", "webhook"])
@pytest.mark.parametrize("setting", [{}, {"TRACING": "off"}, {"TRACING": ""}], ids=str)
def test_without_tracing_the_sdk_is_not_imported(name: str, setting: dict[str, str]) -> None:
    script = "import app, sys; print(any('xray' in module or module == 'wrapt' for module in sys.modules))"
    assert run(script, {"_HANDLER": f"app.{name}", "_X_AMZN_TRACE_ID": f"Root={TRACE};Sampled=1", **setting}) == "False"


@pytest.fixture
def daemon() -> Iterator[socket.socket]:
    """Where Lambda's X-Ray daemon listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(120)
        yield listener


CALL = """
import app, os
from roadstead.aws.clients import client
from botocore.exceptions import BotoCoreError
os.environ["_X_AMZN_TRACE_ID"] = os.environ["OF_THE_INVOCATION"]
try:
    client("dynamodb").get_item(TableName="t", Key={"pk": {"S": "secret key"}})
except BotoCoreError:
    pass
"""


@pytest.mark.parametrize("name", ["registry", "token", "management", "collector", "webhook"])
def test_with_tracing_an_aws_call_is_a_subsegment_without_content(name: str, daemon: socket.socket) -> None:
    run(
        CALL,
        {
            "_HANDLER": f"app.{name}",
            "TRACING": "on",
            "OF_THE_INVOCATION": f"Root={TRACE};Parent=bbbbbbbbbbbbbbbb;Sampled=1",
            "LAMBDA_TASK_ROOT": str(ROOT),
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "AKIASECRET",
            "AWS_SECRET_ACCESS_KEY": "very secret",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        },
    )
    header, segment = daemon.recv(65_536).split(b"\n", 1)
    assert json.loads(header)["format"] == "json"
    document = json.loads(segment)
    assert (document["name"], document["trace_id"], document["namespace"]) == ("dynamodb", TRACE, "aws")
    assert document["aws"]["operation"] == "GetItem"
    assert b"secret" not in segment and b"AKIA" not in segment
