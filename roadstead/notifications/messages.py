"""The messages in the notification queue: one for each webhook and event, without secrets and without the URL.

A message contains the payload as it will be sent, so every attempt sends the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from roadstead.names import ProjectName

VERSION = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One notification. `delivery` identifies this event at this webhook: every attempt and every repeat has it."""

    delivery: str
    project: ProjectName
    webhook: str
    content_type: str
    body: str
    at: int  # of the event, in milliseconds since the epoch
    event: str  # its type
    test: bool = False

    def as_text(self) -> str:
        return json.dumps({"version": VERSION, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> Message:
        """Raises ValueError."""
        try:
            fields = json.loads(text)
            if fields.pop("version") != VERSION or not isinstance(fields["test"], bool):
                raise ValueError("not a message of this version")
            test, at = fields.pop("test"), fields.pop("at")
            if not isinstance(at, int) or isinstance(at, bool):
                raise ValueError("the time of the message is not a number")
            if not all(isinstance(value, str) for value in fields.values()):
                raise ValueError("a field of the message is not a string")
            fields["project"] = ProjectName.parse(fields["project"])
            return cls(test=test, at=at, **fields)
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError("not a notification message") from error


def delivery_id(event: str, webhook: str) -> str:
    """Return the delivery id of an event at a webhook. It has no full stop: the signed text is separated by them."""
    return hashlib.sha256(f"{event}/{webhook}".encode()).hexdigest()[:32]
