"""Whether the collector keeps to its schedule, which an administrator may change or switch off."""

from __future__ import annotations

from collections.abc import Iterator

from roadstead.lifecycle.collector.execution import KIND
from roadstead.lifecycle.executions.executions import Execution, Executions, Status
from roadstead.lifecycle.executions.schedules import Schedules

_LOOKED_AT = 60  # executions: the newest is nearly always enough, and so many dry runs in a row nobody makes


def late_since(schedules: Schedules, executions: Executions, now: int) -> int | None:
    """Return since when (ms) a collection has been due that has not ended well; None if there is none.

    It is late from its start until it succeeds or somebody stops it: the newest one decides, however it was started,
    but no dry run. Without a schedule nothing is due. Costs a read, and two more if the schedule's time has not come.
    """
    schedule = schedules.find(KIND)
    if schedule is None or not schedule.cron:
        return None
    if schedule.next <= now:  # nobody has started it
        return schedule.next
    newest = next(_collections(executions), None)
    if newest is None or newest.status in (Status.SUCCESS, Status.STOPPED):
        return None
    return newest.created


def _collections(executions: Executions) -> Iterator[Execution]:
    """Yield the newest ones that were to free something, newest first."""
    before: int | None = None
    for _ in range(_LOOKED_AT):
        page = executions.list_newest(KIND, "", before=before, limit=1)
        if not page:
            return
        yield from (one for one in page if one.parameters.get("dry_run") is not True)
        before = page[-1].id
