"""Users, projects and members for the tests, created as an operator does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.identity.accounts import Accounts
from roadstead.identity.directory import Role
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import DAY
from roadstead.identity.sign_in.passwords import Argon2Hasher
from tests import aws
from tests.e2e.api import Api
from tests.e2e.cloud import Cloud

_run = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    password: str

    def api(self, cloud: Cloud) -> Api:
        return Api(cloud.url, self.name, self.password)


@dataclass(frozen=True, slots=True)
class People:
    """A guest may pull, a developer push, a maintainer delete; the stranger is a user without memberships."""

    admin: Person
    maintainer: Person
    developer: Person
    guest: Person
    stranger: Person


class Office:
    """Creates users and projects in the identity table of a local cloud."""

    def __init__(self, cloud: Cloud, prefix: str) -> None:
        """`prefix` makes the names of this run unique."""
        table = Table(aws.local_client("dynamodb", cloud.ready), str(cloud.ready["identity_table"]))
        self.identities = DynamoIdentities(table)
        self._accounts = Accounts(self.identities, Argon2Hasher())
        self._prefix = prefix
        self.people = People(
            admin=Person(cloud.admin, cloud.admin_password),
            maintainer=self._person("maintainer"),
            developer=self._person("developer"),
            guest=self._person("guest"),
            stranger=self._person("stranger"),
        )

    def make_project(self, *, public: bool = False) -> str:
        """Create a project with a member in each role; return its name."""
        name = f"{self._prefix}-{next(_run)}"
        self._accounts.create_project(name, public=public, created_by=self.people.admin.name)
        self._accounts.set_member(name, self.people.maintainer.name, Role.MAINTAINER)
        self._accounts.set_member(name, self.people.developer.name, Role.DEVELOPER)
        self._accounts.set_member(name, self.people.guest.name, Role.GUEST)
        return name

    def open_project(self, name: str) -> None:
        """Make a project public; create it if necessary."""
        if self._accounts.find_project(name) is None:
            self._accounts.create_project(name, public=True, created_by=self.people.admin.name)
        else:
            self._accounts.set_public(name, True)

    def make_person(self) -> Person:
        """Create a user of one test: failed logins of one name from one address are slowed down."""
        return self._person(f"person-{next(_run)}")

    def disable(self, name: str, disabled: bool = True) -> None:
        self._accounts.set_disabled(name, disabled)

    def remove_person(self, name: str) -> None:
        self._accounts.remove_user(name)

    def age_robot(self, name: str, *, days: int) -> None:
        """Make a project's robot as if it had been created so many days ago. `name` is the one that it signs in by."""
        robot = self.identities.find_robot(RobotName.parse_local(name.removeprefix("robot$")))
        assert robot is not None
        self.identities.remove_robot(robot)
        self.identities.create_robot(replace(robot, id=0, created=robot.created - days * DAY))

    def _person(self, role: str) -> Person:
        # With characters that are special in a shell, a URL, a form or a Basic header.
        person = Person(f"{self._prefix}-{role}", f"pass word+{role}&%41é:$'\"")
        self._accounts.create_user(person.name, person.password)
        return person
