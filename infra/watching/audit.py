"""The audit trail and notifications: a log group that is kept, queues, the webhook function's event sources."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from functions.hosting.lines import PATTERN
from infra.configuration.names import Names
from infra.configuration.settings import Settings
from infra.functions import Functions
from infra.storage import Storage
from infra.tables import Tables
from infra.watching.logs import log_group

_LETTERS_KEPT = cdk.Duration.days(14)  # as long as SQS can


class Audit(Construct):
    """No role may delete the trail's log group or its streams."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        names = Names(settings.name)
        # Six times the function's timeout, as Lambda's guide recommends for a queue that it polls.
        self._visibility = cdk.Duration.seconds(6 * settings.functions["webhook"].timeout)
        self.log_group = log_group(
            self,
            "Trail",
            names.audit_log_group,
            settings.retention.audit,
            keep=True,
            protect=settings.deletion_protection,
        )
        self.dead_letters = self._queue("DeadLetters", names.audit_dead_letters)
        self.object_events = self._queue("ObjectEvents", names.object_events_queue, self.dead_letters)
        self.notification_dead_letters = self._queue("NotificationDeadLetters", names.notification_dead_letters)
        # More than the attempts after which the function gives up a notification (docs/notifications.md).
        self.notifications = self._queue(
            "Notifications", names.notification_queue, self.notification_dead_letters, receives=16
        )

    def feed(
        self, functions: Functions, tables: Tables, storage: Storage, telling: Mapping[str, logs.LogGroup]
    ) -> None:
        """Connect the webhook function's event sources: both streams, new objects, the log groups in `telling`."""
        storage.tell(self.object_events)
        webhook = functions.functions["webhook"]
        for id, table in (("Index", tables.index), ("Identity", tables.identity)):
            self._stream(f"{id}Stream", webhook, table)
        self._mapping("ObjectEventsSource", webhook, self.object_events)
        self._mapping("NotificationsSource", webhook, self.notifications, most=5)
        for name, group in telling.items():
            logs.SubscriptionFilter(
                self,
                f"{name.capitalize()}Lines",
                log_group=group,
                destination=destinations.LambdaDestination(webhook),
                filter_pattern=logs.FilterPattern.literal(PATTERN),
            )
        # CloudWatch Logs invokes asynchronously: an event that failed three times is kept, not dropped.
        functions.set_failure_destination("webhook", self.dead_letters.queue_arn)

    def _stream(self, id: str, function: lambda_.IFunction, table: dynamodb.Table) -> None:
        """A stream keeps records for a day. Until then a failed batch is repeated: none is skipped, and none overtakes.
        The filter passes event items only."""
        lambda_.EventSourceMapping(
            self,
            id,
            target=function,
            event_source_arn=table.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=100,
            max_batching_window=cdk.Duration.seconds(1),
            bisect_batch_on_error=True,
            report_batch_item_failures=True,
            filters=[
                lambda_.FilterCriteria.filter(
                    {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "event#"}]}}}}
                )
            ],
        )

    def _mapping(self, id: str, function: lambda_.IFunction, queue: sqs.Queue, *, most: int | None = None) -> None:
        lambda_.EventSourceMapping(
            self,
            id,
            target=function,
            event_source_arn=queue.queue_arn,
            batch_size=10,
            max_concurrency=most,
            report_batch_item_failures=True,
        )

    def _queue(self, id: str, name: str, letters: sqs.Queue | None = None, *, receives: int = 5) -> sqs.Queue:
        return sqs.Queue(
            self,
            id,
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=_LETTERS_KEPT if letters is None else None,
            visibility_timeout=self._visibility,
            dead_letter_queue=sqs.DeadLetterQueue(queue=letters, max_receive_count=receives) if letters else None,
        )
