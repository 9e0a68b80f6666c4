"""The configuration and its secrets in memory."""

from __future__ import annotations

from collections.abc import Mapping

from roadstead.conflicts import Conflict
from roadstead.identity.configuration import Stored
from roadstead.identity.configuration_keys import Value
from roadstead.trail.entries import Event


class MemoryConfiguration:
    """ConfigurationStore. `reads` counts what was read."""

    def __init__(self, events: list[Event] | None = None) -> None:
        self._stored = Stored({}, 0)
        self.events = events if events is not None else []
        self.reads = 0

    def find_configuration(self) -> Stored:
        self.reads += 1
        return self._stored

    def put_configuration(self, values: Mapping[str, Value], *, replaces: int, event: Event) -> None:
        if self._stored.version != replaces:
            raise Conflict("configuration")
        self._stored = Stored(dict(values), replaces + 1)
        self.events.append(event)


class MemoryConfigurationSecrets:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def put_secret(self, key: str, reference: str, secret: str) -> None:
        self.kept[key, reference] = secret

    def find_secret(self, key: str, reference: str) -> str | None:
        return self.kept.get((key, reference))

    def remove_secret(self, key: str, reference: str) -> None:
        self.kept.pop((key, reference), None)
