"""A running local registry for the tests of commands that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.local.test_stack import Instance, up


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with up(tmp_path_factory.mktemp("cli") / "state") as running:
        yield running
