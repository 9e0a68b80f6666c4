"""What a tick costs while nothing is due: it comes 8,760 times a month (docs/operations/costs.md)."""

from __future__ import annotations

from moto import mock_aws

from roadstead.aws.lifecycle.dynamodb_executions import DynamoExecutions
from roadstead.aws.lifecycle.dynamodb_schedules import DynamoSchedules
from roadstead.aws.table import Table
from roadstead.lifecycle.bucket_audit.execution import BucketAudits
from roadstead.lifecycle.collector.execution import KIND, Collections
from roadstead.lifecycle.collector.lateness import late_since
from roadstead.lifecycle.executions.executions import Execution, Step
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.schedules import Scheduler
from roadstead.lifecycle.executions.starter import Starter
from roadstead.trail.events import EventMaker
from tests import aws

NOW = 1_800_000_000.0


class Done:
    def step(self, _: Execution) -> Step:
        return Step({}, done=True)


def test_a_tick_with_nothing_to_do_makes_seven_reads() -> None:
    now = [NOW]
    with mock_aws():
        client = aws.client("dynamodb")
        aws.make_tables(client, "index", "identity")
        table, events = Table(client, "index"), EventMaker(lambda: now[0])
        executions, schedules = DynamoExecutions(table), DynamoSchedules(table)
        starter = Starter(executions, events)
        runner = Runner(executions, {KIND: Done()}, events)

        def tick() -> int | None:
            Collections(schedules, starter, events).ensure_schedule()
            BucketAudits(schedules, starter, events).ensure_schedule()
            Scheduler(schedules, starter, events).start_due()
            runner.run_due(lambda: 900.0)
            return late_since(schedules, executions, events.now_ms())

        tick()
        now[0] += 3_600
        assert tick() is None  # a collection ran
        calls = aws.record_calls(client)
        now[0] += 300
        assert tick() is None
        assert [name.partition(".")[2] for name in calls] == [
            *("GetItem", "GetItem"),  # the default schedules are there
            *("Query", "Query"),  # schedules and executions that are due
            *("GetItem", "Query", "BatchGetItem"),  # no collection is late
        ]
