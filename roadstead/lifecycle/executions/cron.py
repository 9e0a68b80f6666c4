"""Cron expressions as Harbor takes them: six fields, seconds first, in UTC.

    second minute hour day-of-month month day-of-week

A field is `*`, `?`, a number, a range `a-b`, any of these with a step (`*/15`, `8-18/2`), or several of them with
commas. Months and days of the week may be names (`JAN`, `MON`); 0 and 7 are both Sunday. As in Unix, if both days are
restricted, either may match. The second must be 0: schedules are looked at every five minutes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MAX_YEARS = 5  # in which an expression must match; February 29 does
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_FIELDS = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, tuple(_MONTHS)),
    ("day of the week", 0, 7, tuple(_DAYS)),
)
_PART = re.compile(r"(?:(?P<all>[*?])|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d{1,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either_day: bool  # both kinds of days are restricted

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Raises ValueError, with a sentence for people, also for an expression that never matches."""
        fields = text.split()
        if len(text) > 200 or len(fields) != len(_FIELDS):
            raise ValueError(
                'a schedule has six fields: second, minute, hour, day, month, weekday, as in "0 0 3 * * *"'
            )
        values = [
            _field(field, name, least, most, names)
            for field, (name, least, most, names) in zip(fields, _FIELDS, strict=True)
        ]
        if values[0] != {0}:
            raise ValueError("the second of a schedule must be 0")
        restricted = [field[0] not in "*?" for field in (fields[3], fields[5])]
        weekdays = frozenset(day % 7 for day in values[5])
        found = cls(values[1], values[2], values[3], values[4], weekdays, all(restricted))
        try:
            found.next(datetime(2026, 1, 1, tzinfo=UTC))
        except LookupError as error:
            raise ValueError(f"there is no day that {text!r} matches") from error
        return found

    def next(self, after: datetime) -> datetime:
        """Return the first time after `after`, both in UTC. Raises LookupError if there is none within five years."""
        time = (after + timedelta(minutes=1)).replace(second=0, microsecond=0)
        end = time.replace(year=time.year + MAX_YEARS, day=min(time.day, 28))
        while time < end:
            if time.month not in self.months:
                time = (time.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
            elif not self._matches_day(time):
                time = time.replace(hour=0, minute=0) + timedelta(days=1)
            elif time.hour not in self.hours:
                time = time.replace(minute=0) + timedelta(hours=1)
            elif time.minute not in self.minutes:
                time += timedelta(minutes=1)
            else:
                return time
        raise LookupError("there is no such day")

    def _matches_day(self, time: datetime) -> bool:
        in_month, in_week = time.day in self.days, time.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either_day else in_month and in_week


def next_ms(cron: str, after: int) -> int:
    """Return the first time that an expression matches after `after`, both in ms. Raises ValueError."""
    time = Cron.parse(cron).next(datetime.fromtimestamp(after // 1000, UTC))
    return int(time.timestamp()) * 1000


def _field(text: str, name: str, least: int, most: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part[:20]!r} is not a {name} of a schedule")
        step = int(match["step"]) if match["step"] else 1
        if match["all"]:
            first, last = least, most
        else:
            first = _value(match["first"], name, names)
            last = _value(match["last"], name, names) if match["last"] else (most if match["step"] else first)
        if step < 1 or not least <= first <= last <= most:
            raise ValueError(f"{part[:20]!r} is not a {name} of a schedule: it is from {least} to {most}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _value(text: str, name: str, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + (1 if len(names) == 12 else 0)
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise ValueError(f"{text[:20]!r} is not a {name} of a schedule")
    return int(text)
