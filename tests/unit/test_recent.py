"""What is remembered for a while."""

from __future__ import annotations

from roadstead.recent import Recent
from tests.unit.notifications.parts import Clock


class Loads:
    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


def test_an_expired_value_is_loaded_again() -> None:
    clock, loads = Clock(), Loads()
    recent: Recent[str, int] = Recent(60, 10, clock)
    assert [recent.get("a", loads), recent.get("a", loads)] == [1, 1]
    clock.now += 59.9
    assert recent.get("a", loads) == 1
    clock.now += 0.1
    assert recent.get("a", loads) == 2


def test_the_least_recently_used_value_is_dropped_first() -> None:
    loads = Loads()
    recent: Recent[str, int] = Recent(60, 2, Clock())
    for key in ("a", "b", "a", "c", "a"):
        recent.get(key, loads)
    assert loads.made == 3
    recent.get("b", loads)
    assert loads.made == 4


def test_a_forgotten_value_is_loaded_again() -> None:
    loads = Loads()
    recent: Recent[str, int] = Recent(60, 2, Clock())
    recent.get("a", loads)
    recent.forget("a")
    recent.forget("b")
    assert recent.get("a", loads) == 2


def test_a_failed_load_keeps_nothing() -> None:
    def fail() -> int:
        raise RuntimeError

    recent: Recent[str, int] = Recent(60, 2, Clock())
    try:
        recent.get("a", fail)
    except RuntimeError:
        assert recent.get("a", lambda: 7) == 7
    else:
        raise AssertionError("the failure was swallowed")
