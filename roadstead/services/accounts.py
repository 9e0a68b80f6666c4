"""What an operator does with users, projects and members."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from roadstead.names import ProjectName
from roadstead.services.passwords import Hasher, WeakPassword, check_password
from roadstead.stores.conflicts import Conflict
from roadstead.stores.identity import (
    Project,
    Projects,
    Role,
    UnknownProject,
    UnknownUser,
    User,
    UserName,
    Users,
)


class AccountRefused(Exception):
    """What was asked for cannot be done; the message is a sentence for a person."""


class AccountStore(Users, Projects, Protocol):
    """The roles of the identity store that accounts need."""


class Accounts:
    """Names come as text and are parsed here. Every method raises AccountRefused for a name that is none, and for a
    user or a project that does not exist (or, to be created, does)."""

    def __init__(self, store: AccountStore, hasher: Hasher, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock

    def find_user(self, name: str) -> User | None:
        return self._store.find_user(_user(name))

    def create_user(self, name: str, password: str, *, admin: bool = False) -> User:
        """A new user, a system administrator if `admin`. The password is held to the rules of `passwords`."""
        parsed = _user(name)
        user = User(parsed, self._hash(password), int(self._clock()), admin)
        try:
            self._store.create_user(user)
        except Conflict as error:
            raise AccountRefused(f"there is a user {parsed} already") from error
        return user

    def set_password(self, name: str, password: str) -> None:
        """Takes effect at once, and with it every refresh token of the user is revoked."""
        parsed, hashed = _user(name), self._hash(password)
        try:
            self._store.set_password(parsed, hashed)
        except UnknownUser as error:
            raise _no_user(parsed) from error

    def set_admin(self, name: str, admin: bool) -> None:
        """Whether the user is a system administrator; tokens given out already keep what they grant."""
        parsed = _user(name)
        try:
            self._store.set_admin(parsed, admin)
        except UnknownUser as error:
            raise _no_user(parsed) from error

    def set_disabled(self, name: str, disabled: bool) -> None:
        """A disabled user is refused every new token. Enabling again does not bring back refresh tokens."""
        parsed = _user(name)
        try:
            self._store.set_disabled(parsed, disabled)
        except UnknownUser as error:
            raise _no_user(parsed) from error

    def find_project(self, name: str) -> Project | None:
        return self._store.find_project(_project(name))

    def create_project(self, name: str, *, public: bool = False, created_by: str = "") -> Project:
        project = Project(_project(name), public, int(self._clock()), created_by)
        try:
            self._store.create_project(project)
        except Conflict as error:
            raise AccountRefused(f"there is a project {project.name} already") from error
        return project

    def set_public(self, name: str, public: bool) -> None:
        """Whether anybody may pull from the project."""
        parsed = _project(name)
        try:
            self._store.set_public(parsed, public)
        except UnknownProject as error:
            raise _no_project(parsed) from error

    def set_member(self, project: str, user: str, role: Role) -> None:
        """Adds a member, or changes the role."""
        parsed, member = _project(project), _user(user)
        try:
            self._store.set_member(parsed, member, role)
        except UnknownProject as error:
            raise _no_project(parsed) from error
        except UnknownUser as error:
            raise _no_user(member) from error

    def remove_member(self, project: str, user: str) -> None:
        """No error when the user is no member."""
        self._store.remove_member(_project(project), _user(user))

    def _hash(self, password: str) -> str:
        try:
            check_password(password)
        except WeakPassword as error:
            raise AccountRefused(str(error)) from error
        return self._hasher.hash(password)


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
