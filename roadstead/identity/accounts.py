"""Users, projects and members, as operators and administrators change them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from roadstead.conflicts import Conflict, retry_conflicts
from roadstead.identity.directory import (
    EMAIL,
    LOCAL,
    MAX_PROFILE,
    Member,
    Patterns,
    Profile,
    Project,
    Role,
    User,
    UserName,
)
from roadstead.identity.limits import check_patterns, said_patterns
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.sign_in.attempts import IPV6_NETWORK, Attempt, AttemptStore
from roadstead.identity.sign_in.passwords import Hasher, WeakPassword, check_password
from roadstead.identity.stores import Projects, UnknownProject, UnknownUser, Users
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, ActorKind, Event, Operation
from roadstead.trail.events import EventMaker


class AccountRefused(Exception):
    """The change is not possible. The message is a sentence for a person."""


class PatternRefused(AccountRefused):
    """A pattern that limits a role is not one."""


class AccountStore(Users, Projects, AttemptStore, Protocol):
    """The parts of the identity store that accounts need."""


OPERATOR = Actor("operator", ActorKind.OPERATOR)


class Accounts:
    """Changes accounts. Parses names, which come as text, and keeps an event by `actor` with every change.

    Every method raises AccountRefused for a malformed name, for an absent user or project, and for a new one whose name
    is taken.
    """

    def __init__(
        self,
        store: AccountStore,
        hasher: Hasher,
        *,
        actor: Actor = OPERATOR,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._actor = actor
        self._clock = clock
        self._events = EventMaker(clock)

    def find_user(self, name: str) -> User | None:
        return self._store.find_user(_user(name))

    def create_user(self, name: str, password: str, *, admin: bool = False, profile: Profile | None = None) -> User:
        """Create a user, a system administrator if `admin`. Checks the password by the rules of `passwords`.

        The epoch begins at random: what was issued to an earlier account of that name has another one.
        """
        parsed = _user(name)
        checked = _checked(profile or Profile())
        epoch = secrets.randbelow(1 << 31)
        user = User(parsed, self._hash(password), int(self._clock()), admin, epoch=epoch, profile=checked)
        event = self._event(Operation.CREATE_USER, user=parsed, detail=_flag("admin", admin))
        try:
            return self._store.create_user(user, event=event)
        except Conflict as error:
            raise AccountRefused(f"there is a user {parsed} already") from error

    def set_password(self, name: str, password: str) -> None:
        """Set a password. It takes effect at once and revokes every refresh token and session of the user."""
        parsed, hashed = _user(name), self._hash(password)
        found = self._store.find_user(parsed)
        if found is not None and found.provider != LOCAL:
            raise AccountRefused(
                f"the password of {parsed} is not kept here: change it at its provider, {found.provider}"
            )
        try:
            self._store.set_password(parsed, hashed, event=self._event(Operation.CHANGE_PASSWORD, user=parsed))
        except UnknownUser as error:
            raise _no_user(parsed) from error

    def set_admin(self, name: str, admin: bool) -> None:
        """Make a user a system administrator, or an ordinary user. Tokens issued before keep what they grant."""
        parsed = _user(name)
        try:
            self._store.set_admin(parsed, admin, event=self._change(parsed, _flag("admin", admin)))
        except UnknownUser as error:
            raise _no_user(parsed) from error

    def set_disabled(self, name: str, disabled: bool) -> None:
        """Disable or enable a user. A disabled user gets no new token. Enabling does not bring back refresh tokens."""
        parsed = _user(name)
        try:
            self._store.set_disabled(parsed, disabled, event=self._change(parsed, _flag("disabled", disabled)))
        except UnknownUser as error:
            raise _no_user(parsed) from error

    def release_login(self, name: str) -> None:
        """Forget the failed logins of a name, whether or not there is such a user. Costs one transaction."""
        parsed = _user(name)
        keys = Attempt.of(parsed, "", self._clock()).keys
        self._store.forget_failures(keys, event=self._event(Operation.RELEASE_LOGIN, user=parsed))

    def release_robot(self, name: str) -> None:
        """Forget the failed logins of a robot, by its name without the prefix: `<project>+<name>`, or `<name>`.

        Costs one transaction. Raises AccountRefused.
        """
        try:
            local = RobotName.parse_local(name).local
        except ValueError as error:
            raise AccountRefused(str(error)) from error
        keys = Attempt.of(f"robot {local}", "", self._clock()).keys
        self._store.forget_failures(keys, event=self._event(Operation.RELEASE_LOGIN, detail=f"robot={local}"))

    def release_address(self, address: str) -> None:
        """Forget the failed logins from an address, or from an IPv6 network as locks name it.

        Those of each name from there count on. Costs one transaction. Raises AccountRefused.
        """
        attempt = Attempt.of(None, address.removesuffix(f"/{IPV6_NETWORK}"), self._clock())
        if not attempt.network or ("/" in address and "/" not in attempt.network):
            raise AccountRefused(f"{address[:50]!r} is no IP address, nor a network of IPv6 with /{IPV6_NETWORK}")
        event = self._event(Operation.RELEASE_LOGIN, detail=f"address={attempt.network}")
        self._store.forget_failures(attempt.keys, event=event)

    def set_profile(self, name: str, profile: Profile) -> None:
        parsed = _user(name)
        try:
            self._store.set_profile(parsed, _checked(profile), event=self._change(parsed, "profile"))
        except UnknownUser as error:
            raise _no_user(parsed) from error

    def remove_user(self, name: str) -> None:
        """Remove a user with their memberships, sessions and tokens. A new account of that name inherits nothing."""
        parsed = _user(name)
        try:
            self._store.remove_user(parsed, event=self._event(Operation.REMOVE_USER, user=parsed))
        except UnknownUser as error:
            raise _no_user(parsed) from error

    def find_project(self, name: str) -> Project | None:
        return self._store.find_project(_project(name))

    def create_project(self, name: str, *, public: bool = False, created_by: str = "") -> Project:
        project = Project(_project(name), public, int(self._clock()), created_by)
        event = self._event(Operation.CREATE_PROJECT, project=project.name, detail=_flag("public", public))
        try:
            return self._store.create_project(project, event=event)
        except Conflict as error:
            raise AccountRefused(f"there is a project {project.name} already") from error

    def set_public(self, name: str, public: bool) -> None:
        """Make a project public, so that anybody may pull from it, or private."""
        parsed = _project(name)
        event = self._event(Operation.CHANGE_PROJECT, project=parsed, detail=_flag("public", public))
        try:
            self._store.set_public(parsed, public, event=event)
        except UnknownProject as error:
            raise _no_project(parsed) from error

    def change_project(self, name: str, *, public: bool | None = None, metadata: Mapping[str, str | None]) -> None:
        """Make a project public or private (None: as it is), and set or remove (None) values of its metadata."""
        parsed = _project(name)

        def attempt() -> None:
            kept = self._store.find_project(parsed)
            if kept is None:
                raise _no_project(parsed)
            merged = {**kept.metadata, **metadata}
            changed = replace(
                kept,
                public=kept.public if public is None else public,
                metadata={key: value for key, value in merged.items() if value is not None},
            )
            if changed == kept:
                return
            said = [] if public in (None, kept.public) else [_flag("public", public)]
            said += [f"{key}={value or ''}" for key, value in metadata.items() if kept.metadata.get(key) != value]
            event = self._event(Operation.CHANGE_PROJECT, project=parsed, detail=" ".join(said))
            self._store.change_project(changed, replaces=kept, event=event)

        retry_conflicts(attempt, parsed)

    def set_member(self, project: str, user: str, role: Role, patterns: Patterns | None = None) -> Member:
        """Add a member, or change the role and the patterns that limit it; return the member.

        Without `patterns` a member keeps those that they have.
        """
        parsed, member = _project(project), _user(user)
        detail = f"role={role}{said_patterns(patterns)}"
        event = self._event(Operation.SET_MEMBER, project=parsed, user=member, detail=detail)
        try:
            limits = check_patterns(patterns) if patterns is not None else None
            return self._store.set_member(parsed, member, role, at=int(self._clock()), patterns=limits, event=event)
        except UnknownProject as error:
            raise _no_project(parsed) from error
        except UnknownUser as error:
            raise _no_user(member) from error
        except ValueError as error:
            raise PatternRefused(str(error)) from error

    def remove_member(self, project: str, user: str) -> None:
        """Remove a member. A user who is not a member is not an error."""
        parsed, member = _project(project), _user(user)
        event = self._event(Operation.REMOVE_MEMBER, project=parsed, user=member)
        self._store.remove_member(parsed, member, event=event)

    def _event(self, operation: Operation, **fields: Any) -> Event:
        return self._events.make(operation, self._actor, "", **fields)

    def _change(self, user: UserName, detail: str) -> Event:
        return self._event(Operation.CHANGE_USER, user=user, detail=detail)

    def _hash(self, password: str) -> str:
        try:
            check_password(password)
        except WeakPassword as error:
            raise AccountRefused(str(error)) from error
        return self._hasher.hash(password)


def _checked(profile: Profile) -> Profile:
    """Raises AccountRefused for what is no address, or too long for a list."""
    for name, value in (("email", profile.email), ("realname", profile.realname), ("comment", profile.comment)):
        if len(value) > MAX_PROFILE or not value.isprintable():
            raise AccountRefused(f"{name} must have up to {MAX_PROFILE} printable characters")
    if profile.email and EMAIL.fullmatch(profile.email) is None:
        raise AccountRefused("email must have the form name@example.com")
    return profile


def _flag(name: str, value: bool) -> str:
    return f"{name}={str(value).lower()}"


def _user(text: str) -> UserName:
    try:
        return UserName.parse(text)
    except ValueError as error:
        raise AccountRefused(str(error)) from error


def _project(text: str) -> ProjectName:
    try:
        return ProjectName.parse(text)
    except ValueError as error:
        raise AccountRefused(str(error)) from error


def _no_user(name: UserName) -> AccountRefused:
    return AccountRefused(f"there is no user {name}")


def _no_project(name: ProjectName) -> AccountRefused:
    return AccountRefused(f"there is no project {name}")
