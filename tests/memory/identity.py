"""The identity store in memory: the reference that the contract suite holds the other one to, and what tests use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

from roadstead.conflicts import Conflict
from roadstead.identity.directory import (
    MAX_GROUPS,
    AccessToken,
    AttemptKey,
    Counts,
    DeletedProject,
    Failures,
    HeldRole,
    Identity,
    Member,
    MemberGroup,
    Patterns,
    Profile,
    Project,
    RefreshToken,
    Role,
    Session,
    User,
    UserName,
    limited_roles,
    whole_roles,
)
from roadstead.identity.groups import MAX_ADMIN_GROUPS, Group, GroupKey, TooManyMembers
from roadstead.identity.lists import ListedProject, ListedUser
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import DueWarning, Robot, UnknownRobot, warn_at
from roadstead.identity.sign_in.attempts import LoginLock
from roadstead.identity.stores import TooManyGroups, UnknownGroup, UnknownProject, UnknownUser
from roadstead.ids import IdKind, clock_id
from roadstead.names import ProjectName
from roadstead.trail.entries import Event


class MemoryIdentities:
    """All roles of an identity store. `events` are what the changes left, in their order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[UserName, User] = {}
        self._projects: dict[ProjectName, Project] = {}
        self._deleted: dict[ProjectName, DeletedProject] = {}
        self._members: dict[tuple[ProjectName, UserName], Member] = {}
        self._ids: dict[tuple[IdKind, int], str] = {}
        self._refresh_tokens: dict[tuple[UserName, str], RefreshToken] = {}
        self._access_tokens: dict[tuple[UserName, str], AccessToken] = {}
        self._sessions: dict[tuple[UserName, str], Session] = {}
        self._flagged: set[UserName] = set()  # administrators by their own flag
        self._subjects: dict[tuple[str, str], UserName] = {}
        self._failures: dict[AttemptKey, dict[str, Failures]] = {}
        self._groups: dict[int, Group] = {}
        self._group_members: dict[int, set[UserName]] = {}
        self._member_groups: dict[tuple[ProjectName, int], MemberGroup] = {}
        self._robots: dict[RobotName, Robot] = {}
        self._due: set[DueWarning] = set()
        self._locks: set[LoginLock] = set()
        self.events: list[Event] = []

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
        with self._lock:
            projects = tuple(projects)
            if robot is not None and robot.project is not None:
                projects = (*projects, robot.project)
            found = {name: self._projects[name] for name in projects if name in self._projects}
            failed = {key: dict(self._failures[key]) for key in attempts if key in self._failures}
            if user is None:
                known = self._robots.get(robot) if robot is not None else None
                return Identity(projects=found, robot=known, attempts=failed)
            held = {name: self._held(name, user) for name in projects}
            return Identity(
                user=self._as_read(user),
                refresh_token=self._refresh_tokens.get((user, refresh_token)) if refresh_token is not None else None,
                session=self._sessions.get((user, session)) if session is not None else None,
                access_token=self._access_tokens.get((user, access_token)) if access_token is not None else None,
                projects=found,
                roles=whole_roles(held),
                limited_roles=limited_roles(held),
                attempts=failed,
            )

    def count_failure(self, key: AttemptKey, places: Iterable[str], *, at: int, expires: int) -> Counts:
        with self._lock:
            counts = self._failures.setdefault(key, {})
            for place in places:
                old = counts.get(place, Failures(0, 0))
                counts[place] = Failures(old.count + 1, at, old.last, old.until)
            return dict(counts)

    def lock(self, key: AttemptKey, place: str, lock: LoginLock) -> None:
        with self._lock:
            self._failures[key][place] = replace(self._failures[key][place], until=lock.until)
            self._locks.add(lock)

    def noted_locks(self, after: int, most: int) -> list[LoginLock]:
        with self._lock:
            return sorted((one for one in self._locks if one.until > after), key=lambda one: one.until)[:most]

    def forget_failures(self, keys: Iterable[AttemptKey], *, event: Event | None = None) -> None:
        with self._lock:
            for key in keys:
                self._failures.pop(key, None)
            self._tell(event)

    def refresh_tokens(self, user: UserName) -> list[RefreshToken]:
        with self._lock:
            return [token for token in self._refresh_tokens.values() if token.user == user]

    def extend_refresh_token(self, user: UserName, hash_: str, expires: int) -> None:
        with self._lock:
            if (user, hash_) not in self._refresh_tokens:
                raise Conflict(hash_)
            self._refresh_tokens[user, hash_] = replace(self._refresh_tokens[user, hash_], expires=expires)

    def store_refresh_token(self, token: RefreshToken, surplus: Iterable[str] = ()) -> None:
        with self._lock:
            self._refresh_tokens[token.user, token.hash] = token
            for hash_ in surplus:
                self._refresh_tokens.pop((token.user, hash_), None)

    def access_tokens(self, user: UserName) -> list[AccessToken]:
        with self._lock:
            return [token for token in self._access_tokens.values() if token.user == user]

    def store_access_token(self, token: AccessToken, *, event: Event | None = None) -> None:
        with self._lock:
            if self._user(token.user).id != token.user_id:
                raise UnknownUser(token.user)
            self._access_tokens[token.user, token.hash] = token
            self._tell(event)

    def set_access_token_used(self, token: AccessToken, at: int) -> None:
        with self._lock:
            found = self._access_tokens.get((token.user, token.hash))
            if found is None or found.used >= at:
                raise Conflict(token.id)
            self._access_tokens[token.user, token.hash] = replace(found, used=at)

    def remove_access_tokens(self, tokens: Iterable[AccessToken], *, event: Event | None = None) -> None:
        with self._lock:
            for token in tokens:
                self._access_tokens.pop((token.user, token.hash), None)
            self._tell(event)

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

    def remove_sessions(self, sessions: Iterable[Session], *, event: Event) -> None:
        with self._lock:
            for session in sessions:
                self._sessions.pop((session.user, session.hash), None)
            self._tell(event)

    def sessions(self, user: UserName) -> list[Session]:
        with self._lock:
            return [session for session in self._sessions.values() if session.user == user]

    def find_user(self, name: UserName) -> User | None:
        with self._lock:
            return self._users.get(name)

    def create_user(self, user: User, *, event: Event | None = None) -> User:
        with self._lock:
            if user.name in self._users:
                raise Conflict(user.name)
            if user.subject:
                if (user.provider, user.subject) in self._subjects:
                    raise Conflict(user.subject)
                self._subjects[user.provider, user.subject] = user.name
            id_ = self._claim(IdKind.USER, user.id or clock_id(user.created), user.name)
            self._users[user.name] = replace(user, id=id_)
            if user.admin and not user.admin_by_provider:
                self._flagged.add(user.name)
            self._tell(event)
            return self._users[user.name]

    def find_subject(self, provider: str, subject: str) -> UserName | None:
        with self._lock:
            return self._subjects.get((provider, subject))

    def confirm_user(
        self, name: UserName, groups: Iterable[int], *, admin: bool, at: int, event: Event | None = None
    ) -> None:
        with self._lock:
            ordered = tuple(sorted(set(groups)))
            if len(ordered) > MAX_GROUPS:
                raise TooManyGroups(name)
            user, flagged = self._user(name), name in self._flagged
            self._users[name] = replace(
                user, groups=ordered, admin=flagged or admin, admin_by_provider=admin, confirmed=at
            )
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
            user = self._user(name)
            self._users[name] = replace(user, admin=admin or user.admin_by_provider)
            (self._flagged.add if admin else self._flagged.discard)(name)
            self._tell(event)

    def set_disabled(self, name: UserName, disabled: bool, *, event: Event | None = None) -> None:
        with self._lock:
            user = self._user(name)
            self._users[name] = replace(user, disabled=disabled, epoch=user.epoch + int(disabled))
            self._tell(event)

    def set_profile(self, name: UserName, profile: Profile, *, event: Event | None = None) -> None:
        with self._lock:
            self._users[name] = replace(self._user(name), profile=profile)
            self._tell(event)

    def remove_user(self, name: UserName, *, event: Event | None = None) -> None:
        with self._lock:
            user = self._user(name)
            del self._users[name]
            self._flagged.discard(name)
            self._subjects.pop((user.provider, user.subject), None)
            self._members = {key: one for key, one in self._members.items() if key[1] != name}
            self._sessions = {key: one for key, one in self._sessions.items() if key[0] != name}
            self._refresh_tokens = {key: one for key, one in self._refresh_tokens.items() if key[0] != name}
            self._access_tokens = {key: one for key, one in self._access_tokens.items() if key[0] != name}
            for members in self._group_members.values():
                members.discard(name)
            self._tell(event)

    def set_groups(self, name: UserName, groups: Iterable[int]) -> None:
        with self._lock:
            ordered = tuple(sorted(set(groups)))
            if len(ordered) > MAX_GROUPS:
                raise TooManyGroups(name)
            self._users[name] = replace(self._user(name), groups=ordered)

    def find_project(self, name: ProjectName) -> Project | None:
        with self._lock:
            return self._projects.get(name)

    def create_project(self, project: Project, *, event: Event | None = None) -> Project:
        with self._lock:
            gone = self._deleted.get(project.name)
            if project.name in self._projects or (gone is not None and not gone.cleared):
                raise Conflict(project.name)
            id_ = self._claim(IdKind.PROJECT, project.id or clock_id(project.created), project.name)
            self._projects[project.name] = replace(project, id=id_, groups={})
            self._tell(event)
            return self._projects[project.name]

    def delete_project(self, project: Project, *, at: int, event: Event | None = None) -> None:
        with self._lock:
            found = self._projects.get(project.name)
            if found is None or found.id != project.id:
                raise Conflict(project.name)
            del self._projects[project.name]
            self._deleted[project.name] = DeletedProject(project.id, at, cleared=False)
            self._tell(event)

    def find_deleted_project(self, name: ProjectName) -> DeletedProject | None:
        with self._lock:
            return self._deleted.get(name)

    def clear_members(self, name: ProjectName) -> None:
        with self._lock:
            if name in self._projects:
                raise Conflict(name)
            self._members = {key: one for key, one in self._members.items() if key[0] != name}
            self._member_groups = {key: one for key, one in self._member_groups.items() if key[0] != name}

    def set_project_cleared(self, name: ProjectName, *, at: int) -> None:
        with self._lock:
            gone = self._deleted.get(name)
            if gone is not None and gone.at == at:
                self._deleted[name] = replace(gone, cleared=True)

    def set_public(self, name: ProjectName, public: bool, *, event: Event | None = None) -> None:
        with self._lock:
            self._projects[name] = replace(self._project(name), public=public)
            self._tell(event)

    def change_project(self, project: Project, *, replaces: Project, event: Event | None = None) -> None:
        with self._lock:
            found = self._projects.get(project.name)
            was = (replaces.id, replaces.public, replaces.metadata)
            if found is None or (found.id, found.public, found.metadata) != was:
                raise Conflict(project.name)
            self._projects[project.name] = replace(found, public=project.public, metadata=dict(project.metadata))
            self._tell(event)

    def set_member(
        self,
        project: ProjectName,
        user: UserName,
        role: Role,
        *,
        at: int = 0,
        patterns: Patterns | None = None,
        event: Event | None = None,
    ) -> Member:
        with self._lock:
            self._project(project)
            self._user(user)
            found = self._members.get((project, user))
            if found is None:
                found = Member(project, user, role, self._claim(IdKind.MEMBER, clock_id(at), f"{project}/{user}"), at)
            own = found.patterns if patterns is None else patterns
            self._members[project, user] = replace(found, role=role, patterns=own)
            self._tell(event)
            return self._members[project, user]

    def remove_member(self, project: ProjectName, user: UserName, *, event: Event | None = None) -> None:
        with self._lock:
            if self._members.pop((project, user), None) is not None:
                self._tell(event)

    def set_group_role(
        self,
        project: ProjectName,
        group: int,
        role: Role,
        *,
        at: int = 0,
        patterns: Patterns | None = None,
        event: Event | None = None,
    ) -> MemberGroup:
        with self._lock:
            groups = dict(self._project(project).groups)
            if group not in self._groups:
                raise UnknownGroup(group)
            if group not in groups and len(groups) >= MAX_GROUPS:
                raise TooManyGroups(project)
            found = self._member_groups.get((project, group))
            if found is None:
                id_ = self._claim(IdKind.MEMBER, clock_id(at), f"{project}/group:{group}")
                found = MemberGroup(project, group, role, id_, at)
            own = found.patterns if patterns is None else patterns
            self._member_groups[project, group] = replace(found, role=role, patterns=own)
            limits = {id_: some for id_, some in self._project(project).group_patterns.items() if id_ != group}
            self._projects[project] = replace(
                self._project(project),
                groups={**groups, group: role},
                group_patterns={**limits, group: own} if own else limits,
            )
            self._tell(event)
            return self._member_groups[project, group]

    def remove_group_role(self, project: ProjectName, group: int, *, event: Event | None = None) -> None:
        with self._lock:
            groups = dict(self._project(project).groups)
            if groups.pop(group, None) is not None:
                self._projects[project] = replace(self._project(project), groups=groups)
                del self._member_groups[project, group]
                self._tell(event)

    # Groups

    def list_groups(self) -> tuple[Group, ...]:
        with self._lock:
            return tuple(sorted(self._groups.values(), key=lambda group: group.key))

    def find_groups(self, keys: Iterable[GroupKey]) -> Mapping[GroupKey, Group]:
        with self._lock:
            wanted = set(keys)
            return {group.key: group for group in self._groups.values() if group.key in wanted}

    def find_group(self, id_: int) -> Group | None:
        with self._lock:
            return self._groups.get(id_)

    def create_group(self, group: Group, *, event: Event | None = None) -> Group:
        with self._lock:
            self._check_free(group.key)
            id_ = self._claim(IdKind.GROUP, group.id or clock_id(group.created), f"{group.kind}#{group.key.text}")
            self._groups[id_] = replace(group, id=id_)
            self._tell(event)
            return self._groups[id_]

    def rename_group(self, group: Group, name: str, *, event: Event | None = None) -> Group:
        with self._lock:
            renamed = replace(self._group(group), name=name)
            if renamed.key != group.key:
                self._check_free(renamed.key)
            self._groups[group.id] = renamed
            self._tell(event)
            return renamed

    def set_group_admin(self, group: Group, admin: bool, *, event: Event | None = None) -> None:
        with self._lock:
            found = self._group(group)
            if admin and not found.admin and sum(one.admin for one in self._groups.values()) >= MAX_ADMIN_GROUPS:
                raise TooManyMembers(group.name)
            self._groups[group.id] = replace(found, admin=admin)
            self._tell(event)

    def remove_group(self, group: Group, *, event: Event | None = None) -> None:
        with self._lock:
            if self._groups.pop(group.id, None) is None:
                return
            for name, project in self._projects.items():
                held = {id_: role for id_, role in project.groups.items() if id_ != group.id}
                self._projects[name] = replace(project, groups=held)
                self._member_groups.pop((name, group.id), None)
            for user in self._group_members.pop(group.id, set()):
                self._leave(user, group.id)
            self._tell(event)

    def add_group_member(self, group: Group, user: UserName, *, event: Event | None = None) -> bool:
        with self._lock:
            self._group(group)
            found = self._user(user)
            members = self._group_members.setdefault(group.id, set())
            if user in members:
                return False
            if len(found.local_groups) >= MAX_GROUPS:
                raise TooManyGroups(user)
            members.add(user)
            self._users[user] = replace(found, local_groups=tuple(sorted({*found.local_groups, group.id})))
            self._tell(event)
            return True

    def remove_group_member(self, group: Group, user: UserName, *, event: Event | None = None) -> bool:
        with self._lock:
            members = self._group_members.get(group.id, set())
            if user not in members:
                return False
            members.remove(user)
            self._leave(user, group.id)
            self._tell(event)
            return True

    def list_group_members(self, group: int) -> tuple[UserName, ...]:
        with self._lock:
            return tuple(sorted(self._group_members.get(group, ())))

    def _leave(self, user: UserName, group: int) -> None:
        if user in self._users:
            found = self._users[user]
            left = tuple(id_ for id_ in found.local_groups if id_ != group)
            self._users[user] = replace(found, local_groups=left)

    def _check_free(self, key: GroupKey) -> None:
        if any(group.key == key for group in self._groups.values()):
            raise Conflict(key.text)

    def _group(self, group: Group) -> Group:
        if group.id not in self._groups:
            raise UnknownGroup(group.name)
        return self._groups[group.id]

    # Robots

    def find_robot(self, name: RobotName) -> Robot | None:
        with self._lock:
            return self._robots.get(name)

    def list_robots(self, project: ProjectName | None) -> tuple[Robot, ...]:
        with self._lock:
            found = [robot for robot in self._robots.values() if robot.name.project == project]
            return tuple(sorted(found, key=lambda robot: robot.name.name))

    def create_robot(self, robot: Robot, *, event: Event | None = None) -> Robot:
        with self._lock:
            if robot.name.project is not None and self._project(robot.name.project).id != robot.project_id:
                raise UnknownProject(robot.name.project)
            found = self._robots.get(robot.name)
            if found is not None and found.project_id == robot.project_id:
                raise Conflict(robot.name)
            id_ = self._claim(IdKind.ROBOT, robot.id or clock_id(robot.created), robot.name.local)
            self._robots[robot.name] = replace(robot, id=id_)
            self._note(self._robots[robot.name])
            self._tell(event)
            return self._robots[robot.name]

    def update_robot(self, robot: Robot, *, event: Event | None = None) -> None:
        with self._lock:
            self._robots[robot.name] = replace(
                self._robot(robot),
                grants=robot.grants,
                description=robot.description,
                duration=robot.duration,
                disabled=robot.disabled,
                updated=robot.updated,
            )
            self._note(robot)
            self._tell(event)

    def set_robot_trust(self, robot: Robot, *, event: Event | None = None) -> None:
        with self._lock:
            self._robots[robot.name] = replace(self._robot(robot), trust=robot.trust)
            self._tell(event)

    def set_robot_secret(self, robot: Robot, secret: str, *, event: Event | None = None) -> None:
        with self._lock:
            self._robots[robot.name] = replace(self._robot(robot), secret=secret)
            self._tell(event)

    def set_robot_warned(self, robot: Robot, *, event: Event | None = None) -> None:
        with self._lock:
            found = self._robots.get(robot.name)
            if found is None or found.id != robot.id or found.warned == robot.expires:
                raise Conflict(robot.name)
            self._robots[robot.name] = replace(found, warned=robot.expires)
            self._tell(event)

    def due_warnings(self, before: int, most: int) -> tuple[DueWarning, ...]:
        with self._lock:
            found = sorted((due for due in self._due if due.at <= before), key=lambda due: (due.at, str(due.id)))
            return tuple(found[:most])

    def expiring(self, since: int, until: int, most: int) -> tuple[tuple[Robot, ...], bool]:
        with self._lock:
            found = [one for one in self._robots.values() if not one.disabled and since <= one.expires <= until]
            return tuple(sorted(found, key=lambda one: (one.expires, str(one.id)))[:most]), len(found) > most

    def forget_warning(self, due: DueWarning) -> None:
        with self._lock:
            self._due.discard(due)

    def _note(self, robot: Robot) -> None:
        at = warn_at(robot)
        if at is not None:
            self._due.add(DueWarning(at, robot.name, robot.id))

    def remove_robot(self, robot: Robot, *, event: Event | None = None) -> None:
        with self._lock:
            found = self._robots.get(robot.name)
            if found is not None and found.id == robot.id:
                del self._robots[robot.name]
                self._tell(event)

    # Lists

    def list_projects(self) -> tuple[ListedProject, ...]:
        with self._lock:
            return tuple(
                ListedProject(one.name, one.id, one.public, one.created, one.created_by, one.metadata)
                for _, one in sorted(self._projects.items())
            )

    def list_users(self) -> tuple[ListedUser, ...]:
        with self._lock:
            return tuple(
                ListedUser(one.name, one.id, one.admin, one.disabled, one.created, one.profile, one.admin_by_provider)
                for _, one in sorted(self._users.items())
            )

    def list_members(self, project: ProjectName) -> tuple[Member, ...]:
        with self._lock:
            return tuple(member for key, member in sorted(self._members.items()) if key[0] == project)

    def list_member_groups(self, project: ProjectName) -> tuple[MemberGroup, ...]:
        with self._lock:
            found = [member for member in self._member_groups.values() if member.project == project]
            return tuple(sorted(found, key=lambda member: str(member.group)))

    def list_memberships(self, user: UserName) -> Mapping[ProjectName, HeldRole]:
        with self._lock:
            members = sorted(self._members.items())
            return {key[0]: HeldRole(one.role, one.patterns) for key, one in members if key[1] == user}

    def list_group_roles(self, group: int) -> Mapping[ProjectName, HeldRole]:
        with self._lock:
            return {
                name: HeldRole(one.groups[group], one.group_patterns.get(group, ()))
                for name, one in sorted(self._projects.items())
                if group in one.groups
            }

    def find_by_id(self, kind: IdKind, id_: int) -> str | None:
        with self._lock:
            return self._ids.get((kind, id_))

    def _claim(self, kind: IdKind, wanted: int, name: str) -> int:
        if (kind, wanted) in self._ids:
            wanted = max(id_ for one, id_ in self._ids if one is kind) + 1
        self._ids[kind, wanted] = name
        return wanted

    def _held(self, project: ProjectName, user: UserName) -> list[HeldRole]:
        member = self._members.get((project, user))
        roles = [HeldRole(member.role, member.patterns)] if member is not None else []
        if user in self._users and project in self._projects:
            known = self._projects[project]
            roles += [
                HeldRole(known.groups[group], known.group_patterns.get(group, ()))
                for group in self._users[user].all_groups
                if group in known.groups
            ]
        return roles

    def _as_read(self, name: UserName) -> User | None:
        user = self._users.get(name)
        if user is None or not any(id_ in self._groups and self._groups[id_].admin for id_ in user.all_groups):
            return user
        return replace(user, admin=True, admin_by_group=not user.admin)

    def _tell(self, event: Event | None) -> None:
        if event is not None:
            self.events.append(event)

    def _robot(self, robot: Robot) -> Robot:
        found = self._robots.get(robot.name)
        if found is None or found.id != robot.id:
            raise UnknownRobot(robot.name)
        return found

    def _user(self, name: UserName) -> User:
        if name not in self._users:
            raise UnknownUser(name)
        return self._users[name]

    def _project(self, name: ProjectName) -> Project:
        if name not in self._projects:
            raise UnknownProject(name)
        return self._projects[name]
