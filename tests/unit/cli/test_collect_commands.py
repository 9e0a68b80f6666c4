"""`roadstead collect`: what it runs, what it refuses, what it says."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError, Namespace
from typing import Any

import pytest

from cli.collect_commands import _seconds, run
from cli.failures import USAGE, Failure
from cli.output import Output
from roadstead.lifecycle.collector.report import Report
from roadstead.lifecycle.collector.run import MIN_FENCE, MIN_GRACE


class FakeCloud:
    """A registry whose collector frees ten bytes."""

    def __init__(self, *, local: bool) -> None:
        self.target = Namespace(is_local=local)
        self.asked: list[tuple[float, float, bool]] = []

    def collector(self, grace: float, fence: float) -> Any:
        def collect(*, dry: bool) -> Report:
            self.asked.append((grace, fence, dry))
            return Report(dry, candidates=3, blobs_deleted=1, bytes_freed=10)

        return Namespace(run=collect)


def collect(cloud: Any, *, json_: bool = False, **options: Any) -> None:
    given = {"dry_run": False, "grace": MIN_GRACE, "fence": MIN_FENCE, **options}
    run(Namespace(**given), cloud, Output(as_json=json_))


def test_a_run_says_what_was_freed(capsys: pytest.CaptureFixture[str]) -> None:
    cloud = FakeCloud(local=False)
    collect(cloud)
    assert cloud.asked == [(MIN_GRACE, MIN_FENCE, False)]
    out = capsys.readouterr().out
    assert "blobs deleted" in out
    assert "10" in out


def test_a_dry_run_says_what_would_be_freed(capsys: pytest.CaptureFixture[str]) -> None:
    cloud = FakeCloud(local=False)
    collect(cloud, dry_run=True)
    assert cloud.asked[0][2] is True
    assert "blobs would be deleted" in capsys.readouterr().out


def test_as_json_it_is_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    collect(FakeCloud(local=False), json_=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["bytes_freed"], document["objects_deleted"]) == (10, 1)


@pytest.mark.parametrize("options", [{"grace": MIN_GRACE - 1}, {"fence": MIN_FENCE - 1}])
def test_shorter_times_are_for_a_local_registry(options: dict[str, Any]) -> None:
    cloud = FakeCloud(local=False)
    with pytest.raises(Failure) as refused:
        collect(cloud, **options)
    assert refused.value.code == USAGE
    assert cloud.asked == []
    local = FakeCloud(local=True)
    collect(local, **options)
    assert len(local.asked) == 1


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "1" * 10])
def test_what_is_not_a_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        _seconds(text)
    assert _seconds("5") == 5
