from __future__ import annotations

import itertools
import time

import pytest

from bench.pairs import Comparison, cost, interleaved


def test_the_ratio_is_the_median_of_the_pairs_so_one_pause_does_not_move_it() -> None:
    paused = Comparison(ours=(2.0, 2.0, 60.0), base=(1.0, 1.0, 1.0))
    assert paused.ratio == 2.0
    assert str(paused) == "2.00 (2.00-60.00)"


def test_a_ratio_is_of_a_pair_and_not_of_two_medians() -> None:
    drifting = Comparison(ours=(2.0, 4.0, 8.0), base=(1.0, 2.0, 8.0))
    assert drifting.ratios == (2.0, 2.0, 1.0)
    assert drifting.ratio == 2.0
    assert (drifting.median_ours, drifting.median_base) == (4.0, 2.0)


@pytest.mark.parametrize(("ours", "base"), [((), ()), ((1.0,), (1.0, 2.0))])
def test_samples_without_a_partner_are_no_comparison(ours: tuple[float, ...], base: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="as many samples"):
        Comparison(ours, base)


def test_samples_are_taken_in_turn() -> None:
    order: list[str] = []
    clock = itertools.count(1)

    def sample(name: str) -> float:
        order.append(name)
        return float(next(clock))

    comparison = interleaved(lambda: sample("a"), lambda: sample("b"), pairs=3)
    assert order == ["a", "b"] * 3
    assert comparison == Comparison((1.0, 3.0, 5.0), (2.0, 4.0, 6.0))


def test_what_waits_takes_time_and_no_cpu_and_what_counts_takes_both() -> None:
    waited = cost(lambda: time.sleep(0.05))
    assert waited.wall >= 0.05
    assert waited.cpu < waited.wall
    counted = cost(lambda: sum(range(300_000)))
    assert counted.cpu > 0
