"""The webhook function's entry and composition root."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.hosting import tracing
from functions.hosting.observation import observed
from functions.webhook.dispatch import dispatch
from functions.webhook.notifications import compose
from functions.webhook.services import WebhookServices
from functions.webhook.settings import Settings
from roadstead.aws.clients import Deferred, client
from roadstead.aws.cloudwatch_logs import CloudWatchAuditLog
from roadstead.aws.dynamodb_candidates import DynamoCandidates
from roadstead.aws.dynamodb_identity import DynamoIdentityEvents
from roadstead.aws.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.s3 import S3Objects
from roadstead.aws.sqs import SqsQueue
from roadstead.aws.table import Table
from roadstead.trail.recorder import Trail


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any] | None:
    """An event of a stream, of a queue or of CloudWatch Logs."""
    with observed(str(getattr(context, "aws_request_id", ""))):
        return dispatch(services(), event)


@cache
def services() -> WebhookServices:
    """Built when first asked for; anew the next time if that failed."""
    return build(Settings.from_environ(os.environ))


def prepare() -> None:
    """What can be done before the first event: read the settings, make the clients, trace them."""
    tracing.start(Settings.from_environ(os.environ).tracing)
    services()


def build(settings: Settings) -> WebhookServices:
    """The services on DynamoDB, S3, SQS, SSM and CloudWatch Logs. Makes no call, and the clients alone that every event
    of a stream or a log needs.
    """
    dynamodb, sqs = client("dynamodb"), Deferred(lambda: client("sqs"))
    notifications = settings.notifications
    return WebhookServices(
        trail=Trail(
            CloudWatchAuditLog(client("logs"), settings.audit_log_group),
            DynamoPullCounts(Table(dynamodb, settings.index_table)),
        ),
        identity_events=DynamoIdentityEvents(Table(dynamodb, settings.identity_table)),
        objects=S3Objects(Deferred(lambda: client("s3")), settings.bucket),
        dead_letters=SqsQueue(sqs, settings.dead_letters_url),
        candidates=DynamoCandidates(Table(dynamodb, settings.index_table)),
        object_events_queue=settings.object_events_queue,
        notification_queue=notifications.queue_name if notifications else "",
        notifications=compose(notifications, dynamodb, Deferred(lambda: client("ssm")), sqs) if notifications else None,
    )
