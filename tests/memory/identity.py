"""The identity store in memory: the reference that the contract suite holds the other one to, and what tests use."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

from roadstead.conflicts import Conflict
from roadstead.identity.directory import (
    Identity,
    Project,
    RefreshToken,
    Role,
    Session,
    UnknownProject,
    UnknownUser,
    User,
    UserName,
)
from roadstead.names import ProjectName
from roadstead.trail.entries import Event


class MemoryIdentities:
    """Identities, RefreshTokens, Sessions, Users and Projects; `events` are what the changes left, in their order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[UserName, User] = {}
        self._projects: dict[ProjectName, Project] = {}
        self._roles: dict[tuple[ProjectName, UserName], Role] = {}
        self._refresh_tokens: dict[tuple[UserName, str], RefreshToken] = {}
        self._sessions: dict[tuple[UserName, str], Session] = {}
        self.events: list[Event] = []

    def read(
        self,
        user: UserName | None,
        projects: Iterable[ProjectName],
        refresh_token: str | None = None,
        session: str | None = None,
    ) -> Identity:
        with self._lock:
            projects = tuple(projects)
            found = {name: self._projects[name] for name in projects if name in self._projects}
            if user is None:
                return Identity(projects=found)
            return Identity(
                user=self._users.get(user),
                refresh_token=self._refresh_tokens.get((user, refresh_token)) if refresh_token is not None else None,
                session=self._sessions.get((user, session)) if session is not None else None,
                projects=found,
                roles={name: self._roles[name, user] for name in projects if (name, user) in self._roles},
            )

    def refresh_tokens(self, user: UserName) -> list[RefreshToken]:
        with self._lock:
            return [token for token in self._refresh_tokens.values() if token.user == user]

    def store_refresh_token(self, token: RefreshToken, surplus: Iterable[str] = ()) -> None:
        with self._lock:
            self._refresh_tokens[token.user, token.hash] = token
            for hash_ in surplus:
                self._refresh_tokens.pop((token.user, hash_), None)

    def store_session(self, session: Session) -> None:
        with self._lock:
            self._sessions[session.user, session.hash] = session

    def set_seen(self, user: UserName, hash_: str, at: int) -> None:
        with self._lock:
            if (user, hash_) not in self._sessions:
                raise Conflict(user)
            self._sessions[user, hash_] = replace(self._sessions[user, hash_], seen=at)

    def remove_session(self, user: UserName, hash_: str) -> None:
        with self._lock:
            self._sessions.pop((user, hash_), None)

    def sessions(self, user: UserName) -> list[Session]:
        with self._lock:
            return [session for session in self._sessions.values() if session.user == user]

    def find_user(self, name: UserName) -> User | None:
        with self._lock:
            return self._users.get(name)

    def create_user(self, user: User, *, event: Event | None = None) -> None:
        with self._lock:
            if user.name in self._users:
                raise Conflict(user.name)
            self._users[user.name] = user
            self._tell(event)

    def set_password(self, name: UserName, password: str, *, event: Event | None = None) -> None:
        with self._lock:
            user = self._user(name)
            self._users[name] = replace(user, password=password, epoch=user.epoch + 1)
            self._tell(event)

    def replace_password(self, name: UserName, old: str, new: str) -> None:
        with self._lock:
            user = self._users.get(name)
            if user is None or user.password != old:
                raise Conflict(name)
            self._users[name] = replace(user, password=new)

    def set_admin(self, name: UserName, admin: bool, *, event: Event | None = None) -> None:
        with self._lock:
            self._users[name] = replace(self._user(name), admin=admin)
            self._tell(event)

    def set_disabled(self, name: UserName, disabled: bool, *, event: Event | None = None) -> None:
        with self._lock:
            user = self._user(name)
            self._users[name] = replace(user, disabled=disabled, epoch=user.epoch + int(disabled))
            self._tell(event)

    def find_project(self, name: ProjectName) -> Project | None:
        with self._lock:
            return self._projects.get(name)

    def create_project(self, project: Project, *, event: Event | None = None) -> None:
        with self._lock:
            if project.name in self._projects:
                raise Conflict(project.name)
            self._projects[project.name] = project
            self._tell(event)

    def set_public(self, name: ProjectName, public: bool, *, event: Event | None = None) -> None:
        with self._lock:
            self._projects[name] = replace(self._project(name), public=public)
            self._tell(event)

    def set_member(self, project: ProjectName, user: UserName, role: Role, *, event: Event | None = None) -> None:
        with self._lock:
            self._project(project)
            self._user(user)
            self._roles[project, user] = role
            self._tell(event)

    def remove_member(self, project: ProjectName, user: UserName, *, event: Event | None = None) -> None:
        with self._lock:
            if self._roles.pop((project, user), None) is not None:
                self._tell(event)

    def _tell(self, event: Event | None) -> None:
        if event is not None:
            self.events.append(event)

    def _user(self, name: UserName) -> User:
        if name not in self._users:
            raise UnknownUser(name)
        return self._users[name]

    def _project(self, name: ProjectName) -> Project:
        if name not in self._projects:
            raise UnknownProject(name)
        return self._projects[name]
