"""Putting the parts of outgoing notifications together."""

from __future__ import annotations

from typing import Any

from functions.webhook.delivery import NotificationServices
from functions.webhook.notification_settings import NotificationSettings
from roadstead.aws.dynamodb_notifications import DynamoDeliveryRecords, DynamoWebhooks
from roadstead.aws.sqs import SqsQueue
from roadstead.aws.ssm_webhooks import SsmWebhookSecrets
from roadstead.aws.table import Table
from roadstead.notifications.delivery import Deliverer
from roadstead.notifications.dispatch import Dispatcher
from roadstead.notifications.targets import Targets
from roadstead.outbound.https import HttpsPoster


def compose(settings: NotificationSettings, dynamodb: Any, ssm: Any, sqs: Any) -> NotificationServices:
    """The services on these clients. Calls none of them."""
    targets = Targets(DynamoWebhooks(Table(dynamodb, settings.identity_table)))
    records = DynamoDeliveryRecords(Table(dynamodb, settings.index_table))
    queue = SqsQueue(sqs, settings.queue_url)
    return NotificationServices(
        Dispatcher(targets, records, queue, host=settings.registry_host),
        Deliverer(targets, SsmWebhookSecrets(ssm, settings.secrets_prefix), records, HttpsPoster(settings.endpoints)),
        queue,
        SqsQueue(sqs, settings.dead_letter_queue_url),
    )
