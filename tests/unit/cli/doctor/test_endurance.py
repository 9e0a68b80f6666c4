"""The checks that take minutes, on a registry with one fault, and with seconds for minutes."""

from __future__ import annotations

import pytest

from cli.doctor import endurance
from cli.doctor.examination import CHECKS, examine_registry
from cli.doctor.report import Finding, State
from cli.doctor.session import Session
from tests.unit.cli.doctor.fake_registry import PASSWORD, USER, registry

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endurance, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(endurance, "BYTES", 10 * MIB)
    monkeypatch.setattr(endurance, "LEAST_RATE", 20 * MIB)
    monkeypatch.setattr(endurance, "UPLOADS", 3)
    monkeypatch.setattr(endurance, "LONG_SECONDS", 0.3)
    monkeypatch.setattr(endurance, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(endurance, "PIECE", 3 * 1024)


def examine(fault: str = "") -> dict[str, Finding]:
    with registry(fault) as server:
        findings = examine_registry(Session(server.url, "doctor", USER, PASSWORD), lambda _: None, thorough=True)
        assert server.blobs == {}
    return {finding.id: finding for finding in findings}


def test_a_relay_that_streams_fast_and_long_enough_passes() -> None:
    findings = examine()
    assert [findings[check.id].state for check in endurance.CHECKS] == [State.OK] * 3
    assert "MB/s by the relay" in findings["rate"].detail
    assert "3 of 3 uploads" in findings["long"].detail


def test_a_body_that_was_given_up_by_the_relay_may_be_a_5xx_of_what_is_before_it() -> None:
    assert examine("cut-off")["streamed"].state is State.OK


@pytest.mark.parametrize(
    ("fault", "check", "state", "words"),
    [
        ("buffers", "streamed", State.NOTE, 'relay.kind = "fargate"'),
        ("capped", "rate", State.FAILED, "something caps bodies"),
        ("shaped", "rate", State.FAILED, "too slow for large layers"),
        ("slow-line", "rate", State.NOTE, "This machine's line"),
        ("no-relay", "rate", State.NOTE, "There is no relay"),
        ("cycles", "long", State.FAILED, "0 of 3 uploads"),
    ],
)
def test_what_makes_a_web_function_unworkable_is_found(fault: str, check: str, state: State, words: str) -> None:
    finding = examine(fault)[check]
    assert finding.state is state
    assert words in f"{finding.detail} {finding.advice}"


def test_long_uploads_are_not_tried_without_a_relay() -> None:
    assert examine("no-relay")["long"].state is State.SKIPPED


def test_nothing_takes_minutes_unless_it_is_asked_for() -> None:
    with registry() as server:
        findings = examine_registry(Session(server.url, "doctor", USER, PASSWORD), lambda _: None)
    assert [finding.id for finding in findings] == [check.id for check in CHECKS]
