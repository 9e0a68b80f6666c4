"""Harbor's clients, each through a journey: a client checks responses by its own models, the journey the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.witnesses.conftest import CLIENTS, JOURNEYS, Registry


@pytest.mark.parametrize("client", ["with_harborapi", "with_harbor_api_client", "with_harbor_cli"])
def test_a_client_of_harbors_completes_its_journey(registry: Registry, client: str) -> None:
    said = registry.run(CLIENTS / "python", JOURNEYS / f"{client}.py")
    assert said.splitlines()[-1] == "done", said


def test_every_journey_is_run() -> None:
    assert {path.stem for path in JOURNEYS.glob("with_*.py")} == {
        "with_harborapi",
        "with_harbor_api_client",
        "with_harbor_cli",
    }
    assert Path(JOURNEYS / "pushing.py").exists()
