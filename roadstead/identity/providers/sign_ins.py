"""What is kept while somebody signs in by a provider: which sign-ins are over, and who has still to choose a name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from roadstead.identity.people import Person

CHOOSING_SECONDS = 600  # from the provider's response to the name
MAX_KEPT = 200_000  # bytes of somebody who chooses a name, with the groups


class States(Protocol):
    """Remembers which sign-ins are over."""

    def use_state(self, state: str, *, expires: int) -> bool:
        """Return whether this is the first use of a state. Costs one write. Forgotten some time after `expires`."""
        ...


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody whom a provider has confirmed, and who has no account yet. `until` in seconds since the epoch.

    `back_to` is the path of ours to go to after the sign-in.
    """

    person: Person
    back_to: str
    until: int

    def as_text(self) -> str:
        return json.dumps({"person": self.person.as_json(), "back_to": self.back_to}, separators=(",", ":"))

    @classmethod
    def of_text(cls, text: str, until: int) -> Newcomer:
        found = json.loads(text)
        return cls(Person.from_json(found["person"]), found["back_to"], until)


class Newcomers(Protocol):
    """Keeps newcomers, each under a secret of the browser that they signed in with, as its hash."""

    def keep_newcomer(self, secret: str, newcomer: Newcomer) -> None:
        """Costs one write. Forgotten some time after `until`."""
        ...

    def find_newcomer(self, secret: str) -> Newcomer | None:
        """Return the newcomer, over or not; None if there is none. Costs one read."""
        ...

    def remove_newcomer(self, secret: str) -> None:
        """Do nothing if there is none."""
        ...


class SignIns(States, Newcomers, Protocol):
    """The store of both."""
