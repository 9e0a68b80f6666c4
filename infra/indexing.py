"""The indexer's event source: the index table's stream, beside the webhook function's and never in its way."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.beneath import beneath
from infra.configuration.names import Names
from infra.configuration.settings import Settings
from infra.functions import Functions
from infra.tables import Tables
from infra.watching.alarms import AlarmRule, metric

_LETTERS_KEPT = cdk.Duration.days(14)  # the longest that SQS keeps a message


class Indexing(Construct):
    """What it misses after its records are too old, a rebuild derives again (docs/operations.md)."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._names = Names(settings.name)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=self._names.index_dead_letters,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=_LETTERS_KEPT,
        )

    def feed(self, functions: Functions, tables: Tables) -> None:
        """Connect the stream. A shard of it takes two readers: the webhook function is one, and this is the other."""
        mapping = lambda_.EventSourceMapping(
            self,
            "Stream",
            target=functions.functions["indexer"],
            event_source_arn=tables.index.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=100,
            max_batching_window=cdk.Duration.seconds(1),
            bisect_batch_on_error=True,
            max_record_age=cdk.Duration.hours(6),
            report_batch_item_failures=True,
            filters=[
                lambda_.FilterCriteria.filter(
                    {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "event#"}]}}}}
                )
            ],
        )
        # The CDK's own word for it would grant the role more than it needs.
        beneath(
            mapping, lambda_.CfnEventSourceMapping
        ).destination_config = lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.dead_letters.queue_arn)
        )

    def alarms(self) -> list[AlarmRule]:
        """What an operator is told of the indexer, and of the index that tags and artifacts are paged by.

        How far it is behind is in the alarm on every reader of a stream, AuditLate.
        """
        waiting = self.dead_letters.metric_approximate_number_of_messages_visible(
            period=cdk.Duration.minutes(5), statistic="Maximum"
        )
        by_push = {"TableName": self._names.index_table, "GlobalSecondaryIndexName": "by-push"}
        return [
            AlarmRule(
                "IndexDeadLetters",
                waiting,
                1,
                "Something was not derived: look at the messages, then run `roadstead index rebuild`",
            ),
            AlarmRule(
                "ByPushThrottled",
                metric("AWS/DynamoDB", "WriteThrottleEvents", by_push),
                1,
                "The index by-push cannot keep up, and throttles pushes: ask for a higher table quota",
                more=True,
            ),
        ]
