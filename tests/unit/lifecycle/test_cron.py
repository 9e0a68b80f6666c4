"""When schedules come due."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from roadstead.lifecycle.executions.cron import Cron, next_ms


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 0 3 * * *", "2026-11-26T03:00:00", "2026-11-27T03:00:00"),
        ("0 0 3 * * *", "2026-11-26T02:59:59", "2026-11-26T03:00:00"),
        ("0 */15 * * * *", "2026-11-26T03:14:59", "2026-11-26T03:15:00"),
        ("0 5/20 * * * *", "2026-11-26T03:30:00", "2026-11-26T03:45:00"),
        ("0 0 8-18/2 * * MON-FRI", "2026-11-27T18:00:00", "2026-11-30T08:00:00"),
        ("0 30 1 1,15 * ?", "2026-11-26T00:00:00", "2026-12-01T01:30:00"),
        ("0 0 0 13 * FRI", "2026-11-26T00:00:01", "2026-11-27T00:00:00"),  # either day
        ("0 0 0 29 FEB *", "2026-11-26T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 * * 7", "2026-11-26T00:00:00", "2026-11-29T00:00:00"),
        ("0 0 0 31 12 *", "2026-12-31T00:00:00", "2027-12-31T00:00:00"),
    ],
)
def test_a_schedule_comes_next(cron: str, after: str, expected: str) -> None:
    found = Cron.parse(cron).next(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "cron",
    [
        "", "0 0 3 * *", "0 0 3 * * * *", "1 0 3 * * *", "* * * * * *", "0 60 * * * *", "0 0 24 * * *", "0 0 0 0 * *",
        "0 0 0 * 13 *", "0 0 0 * * 8", "0 5-1 * * * *", "0 */0 * * * *", "0 x * * * *", "0 0 0 30 2 *",
        "0 \u0661 * * * *",
        "0 1,, * * * *", "0 " + "1," * 150 + "1 * * * *", "@daily", "0 0 0 L * *",
    ],
)  # fmt: skip
def test_what_is_not_a_schedule_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match=r"schedule|second|no day"):
        Cron.parse(cron)


def test_times_are_in_milliseconds_of_utc() -> None:
    assert next_ms("0 0 3 * * *", 1_795_662_000_123) == 1_795_662_000_000 + 86_400_000
