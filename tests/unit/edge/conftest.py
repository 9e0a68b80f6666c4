from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.edge.engines import Engine, NodeEngine, QuickJsEngine


@pytest.fixture(scope="session", params=[NodeEngine, QuickJsEngine], ids=["node", "quickjs"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    made: Engine = request.param()
    yield made
    made.close()
