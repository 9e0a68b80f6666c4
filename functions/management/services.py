"""What the handlers of the management API work with, put together once per environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from functions.hosting.viewer import EdgeSecretSource
from roadstead.catalog.artifacts import Artifacts
from roadstead.catalog.pages import Pages
from roadstead.content.objects import Objects
from roadstead.identity.attempts import AttemptStore
from roadstead.identity.configuration import Administration, ConfigurationReader
from roadstead.identity.directory import Identities, Projects, Users
from roadstead.identity.lists import DirectoryLists
from roadstead.identity.login import PasswordLogin
from roadstead.identity.passwords import Hasher
from roadstead.identity.robot_sign_in import RobotLogin
from roadstead.identity.robots import Robots
from roadstead.identity.sessions import SessionService
from roadstead.lifecycle.executions import Executions, Starter
from roadstead.trail.pages import TrailPages


class Directory(Identities, AttemptStore, Users, Projects, Robots, Protocol):
    """The parts of the identity store that the management API needs."""


@dataclass(frozen=True, slots=True)
class Services:
    directory: Directory
    lists: DirectoryLists
    hasher: Hasher
    pages: Pages
    login: PasswordLogin
    robots: RobotLogin
    artifacts: Artifacts
    objects: Objects
    sessions: SessionService
    configuration: ConfigurationReader  # for what every request asks: up to a minute old
    administration: Administration
    trail: TrailPages
    description: Callable[[], bytes]  # the OpenAPI document
    executions: Executions
    starter: Starter
    edge_secrets: EdgeSecretSource | None = None
    via_distribution_only: bool = False
    clock: Callable[[], float] = time.time
