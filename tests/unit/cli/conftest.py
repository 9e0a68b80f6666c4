"""A running local registry, and a management API on stores in memory, for the tests of commands that need one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.remote_server import Server
from tests.unit.functions.management.client import PASSWORD
from tests.unit.local.test_stack import Instance, up


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with up(tmp_path_factory.mktemp("cli") / "state") as running:
        yield running


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def environ(server: Server, tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "ROADSTEAD_URL": server.url,
        "ROADSTEAD_USER": "ada",
        "ROADSTEAD_PASSWORD": PASSWORD,
    }
