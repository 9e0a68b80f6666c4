"""The console's build beside a registry that serves."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

import pytest

from local import console
from local.console import ConsoleBuild


async def watched(build: ConsoleBuild, seconds: float) -> None:
    """Start it, watch it for a while, and stop it."""
    await build.start()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(build.watch(), seconds)
    await build.stop()


@pytest.mark.parametrize(
    ("command", "said"),
    [("pass", "The console is ready at http://registry/ui"), ("exit(1)", "`make console` tries again")],
)
def test_the_end_of_a_build_is_said(
    command: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "is_current", lambda: False)
    monkeypatch.setattr(console, "COMMAND", (sys.executable, "-c", command))
    asyncio.run(watched(ConsoleBuild("http://registry"), 5))
    printed = capsys.readouterr().out
    assert "in the background" in printed and said in printed


def test_files_that_are_current_are_not_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "is_current", lambda: True)
    monkeypatch.setattr(console, "COMMAND", (sys.executable, "-c", "exit(1)"))
    asyncio.run(watched(ConsoleBuild("http://registry"), 0.1))
    assert capsys.readouterr().out == ""


def test_a_build_under_way_ends_with_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "is_current", lambda: False)
    monkeypatch.setattr(console, "COMMAND", (sys.executable, "-c", "import time; time.sleep(60)"))
    began = time.monotonic()
    asyncio.run(watched(ConsoleBuild("http://registry"), 0.5))
    assert time.monotonic() - began < 30
