"""What a function writes to its log."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions.hosting import lines, observation
from functions.hosting.lines import JsonFormatter
from roadstead.trail.entries import Actor, AuditEntry, Operation

ROOT = Path(__file__).parents[4]


def formatted(record: logging.LogRecord) -> dict[str, Any]:
    text = JsonFormatter().format(record)
    assert "\n" not in text
    document: dict[str, Any] = json.loads(text)
    return document


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    about = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord("roadstead.x", logging.WARNING, "x.py", 1, message, arguments, about)


def test_a_message_is_one_line_of_json_with_the_request_id() -> None:
    with observation.observed("request-1"):
        document = formatted(record("two\nlines of %s", "text"))
    assert document["message"] == "two\nlines of text"
    assert (document["level"], document["logger"], document["request_id"]) == ("WARNING", "roadstead.x", "request-1")


def test_a_message_outside_of_a_request_has_no_id() -> None:
    assert "request_id" not in formatted(record("x"))


def test_a_logged_exception_has_its_traceback() -> None:
    try:
        raise RuntimeError("gone")
    except RuntimeError as error:
        document = formatted(record("failed", error=error))
    assert "Traceback" in document["error"] and "RuntimeError: gone" in document["error"]


def test_a_line_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(sys, "stdout", _Out(written))
    lines.tell(AuditEntry("e1", 0, Operation.PULL, Actor("ada")))
    (line,) = written
    assert line.startswith('{"audit":{"schema":1,') and line.endswith("}\n")


def test_a_value_that_json_does_not_know_is_written_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    lines.write({"error": ValueError("höher"), "folder": Path("a/b")})
    assert capsys.readouterr().out == '{"error":"höher","folder":"a/b"}\n'


class _Out:
    def __init__(self, written: list[str]) -> None:
        self._written = written

    def write(self, text: str) -> None:
        self._written.append(text)

    def flush(self) -> None:
        pass


def test_nested_requests_have_separate_observations() -> None:
    with observation.observed("outer") as outer:
        with observation.observed("inner"):
            observation.current().count("x")
        assert observation.current() is outer and outer.counts == {}


_LAMBDA = """
import logging, sys
class RuntimeHandler(logging.Handler):  # what Lambda's runtime puts on the root logger before it imports us
    def emit(self, record): sys.stdout.write("[RUNTIME] " + record.getMessage() + "\\n")
logging.getLogger().addHandler(RuntimeHandler())
import app
logging.getLogger("roadstead.aws").info("ours")
logging.getLogger("functions.hosting.boundary").warning("warned")
logging.getLogger("botocore").debug("headers and bodies")
logging.getLogger("botocore").info("credentials found")
logging.getLogger("botocore").warning("theirs")
"""


@pytest.mark.parametrize("name", ["registry", "token", "management", "collector", "webhook"])
def test_a_function_logs_each_record_once_and_as_json(name: str) -> None:
    settings = ("INDEX_TABLE", "IDENTITY_TABLE", "BUCKET", "TOKEN_KEYS", "UPLOAD_KEYS_PARAMETER", "AUDIT_LOG_GROUP")
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_DEFAULT_REGION": "us-east-1",
        "AUDIT_DEAD_LETTERS_URL": "https://q",
        "_HANDLER": f"app.{name}",
        **dict.fromkeys(settings, "x"),
    }
    done = subprocess.run(
        [sys.executable, "-c", _LAMBDA], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["message"] for one in told] == ["ours", "warned", "theirs"]
    assert done.stderr == ""
