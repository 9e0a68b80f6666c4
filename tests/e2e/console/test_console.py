"""What people do in the console, in a real Chromium: each file of console/journeys is a journey."""

from __future__ import annotations

import pytest

from console.npm import HERE
from tests.e2e.cloud import Cloud
from tests.e2e.console import journeys

NAMES = sorted(path.name.removesuffix(".journey.ts") for path in (HERE / "journeys").glob("*.journey.ts"))


def test_there_are_journeys() -> None:
    assert {"sign-in", "images", "members", "hostile", "trash", "providers", "accessibility"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_journey_arrives(cloud: Cloud, name: str) -> None:
    journeys.run(cloud, f"{name}.journey.ts")
