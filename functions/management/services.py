"""What the handlers of the management API work with, put together once per environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from functions.hosting.viewer import EdgeSecretSource
from roadstead.identity.directory import Identities, Projects, Users
from roadstead.identity.passwords import PasswordVerifier
from roadstead.identity.sessions import SessionService


class Directory(Identities, Users, Projects, Protocol):
    """The parts of the identity store that the management API needs."""


@dataclass(frozen=True, slots=True)
class Services:
    directory: Directory
    passwords: PasswordVerifier
    sessions: SessionService
    edge_secrets: EdgeSecretSource | None = None
    via_distribution_only: bool = False
