"""The identity table. It holds password hashes: only the token function and the operator's command may read it.

    pk              sk               what
    user#<name>     meta             password (PHC), admin, disabled, epoch, created, id, groups, profile; deleting
    user#<name>     refresh#<hash>   a refresh token: client, epoch, created, ends, expires (the table's TTL)
    user#<name>     access#<hash>    a personal access token: name, level, projects, user_id, used, expires (the TTL)
    user#<name>     session#<hash>   a session of the console: epoch, created, seen, expires (the table's TTL)
    user#<name>     in#<project>     the inverse of a member: role
    subject#<provider>  <hash>       whom a provider outside of the registry knows by this subject: name
    state#<hash>    used             a sign-in by OpenID Connect that is over (dynamodb_states.py)
    newcomer#<hash> person           somebody who has still to choose a name (dynamodb_states.py)
    users           <name>           what lists show of a user: admin, disabled, created, id, profile
    project#<name>  meta             public, created, created_by, id, groups (role by the group's id)
    project#<name>  member#<user>    role, id, at
    projects        <name>           what lists show of a project: public, created, created_by, id
    robot#<project> <name>           a project's robot: id, project_id, secret (hash), grants, created, duration, …
    robot#          <name>           a system robot
    robots-due      <time>#<id>      when to look at a robot that is about to expire: name
    project#<name>  group#<id>       a group as a member: role, id, at
    group#<id>      …                groups, their roles and members (dynamodb_groups.py)
    attempt#<what>  <bucket>         failed logins of n#<name> or a#<address> (dynamodb_attempts.py)
    locks           <until>#<hash>   what they have locked (dynamodb_attempts.py)
    id#<kind>       <id>             the claim of an integer id: name (id_claims.py)
    event#<shard>   <time>#<id>      an event of one of these changes, as in the index table; the stream has its key

A token request knows the keys of all it needs in advance, so it costs one BatchGetItem.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from roadstead.aws import id_claims
from roadstead.aws.identity.dynamodb_access_tokens import DynamoAccessTokens
from roadstead.aws.identity.dynamodb_attempts import DynamoAttempts, attempt_key, failures_from
from roadstead.aws.identity.dynamodb_groups import DynamoGroups
from roadstead.aws.identity.dynamodb_projects import DynamoProjects
from roadstead.aws.identity.dynamodb_robots import DynamoRobots
from roadstead.aws.identity.identity_items import (
    ABSENT,
    ADMIN_GROUPS,
    PRESENT,
    SESSION_FIELDS,
    access_token_from,
    access_token_key,
    listed_user_key,
    member_key,
    project_from,
    project_key,
    refresh_key,
    refresh_token_from,
    roles_in,
    session_from,
    session_key,
    subject_key,
    told,
    user_from,
    user_key,
)
from roadstead.aws.identity.robot_items import robot_from, robot_key
from roadstead.aws.identity.user_removal import NOT_MARKED, remove_user
from roadstead.aws.table import Item, Key, Table, Write, delete, put, update
from roadstead.conflicts import Conflict
from roadstead.identity.directory import (
    MAX_GROUPS,
    AttemptKey,
    Identity,
    Profile,
    RefreshToken,
    Session,
    User,
    UserName,
    limited_roles,
    whole_roles,
)
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.stores import TooManyGroups, UnknownUser
from roadstead.ids import IdKind, clock_id
from roadstead.names import ProjectName
from roadstead.trail.entries import Event


class DynamoIdentities(DynamoAccessTokens, DynamoAttempts, DynamoGroups, DynamoProjects, DynamoRobots):
    """Identities, and the stores of users, projects, groups, robots, tokens, sessions and attempts, on one table."""

    def read(
        self,
        user: UserName | None,
        projects: Iterable[ProjectName],
        refresh_token: str | None = None,
        session: str | None = None,
        attempts: Iterable[AttemptKey] = (),
        *,
        robot: RobotName | None = None,
        access_token: str | None = None,
    ) -> Identity:
        projects, attempts = tuple(projects), tuple(attempts)
        keys = [*(project_key(project) for project in projects), *(attempt_key(attempt) for attempt in attempts)]
        if robot is not None:
            keys.append(robot_key(robot))
            if robot.project is not None:
                keys.append(project_key(robot.project))
                projects = (*projects, robot.project)
        if user is not None:
            keys += [user_key(user), ADMIN_GROUPS]
            keys += [member_key(project, user) for project in projects]
            if refresh_token is not None:
                keys.append(refresh_key(user, refresh_token))
            if session is not None:
                keys.append(session_key(user, session))
            if access_token is not None:
                keys.append(access_token_key(user, access_token))
        items = self._table.batch_get(keys)
        found = {name: project_from(name, items[key]) for name in projects if (key := project_key(name)) in items}
        failed = {one: failures_from(items[key]) for one in attempts if (key := attempt_key(one)) in items}
        if robot is not None and robot_key(robot) in items:
            return Identity(projects=found, robot=robot_from(robot, items[robot_key(robot)]), attempts=failed)
        if user is None:
            return Identity(projects=found, attempts=failed)
        item = items.get(user_key(user))
        account = user_from(user, item) if item else None
        groups = account.all_groups if account else ()
        if account is not None and not set(groups).isdisjoint(items.get(ADMIN_GROUPS, {}).get("ids", ())):
            account = replace(account, admin=True, admin_by_group=not account.admin)
        held = {name: roles_in(found.get(name), items.get(member_key(name, user)), groups) for name in projects}
        refresh = items.get(refresh_key(user, refresh_token)) if refresh_token is not None else None
        personal = items.get(access_token_key(user, access_token)) if access_token is not None else None
        seated = items.get(session_key(user, session)) if session is not None else None
        return Identity(
            user=account,
            refresh_token=refresh_token_from(user, refresh) if refresh else None,
            access_token=access_token_from(user, personal) if personal else None,
            session=session_from(user, seated) if seated else None,
            projects=found,
            roles=whole_roles(held),
            limited_roles=limited_roles(held),
            attempts=failed,
        )

    def refresh_tokens(self, user: UserName) -> list[RefreshToken]:
        """Costs one Query."""
        return [refresh_token_from(user, item) for item in self._table.query(f"user#{user}", prefix="refresh#")]

    def store_refresh_token(self, token: RefreshToken, surplus: Iterable[str] = ()) -> None:
        """Costs one BatchWriteItem for up to 24 surplus tokens."""
        item = {
            "client": token.client,
            "epoch": token.epoch,
            "created": token.created,
            "expires": token.expires,
            "ends": token.ends,
        }
        self._table.batch_write(
            puts=[(refresh_key(token.user, token.hash), item)],
            deletes=[refresh_key(token.user, hash_) for hash_ in surplus],
        )

    def extend_refresh_token(self, user: UserName, hash_: str, expires: int) -> None:
        self._table.write(update(refresh_key(user, hash_), "SET expires = :at", PRESENT, {":at": expires}))

    def store_session(self, session: Session) -> None:
        item = {name: getattr(session, name) for name in SESSION_FIELDS}
        self._table.write(put(session_key(session.user, session.hash), item))

    def set_seen(self, user: UserName, hash_: str, at: int) -> None:
        self._table.write(update(session_key(user, hash_), "SET seen = :at", PRESENT, {":at": at}))

    def remove_session(self, user: UserName, hash_: str) -> None:
        self._table.write(delete(session_key(user, hash_)))

    def remove_sessions(self, sessions: Iterable[Session], *, event: Event) -> None:
        gone = [delete(session_key(session.user, session.hash)) for session in sessions]
        self._table.transact([*gone, *told(event)])

    def sessions(self, user: UserName) -> list[Session]:
        return [session_from(user, item) for item in self._table.query(f"user#{user}", prefix="session#")]

    def find_user(self, name: UserName) -> User | None:
        item = self._table.get(user_key(name))
        return user_from(name, item) if item else None

    def create_user(self, user: User, *, event: Event | None = None) -> User:
        def writes(id_: int) -> list[Write]:
            listed: dict[str, Any] = {
                "admin": user.admin and not user.admin_by_provider,
                "admin_by_provider": user.admin_by_provider,
                "disabled": user.disabled,
                "created": user.created,
                "id": id_,
                "profile": asdict(user.profile),
            }
            account = {
                **listed,
                "password": user.password,
                "epoch": user.epoch,
                "groups": list(user.groups),
                "provider": user.provider,
                "subject": user.subject,
                "confirmed": user.confirmed,
            }
            known = [put(subject_key(user.provider, user.subject), {"name": user.name}, ABSENT)] if user.subject else []
            return [
                put(user_key(user.name), account, ABSENT),
                put(listed_user_key(user.name), listed),
                *known,
                *told(event),
            ]

        id_ = id_claims.create(self._table, IdKind.USER, user.id or clock_id(user.created), user.name, writes)
        return replace(user, id=id_, groups=tuple(user.groups))

    def set_profile(self, name: UserName, profile: Profile, *, event: Event | None = None) -> None:
        keys = (user_key(name), listed_user_key(name))
        change = ("SET #profile = :profile", PRESENT, {":profile": asdict(profile)}, {"#profile": "profile"})
        self._change(name, [*(update(key, *change) for key in keys), *told(event)])

    def remove_user(self, name: UserName, *, event: Event | None = None) -> None:
        remove_user(self._table, name, event)

    def find_subject(self, provider: str, subject: str) -> UserName | None:
        item = self._table.get(subject_key(provider, subject))
        return UserName(item["name"]) if item else None

    def confirm_user(
        self, name: UserName, groups: Iterable[int], *, admin: bool, at: int, event: Event | None = None
    ) -> None:
        ordered = sorted(set(groups))
        if len(ordered) > MAX_GROUPS:
            raise TooManyGroups(f"{name} is in {len(ordered)} groups; {MAX_GROUPS} are kept")
        said = "SET groups = :groups, admin_by_provider = :admin, confirmed = :at"
        account = update(user_key(name), said, PRESENT, {":groups": ordered, ":admin": admin, ":at": at})
        listed = _update(listed_user_key(name), "SET admin_by_provider = :admin", admin=admin)
        self._change(name, [account, listed, *told(event)])

    def set_password(self, name: UserName, password: str, *, event: Event | None = None) -> None:
        change = "SET password = :password ADD epoch :one"
        self._change(name, [_update(user_key(name), change, password=password, one=1), *told(event)])

    def replace_password(self, name: UserName, old: str, new: str) -> None:
        self._table.write(update(user_key(name), "SET password = :new", "password = :old", {":new": new, ":old": old}))

    def set_admin(self, name: UserName, admin: bool, *, event: Event | None = None) -> None:
        keys = (user_key(name), listed_user_key(name))
        self._change(name, [*(_update(key, "SET admin = :admin", admin=admin) for key in keys), *told(event)])

    def set_disabled(self, name: UserName, disabled: bool, *, event: Event | None = None) -> None:
        account = "SET disabled = :disabled ADD epoch :step"
        listed = "SET disabled = :disabled"
        self._change(
            name,
            [
                # Whom somebody removes stays disabled.
                update(user_key(name), account, NOT_MARKED, {":disabled": disabled, ":step": int(disabled)}),
                _update(listed_user_key(name), listed, disabled=disabled),
                *told(event),
            ],
        )

    def set_groups(self, name: UserName, groups: Iterable[int]) -> None:
        ordered = sorted(set(groups))
        if len(ordered) > MAX_GROUPS:
            raise TooManyGroups(f"{name} is in {len(ordered)} groups; {MAX_GROUPS} are kept")
        self._change(name, [update(user_key(name), "SET groups = :groups", PRESENT, {":groups": ordered})])

    def _change(self, name: UserName, writes: list[Write]) -> None:
        """Write what is one item by itself, the rest in one transaction. Raises UnknownUser."""
        try:
            if len(writes) == 1:
                self._table.write(writes[0])
            else:
                self._table.transact(writes)
        except Conflict as error:
            raise UnknownUser(name) from error


class DynamoIdentityEvents:
    """IdentityEvents on the same table. Needs permission for event items only."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find_event_items(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """Costs one BatchGetItem for each 100 keys."""
        return self._table.batch_get(keys)


def _update(key: Key, expression: str, **values: str | int) -> Write:
    return update(key, expression, PRESENT, {f":{name}": value for name, value in values.items()})
