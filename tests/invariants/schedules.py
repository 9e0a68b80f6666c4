"""Two or more operations, switched at their AWS calls by a plan: every run of a plan is the same run.

Between two AWS calls an operation touches nothing that another could see, so the order of the calls is all that there
is to interleave.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from tests.invariants.cloud import Answer, Cloud, Perform

Operation = Callable[[], object]
Chooser = Callable[[int, Sequence[int], int], int]  # (step, who can go on, who went last) -> who goes


@dataclass(frozen=True, slots=True)
class Run:
    """How each operation ended (its result or its exception), and the calls in their order, for a failure's message."""

    outcomes: tuple[object, ...]
    trace: tuple[str, ...]


def interleave(cloud: Cloud, operations: Sequence[Operation], choose: Chooser) -> Run:
    """Run the operations, one AWS call at a time, in the order that `choose` gives."""
    turns = [_Turn() for _ in operations]
    outcomes: list[object] = [None] * len(operations)
    trace: list[str] = []

    def work(place: int, operation: Operation) -> None:
        def wait(name: str, perform: Perform) -> Answer:
            turns[place].stop_before(name)
            return perform()

        with cloud.intercepted(wait):
            try:
                outcomes[place] = operation()
            except Exception as error:
                outcomes[place] = error
            finally:
                turns[place].end()

    threads = [threading.Thread(target=work, args=each, daemon=True) for each in enumerate(operations)]
    for thread, turn in zip(threads, turns, strict=True):
        thread.start()
        turn.wait()
    last = step = 0
    while able := [place for place, turn in enumerate(turns) if not turn.ended]:
        last = choose(step, able, last)
        trace.append(f"{last}: {turns[last].call}")
        turns[last].go()
        turns[last].wait()
        step += 1
    for thread in threads:
        thread.join(300)
    return Run(tuple(outcomes), tuple(trace))


class _Turn:
    """The hand-over between the plan and one operation's thread."""

    def __init__(self) -> None:
        self.ended = False
        self.call = ""
        self._may_go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)

    def stop_before(self, call: str) -> None:
        self.call = call
        self._stopped.release()
        if not self._may_go.acquire(timeout=300):
            raise AssertionError("nobody gave this operation its turn")

    def end(self) -> None:
        self.ended = True
        self._stopped.release()

    def go(self) -> None:
        self._may_go.release()

    def wait(self) -> None:
        if not self._stopped.acquire(timeout=300):
            raise AssertionError("an operation neither went on nor ended")


def switching(first: int, at: Sequence[int]) -> Chooser:
    """Begin with `first`, go over to the next operation before the steps in `at`, and otherwise stay."""

    def choose(step: int, able: Sequence[int], last: int) -> int:
        if step == 0:
            return first if first in able else able[0]
        if step in at or last not in able:
            later = [place for place in able if place > last]
            return later[0] if later else able[0]
        return last

    return choose


def drawn(seed: int) -> Chooser:
    """Anybody's turn at any step, by lot."""
    lots = random.Random(seed)
    return lambda step, able, last: lots.choice(list(able))


def plans(steps: int, operations: int, samples: int) -> Iterator[tuple[str, Chooser]]:
    """Every plan with at most two switches that nobody was forced to, then plans by lot; about `samples` in all.

    Two switches are what most races need; where there are too many such plans, every n-th of them is taken.
    """
    few = [
        (first, at) for first in range(operations) for count in (0, 1, 2) for at in combinations(range(1, steps), count)
    ]
    stride = max(1, len(few) // max(1, samples * 2 // 3))
    for first, at in few[::stride]:
        yield f"first {first}, switches {at}", switching(first, at)
    for seed in range(max(samples // 3, samples - len(few[::stride]))):
        yield f"seed {seed}", drawn(seed)
