"""The services that the webhook function uses."""

from __future__ import annotations

from dataclasses import dataclass

from functions.webhook.delivery import NotificationServices
from roadstead.content.blob_index import SpentUploads
from roadstead.content.deletion.candidates import Candidates
from roadstead.content.objects import Objects
from roadstead.identity.stores import IdentityEvents
from roadstead.notifications.queue import Queue
from roadstead.trail.recorder import Recorder


@dataclass(frozen=True, slots=True)
class WebhookServices:
    """`dead_letters` keeps records that cannot be processed. Queues have the names at the end of their ARNs."""

    recorder: Recorder
    identity_events: IdentityEvents
    objects: Objects
    dead_letters: Queue
    candidates: Candidates
    uploads: SpentUploads
    object_events_queue: str
    notification_queue: str = ""
    notifications: NotificationServices | None = None
