"""The composition root of the webhook function: DynamoDB, S3, SQS, SSM and CloudWatch Logs."""

from __future__ import annotations

from typing import Any

from functions.webhook.delivery import NotificationServices
from functions.webhook.notification_settings import NotificationSettings
from functions.webhook.services import WebhookServices
from functions.webhook.settings import AuditPages, Settings
from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.clients import Deferred, client
from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.identity.dynamodb_identity import DynamoIdentityEvents
from roadstead.aws.lifecycle.dynamodb_candidates import DynamoCandidates
from roadstead.aws.notifications.dynamodb_notifications import DynamoDeliveryRecords, DynamoWebhooks
from roadstead.aws.notifications.sqs import SqsQueue
from roadstead.aws.notifications.ssm_webhooks import SsmWebhookSecrets
from roadstead.aws.table import Table
from roadstead.aws.trail.cloudwatch_logs import CloudWatchAuditLog
from roadstead.aws.trail.dynamodb_trail import DynamoTrailPages
from roadstead.notifications.delivery import Deliverer
from roadstead.notifications.dispatch import Dispatcher
from roadstead.notifications.targets import Targets
from roadstead.outbound.https import HttpsPoster
from roadstead.trail.recorder import Recorder


def build(settings: Settings) -> WebhookServices:
    """Build the services on AWS. Makes no call, and creates only the clients that every stream or log event needs."""
    dynamodb, sqs = client("dynamodb"), Deferred(lambda: client("sqs"))
    index = Table(dynamodb, settings.index_table)
    notifications = settings.notifications
    return WebhookServices(
        recorder=Recorder(
            CloudWatchAuditLog(client("logs"), settings.audit_log_group),
            DynamoPullCounts(index),
            DynamoTrailPages(index),
            page_pulls=settings.audit_pages is AuditPages.ALL,
        ),
        identity_events=DynamoIdentityEvents(Table(dynamodb, settings.identity_table)),
        objects=S3Objects(Deferred(lambda: client("s3")), settings.bucket),
        dead_letters=SqsQueue(sqs, settings.dead_letters_url),
        candidates=DynamoCandidates(index),
        uploads=DynamoBlobIndex(index),
        object_events_queue=settings.object_events_queue,
        notification_queue=notifications.queue_name if notifications else "",
        notifications=_notifications(notifications, dynamodb, sqs) if notifications else None,
    )


def build_notifications(settings: NotificationSettings) -> NotificationServices:
    """Build the services of outgoing notifications alone. Makes no call."""
    return _notifications(settings, client("dynamodb"), Deferred(lambda: client("sqs")))


def _notifications(settings: NotificationSettings, dynamodb: Any, sqs: Any) -> NotificationServices:
    targets = Targets(DynamoWebhooks(Table(dynamodb, settings.identity_table)))
    records = DynamoDeliveryRecords(Table(dynamodb, settings.index_table))
    secrets = SsmWebhookSecrets(Deferred(lambda: client("ssm")), settings.secrets_prefix)
    queue = SqsQueue(sqs, settings.queue_url)
    return NotificationServices(
        dispatcher=Dispatcher(targets, records, queue, host=settings.registry_host),
        deliverer=Deliverer(targets, secrets, records, HttpsPoster(settings.endpoints)),
        queue=queue,
        dead_letters=SqsQueue(sqs, settings.dead_letter_queue_url),
    )
