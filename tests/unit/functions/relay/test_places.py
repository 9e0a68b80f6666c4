"""Who gets the next place, and who waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from functions.relay.places import WAITING, NoPlace, Places
from tests.unit.functions.relay.rig import until


@contextmanager
def waiting(places: Places, upload: str, user: str, order: list[str]) -> Iterator[None]:
    """A thread that waits for a place while the context lasts, and notes in `order` when it got it."""

    def run() -> None:
        with places.place(upload, user):
            order.append(upload)

    before = places.wanted
    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: places.wanted == before + 1)
    yield
    thread.join(10)
    assert not thread.is_alive()


def test_a_free_place_goes_to_the_user_who_holds_the_fewest_and_then_to_who_came_first() -> None:
    places, order = Places(2, share=2), []  # type: tuple[Places, list[str]]
    with ExitStack() as waiters, places.place("a1", "ann"):
        with places.place("a2", "ann"):
            for upload, user in (("a3", "ann"), ("b1", "bob"), ("b2", "bob")):
                waiters.enter_context(waiting(places, upload, user, order))
        until(lambda: len(order) == 3)
    assert order[0] == "b1"
    assert places.wanted == 0


def test_a_place_is_given_back_when_its_holder_fails() -> None:
    places = Places(1, share=1, patience=0.0)
    with pytest.raises(RuntimeError), places.place("u", "ann"):
        raise RuntimeError
    with places.place("u", "ann"):
        assert places.wanted == 1


@pytest.mark.parametrize(
    ("upload", "user", "why"), [("a1", "ann", "another request"), ("a2", "ann", "your share"), ("b1", "bob", "no more")]
)
def test_who_gets_no_place_is_told_why(upload: str, user: str, why: str) -> None:
    places = Places(2, share=1, patience=0.01)
    with places.place("a1", "ann"), places.place("c1", "cyd"):
        with pytest.raises(NoPlace, match=why), places.place(upload, user):
            pass
        assert places.wanted == 2
    assert places.wanted == 0


def test_no_more_wait_than_there_are_threads_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.relay.places.WAITING", 1)
    assert WAITING > 1
    places, order = Places(1, share=1), []  # type: tuple[Places, list[str]]
    with ExitStack() as waiters, places.place("a", "ann"):
        waiters.enter_context(waiting(places, "b", "bob", order))
        with pytest.raises(NoPlace, match="too many"), places.place("c", "cyd"):
            pass
