"""Which requests are refused, where tests ask for that."""

from __future__ import annotations

from local.cloud.faults import Faults


def test_nothing_is_refused_by_default() -> None:
    faults = Faults({})
    assert not any(faults.conflict() for _ in range(100))
    assert {faults.processed(3) for _ in range(100)} == {3}


def test_some_requests_are_refused_the_same_ones_with_the_same_seed() -> None:
    one, other = (Faults({"conflicts": 0.2, "unprocessed": 0.3, "seed": 1}) for _ in range(2))
    asked = [(one.conflict(), one.processed(3)) for _ in range(100)]
    assert asked == [(other.conflict(), other.processed(3)) for _ in range(100)]
    assert {refused for refused, _ in asked} == {True, False}
    assert {processed for _, processed in asked} == {0, 1, 2, 3}


def test_a_client_that_tries_again_is_served_after_five_refusals_at_most() -> None:
    faults = Faults({"conflicts": 1, "unprocessed": 1})
    assert [faults.conflict() for _ in range(12)] == [*[True] * 5, False] * 2
    assert [faults.processed(1) for _ in range(12)] == [*[0] * 5, 1] * 2
    assert max(map(len, "".join("01"[faults.processed(9) > 0] for _ in range(500)).split("1"))) <= 5
