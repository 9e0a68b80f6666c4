"""`roadstead check`: what it says of usage that differs, when it repairs, and how it ends."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import pytest

from cli.check_commands import run
from cli.failures import Failure
from cli.output import Output
from roadstead.catalog.usage_audit import Difference, Kind, Page, Place
from roadstead.names import ProjectName, RepositoryName

SHIPS = ProjectName("ships")
BLOB = Difference(Kind.BLOB, SHIPS, None, "sha256:1", 0, 5)
SHOWN = Difference(Kind.REPOSITORY, SHIPS, RepositoryName("ships/a"), "", 3, 2)
FLEETING = Difference(Kind.MANIFEST, SHIPS, RepositoryName("ships/a"), "sha256:2", 0, 7)


class FakeUsage:
    """Two pages with differences, of which one is gone when it is looked at again."""

    def __init__(self, repaired: int) -> None:
        self._repaired = repaired
        self.asked: list[Difference] = []

    def page(self, place: Place) -> Page:
        if place:
            return Page(None, (SHOWN,), changing=1)
        return Page({"project": SHIPS}, (BLOB, FLEETING), projects=1)

    def again(self, differences: Sequence[Difference]) -> tuple[Difference, ...]:
        return tuple(one for one in differences if one != FLEETING)

    def repair(self, differences: Sequence[Difference]) -> int:
        self.asked += differences
        return self._repaired


class FakeBucket:
    """An empty bucket of an empty registry."""

    def page(self, after: str) -> None:
        return None

    def repositories(self, after: str) -> Sequence[RepositoryName]:
        return ()

    def unexplained(self, strange: Sequence[object], *, now: int) -> tuple[object, ...]:
        return ()

    def repair(self, unexplained: Sequence[object], *, now: int) -> tuple[object, ...]:
        return ()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr("cli.check_commands.time.sleep", found.append)
    return found


def check(usage: FakeUsage, *, repair: bool = False) -> str:
    """Return what the command says at its end, empty if all is well."""
    cloud: Any = Namespace(bucket_audit=FakeBucket(), usage_audit=usage)
    try:
        run(Namespace(repair=repair), cloud, Output(as_json=True))
    except Failure as failure:
        return str(failure)
    return ""


def test_usage_that_differs_twice_is_reported_and_nothing_is_changed(
    capsys: pytest.CaptureFixture[str], pauses: list[float]
) -> None:
    usage = FakeUsage(0)
    assert check(usage) == "2 counts of usage are wrong. `roadstead check --repair` counts anew."
    assert (len(pauses), usage.asked) == (1, [])
    document = json.loads(capsys.readouterr().out)
    assert (document["projects"], document["changing"]) == (1, 1)
    assert document["miscounted"] == [
        {"kind": "blob", "project": "ships", "repository": "", "what": "sha256:1", "counted": 0, "there": 5},
        {"kind": "repository", "project": "ships", "repository": "ships/a", "what": "", "counted": 3, "there": 2},
    ]


@pytest.mark.parametrize(
    ("repaired", "said"),
    [(2, ""), (1, "1 counts of usage are wrong. They have changed since, or nothing can be derived: try again.")],
)
def test_a_repair_ends_well_only_if_nothing_is_left(pauses: list[float], repaired: int, said: str) -> None:
    usage = FakeUsage(repaired)
    assert check(usage, repair=True) == said
    assert usage.asked == [BLOB, SHOWN]
