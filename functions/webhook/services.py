"""What the webhook function works with."""

from __future__ import annotations

from dataclasses import dataclass

from functions.webhook.delivery import NotificationServices
from roadstead.content.candidates import Candidates
from roadstead.content.objects import Objects
from roadstead.identity.directory import IdentityEvents
from roadstead.notifications.queue import Queue
from roadstead.trail.recorder import Trail


@dataclass(frozen=True, slots=True)
class WebhookServices:
    """`dead_letters` keep what cannot be understood. Queues are known by their names, as an event source's ARN ends."""

    trail: Trail
    identity_events: IdentityEvents
    objects: Objects
    dead_letters: Queue
    candidates: Candidates
    object_events_queue: str
    notification_queue: str = ""
    notifications: NotificationServices | None = None
