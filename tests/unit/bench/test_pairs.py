from __future__ import annotations

import itertools
import time

import pytest

from bench.pairs import Comparison, Cost, compared, cost


def test_one_slow_pair_does_not_change_the_ratio() -> None:
    paused = Comparison(ours=(2.0, 2.0, 60.0), base=(1.0, 1.0, 1.0))
    assert paused.ratio == 2.0
    assert str(paused) == "2.00 (2.00-60.0)"


def test_the_ratio_is_the_median_of_the_pairs_ratios() -> None:
    drifting = Comparison(ours=(2.0, 4.0, 8.0), base=(1.0, 2.0, 8.0))
    assert drifting.ratios == (2.0, 2.0, 1.0)
    assert drifting.ratio == 2.0
    assert (drifting.median_ours, drifting.median_base) == (4.0, 2.0)


@pytest.mark.parametrize(("ours", "base"), [((), ()), ((1.0,), (1.0, 2.0))])
def test_a_sample_without_a_partner_is_refused(ours: tuple[float, ...], base: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="same number of samples"):
        Comparison(ours, base)


def test_samples_are_taken_in_turn() -> None:
    order: list[str] = []
    clock = itertools.count(1)

    def sample(name: str) -> Cost:
        order.append(name)
        place = float(next(clock))
        return Cost(place, place * 10)

    wall, cpu = compared(lambda: sample("a"), lambda: sample("b"), pairs=3)
    assert order == ["a", "b"] * 3
    assert wall == Comparison((1.0, 3.0, 5.0), (2.0, 4.0, 6.0))
    assert cpu == Comparison((10.0, 30.0, 50.0), (20.0, 40.0, 60.0))


def test_the_cost_of_several_things_is_divided_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "perf_counter", iter([10.0, 15.0]).__next__)
    monkeypatch.setattr(time, "process_time", iter([1.0, 3.0]).__next__)
    assert cost(lambda: None, of=10) == Cost(0.5, 0.2)


def test_waiting_costs_wall_time_and_computing_also_cpu() -> None:
    waited = cost(lambda: time.sleep(0.05))
    assert waited.wall >= 0.05
    assert waited.cpu < waited.wall
    counted = cost(lambda: sum(range(300_000)))
    assert counted.cpu > 0
