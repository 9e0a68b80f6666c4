"""A day on the local stack ends with exactly the objects in the bucket that the index explains."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.clients import Client, Docker, Podman, Skopeo
from tests.e2e.day import day
from tests.e2e.processes import Machine


def test_a_day_ends_with_exactly_the_objects_that_the_index_explains(work: Path, machine: Machine) -> None:
    kinds: tuple[type[Client], ...] = (Skopeo, Podman, Docker)
    with day(work, machine, kinds, seed=1) as played:
        played.round()
        played.finish()
