"""The identity table. Only the functions of tokens and of accounts may read it: password hashes are in it.

    pk              sk               what
    user#<name>     meta             password (PHC), admin, disabled, epoch, created
    user#<name>     refresh#<hash>   a refresh token: client, epoch, created, expires (the table's TTL)
    user#<name>     session#<hash>   a session of the console: epoch, created, seen, expires (the table's TTL)
    project#<name>  meta             public, created, created_by
    project#<name>  member#<user>    role
    event#<shard>   <time>#<id>      a change of the above, as in the index table; the stream has its key alone

Everything that a token request needs has a key that is known beforehand, so it is one BatchGetItem.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from roadstead.aws.index_items import event_write
from roadstead.aws.table import Item, Key, Table, TransactionFailed, Write, check, delete, put, update
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

_META = "meta"
_SESSION_FIELDS = ("epoch", "created", "seen", "expires", "provider", "address", "user_agent")
_ABSENT, _PRESENT = "attribute_not_exists(pk)", "attribute_exists(pk)"


class DynamoIdentities:
    """Identities, RefreshTokens, Sessions, Users and Projects on one table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(
        self,
        user: UserName | None,
        projects: Iterable[ProjectName],
        refresh_token: str | None = None,
        session: str | None = None,
    ) -> Identity:
        projects = tuple(projects)
        keys = [_project_key(project) for project in projects]
        if user is not None:
            keys.append(_user_key(user))
            keys += [_member_key(project, user) for project in projects]
            if refresh_token is not None:
                keys.append(_refresh_key(user, refresh_token))
            if session is not None:
                keys.append(_session_key(user, session))
        items = self._table.batch_get(keys)
        found = {project: items[key] for project in projects if (key := _project_key(project)) in items}
        if user is None:
            return Identity(projects={name: _project(name, item) for name, item in found.items()})
        members = {project: items[key] for project in projects if (key := _member_key(project, user)) in items}
        account = items.get(_user_key(user))
        refresh = items.get(_refresh_key(user, refresh_token)) if refresh_token is not None else None
        seated = items.get(_session_key(user, session)) if session is not None else None
        return Identity(
            user=_user(user, account) if account else None,
            refresh_token=_refresh_token(user, refresh) if refresh else None,
            session=_session(user, seated) if seated else None,
            projects={name: _project(name, item) for name, item in found.items()},
            roles={name: Role(item["role"]) for name, item in members.items()},
        )

    def refresh_tokens(self, user: UserName) -> list[RefreshToken]:
        """One Query."""
        return [_refresh_token(user, item) for item in self._table.query(f"user#{user}", prefix="refresh#")]

    def store_refresh_token(self, token: RefreshToken, surplus: Iterable[str] = ()) -> None:
        """One BatchWriteItem for up to 24 surplus tokens."""
        item = {
            "client": token.client,
            "epoch": token.epoch,
            "created": token.created,
            "expires": token.expires,
        }
        self._table.batch_write(
            puts=[(_refresh_key(token.user, token.hash), item)],
            deletes=[_refresh_key(token.user, hash_) for hash_ in surplus],
        )

    def store_session(self, session: Session) -> None:
        item = {name: getattr(session, name) for name in _SESSION_FIELDS}
        self._table.write(put(_session_key(session.user, session.hash), item))

    def set_seen(self, user: UserName, hash_: str, at: int) -> None:
        self._table.write(update(_session_key(user, hash_), "SET seen = :at", _PRESENT, {":at": at}))

    def remove_session(self, user: UserName, hash_: str) -> None:
        self._table.write(delete(_session_key(user, hash_)))

    def sessions(self, user: UserName) -> list[Session]:
        return [_session(user, item) for item in self._table.query(f"user#{user}", prefix="session#")]

    def find_user(self, name: UserName) -> User | None:
        item = self._table.get(_user_key(name))
        return _user(name, item) if item else None

    def create_user(self, user: User, *, event: Event | None = None) -> None:
        item = {
            "password": user.password,
            "admin": user.admin,
            "disabled": user.disabled,
            "epoch": user.epoch,
            "created": user.created,
        }
        self._write(put(_user_key(user.name), item, _ABSENT), event)

    def set_password(self, name: UserName, password: str, *, event: Event | None = None) -> None:
        self._change_user(name, "SET password = :password ADD epoch :one", event, password=password, one=1)

    def replace_password(self, name: UserName, old: str, new: str) -> None:
        self._table.write(update(_user_key(name), "SET password = :new", "password = :old", {":new": new, ":old": old}))

    def set_admin(self, name: UserName, admin: bool, *, event: Event | None = None) -> None:
        self._change_user(name, "SET admin = :admin", event, admin=admin)

    def set_disabled(self, name: UserName, disabled: bool, *, event: Event | None = None) -> None:
        expression = "SET disabled = :disabled ADD epoch :step"
        self._change_user(name, expression, event, disabled=disabled, step=int(disabled))

    def find_project(self, name: ProjectName) -> Project | None:
        item = self._table.get(_project_key(name))
        return _project(name, item) if item else None

    def create_project(self, project: Project, *, event: Event | None = None) -> None:
        item = {"public": project.public, "created": project.created, "created_by": project.created_by}
        self._write(put(_project_key(project.name), item, _ABSENT), event)

    def set_public(self, name: ProjectName, public: bool, *, event: Event | None = None) -> None:
        # `public` is a reserved word of DynamoDB's expressions.
        write = update(
            _project_key(name), "SET #public = :public", _PRESENT, {":public": public}, {"#public": "public"}
        )
        self._write_or(UnknownProject(name), write, event)

    def set_member(self, project: ProjectName, user: UserName, role: Role, *, event: Event | None = None) -> None:
        try:
            self._table.transact(
                [
                    check(_project_key(project), _PRESENT),
                    check(_user_key(user), _PRESENT),
                    put(_member_key(project, user), {"role": role}),
                    *_told(event),
                ]
            )
        except TransactionFailed as error:
            raise (UnknownProject(project) if 0 in error.failed else UnknownUser(user)) from error

    def remove_member(self, project: ProjectName, user: UserName, *, event: Event | None = None) -> None:
        # A conflict is a member that is not there: nothing is removed, and nothing told.
        with contextlib.suppress(Conflict):
            self._write(delete(_member_key(project, user), _PRESENT), event)

    def _change_user(self, name: UserName, expression: str, event: Event | None, **values: str | int) -> None:
        placeholders = {f":{key}": value for key, value in values.items()}
        self._write_or(UnknownUser(name), update(_user_key(name), expression, _PRESENT, placeholders), event)

    def _write_or(self, unknown: Exception, write: Write, event: Event | None) -> None:
        try:
            self._write(write, event)
        except Conflict as error:
            raise unknown from error

    def _write(self, write: Write, event: Event | None) -> None:
        """A conditional write, with its event in one transaction. Raises Conflict."""
        if event is None:
            self._table.write(write)
        else:
            self._table.transact([write, *_told(event)])


class DynamoIdentityEvents:
    """IdentityEvents on the same table; its function needs no permission for any other item."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find_event_items(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """One BatchGetItem for each 100."""
        return self._table.batch_get(keys)


def _told(event: Event | None) -> list[Write]:
    return [event_write(event)] if event is not None else []


def _user_key(name: UserName) -> Key:
    return f"user#{name}", _META


def _refresh_key(user: UserName, hash_: str) -> Key:
    return f"user#{user}", f"refresh#{hash_}"


def _session_key(user: UserName, hash_: str) -> Key:
    return f"user#{user}", f"session#{hash_}"


def _project_key(name: ProjectName) -> Key:
    return f"project#{name}", _META


def _member_key(project: ProjectName, user: UserName) -> Key:
    return f"project#{project}", f"member#{user}"


def _user(name: UserName, item: Item) -> User:
    return User(name, item["password"], item["created"], item["admin"], item["disabled"], item["epoch"])


def _project(name: ProjectName, item: Item) -> Project:
    return Project(name, item["public"], item["created"], item["created_by"])


def _refresh_token(user: UserName, item: Item) -> RefreshToken:
    hash_ = item["sk"].removeprefix("refresh#")
    return RefreshToken(user, hash_, item["client"], item["epoch"], item["created"], item["expires"])


def _session(user: UserName, item: Item) -> Session:
    fields = {name: item[name] for name in _SESSION_FIELDS}
    return Session(user=user, hash=item["sk"].removeprefix("session#"), **fields)
