"""What stands in the queue: one message for each webhook and event. No secret, and not where it goes, is in it.

The payload is in it as it will be sent, so that every attempt sends the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from roadstead.names import ProjectName

VERSION = 1


@dataclass(frozen=True, slots=True)
class Message:
    """`delivery` names this event at this webhook, in every attempt and every repetition."""

    delivery: str
    project: ProjectName
    webhook: str
    content_type: str
    body: str
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
            test = fields.pop("test")
            if not all(isinstance(value, str) for value in fields.values()):
                raise ValueError("a field of the message is no text")
            fields["project"] = ProjectName.parse(fields["project"])
            return cls(test=test, **fields)
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError("no message of a notification") from error


def delivery_id(event: str, webhook: str) -> str:
    """The same for the same event and webhook, without a full stop (the signed text is parted by them)."""
    return hashlib.sha256(f"{event}/{webhook}".encode()).hexdigest()[:32]
