"""What a provider outside of the registry knows of a person, and how it fails.

A person is identified by `subject`, which the provider never gives to anybody else: entryUUID or objectGUID of a
directory, issuer and `sub` of OpenID Connect. Names change hands; a subject does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RETRY_AFTER = 10  # seconds, of the response while a provider is down
LDAP, OIDC = "ldap", "oidc"


@dataclass(frozen=True, slots=True)
class PersonGroup:
    """A group as its provider has it. `key` identifies it: a DN, or the name in a token's claim."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is as the provider writes it. `admin` is whether the provider's administrator group has the person."""

    provider: str  # LDAP or OIDC
    subject: str
    name: str
    email: str = ""
    real_name: str = ""
    groups: tuple[PersonGroup, ...] = ()
    admin: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "subject": self.subject,
            "name": self.name,
            "email": self.email,
            "real_name": self.real_name,
            "groups": [[group.key, group.name] for group in self.groups],
            "admin": self.admin,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Person:
        groups = tuple(PersonGroup(key, name) for key, name in document["groups"])
        return cls(**{**document, "groups": groups})


class ProviderFailed(Exception):
    """The provider could not be asked: it is down, or its settings are wrong. Says nothing about a password.

    `step` is what failed, in a word; the message is a sentence for an administrator, with what to do, and no secret.
    """

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step
