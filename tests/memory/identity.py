"""The identity store in memory: the reference that the contract suite holds the other one to, and what tests use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace

from roadstead.conflicts import Conflict
from roadstead.identity.directory import (
    MAX_GROUPS,
    AttemptKey,
    Counts,
    Failures,
    Identity,
    Member,
    Profile,
    Project,
    RefreshToken,
    Role,
    Session,
    TooManyGroups,
    UnknownProject,
    UnknownUser,
    User,
    UserName,
    strongest,
)
from roadstead.identity.lists import ListedProject, ListedUser
from roadstead.identity.robot_names import RobotName
from roadstead.identity.robots import Robot, UnknownRobot
from roadstead.ids import IdKind, clock_id
from roadstead.names import ProjectName
from roadstead.trail.entries import Event


class MemoryIdentities:
    """All roles of an identity store. `events` are what the changes left, in their order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[UserName, User] = {}
        self._projects: dict[ProjectName, Project] = {}
        self._members: dict[tuple[ProjectName, UserName], Member] = {}
        self._ids: dict[tuple[IdKind, int], str] = {}
        self._refresh_tokens: dict[tuple[UserName, str], RefreshToken] = {}
        self._sessions: dict[tuple[UserName, str], Session] = {}
        self._failures: dict[AttemptKey, dict[str, Failures]] = {}
        self._robots: dict[RobotName, Robot] = {}
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
            roles = {name: self._role(name, user) for name in projects}
            return Identity(
                user=self._users.get(user),
                refresh_token=self._refresh_tokens.get((user, refresh_token)) if refresh_token is not None else None,
                session=self._sessions.get((user, session)) if session is not None else None,
                projects=found,
                roles={name: role for name, role in roles.items() if role is not None},
                attempts=failed,
            )

    def count_failure(self, key: AttemptKey, places: Iterable[str], *, at: int, expires: int) -> Counts:
        with self._lock:
            counts = self._failures.setdefault(key, {})
            for place in places:
                old = counts.get(place, Failures(0, 0))
                counts[place] = Failures(old.count + 1, at, old.last, old.until)
            return dict(counts)

    def lock(self, key: AttemptKey, place: str, *, until: int) -> None:
        with self._lock:
            self._failures[key][place] = replace(self._failures[key][place], until=until)

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

    def create_user(self, user: User, *, event: Event | None = None) -> User:
        with self._lock:
            if user.name in self._users:
                raise Conflict(user.name)
            id_ = self._claim(IdKind.USER, user.id or clock_id(user.created), user.name)
            self._users[user.name] = replace(user, id=id_)
            self._tell(event)
            return self._users[user.name]

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

    def set_profile(self, name: UserName, profile: Profile, *, event: Event | None = None) -> None:
        with self._lock:
            self._users[name] = replace(self._user(name), profile=profile)
            self._tell(event)

    def remove_user(self, name: UserName, *, event: Event | None = None) -> None:
        with self._lock:
            self._user(name)
            del self._users[name]
            self._members = {key: one for key, one in self._members.items() if key[1] != name}
            self._sessions = {key: one for key, one in self._sessions.items() if key[0] != name}
            self._refresh_tokens = {key: one for key, one in self._refresh_tokens.items() if key[0] != name}
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
            if project.name in self._projects:
                raise Conflict(project.name)
            id_ = self._claim(IdKind.PROJECT, project.id or clock_id(project.created), project.name)
            self._projects[project.name] = replace(project, id=id_, groups={})
            self._tell(event)
            return self._projects[project.name]

    def set_public(self, name: ProjectName, public: bool, *, event: Event | None = None) -> None:
        with self._lock:
            self._projects[name] = replace(self._project(name), public=public)
            self._tell(event)

    def set_member(
        self, project: ProjectName, user: UserName, role: Role, *, at: int = 0, event: Event | None = None
    ) -> Member:
        with self._lock:
            self._project(project)
            self._user(user)
            found = self._members.get((project, user))
            if found is None:
                found = Member(project, user, role, self._claim(IdKind.MEMBER, clock_id(at), f"{project}/{user}"), at)
            self._members[project, user] = replace(found, role=role)
            self._tell(event)
            return self._members[project, user]

    def remove_member(self, project: ProjectName, user: UserName, *, event: Event | None = None) -> None:
        with self._lock:
            if self._members.pop((project, user), None) is not None:
                self._tell(event)

    def set_group_role(
        self, project: ProjectName, group: int, role: Role | None, *, event: Event | None = None
    ) -> None:
        with self._lock:
            groups = dict(self._project(project).groups)
            groups.pop(group, None)
            if role is not None:
                if len(groups) >= MAX_GROUPS:
                    raise TooManyGroups(project)
                groups[group] = role
            self._projects[project] = replace(self._project(project), groups=groups)
            self._tell(event)

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
                ListedProject(one.name, one.id, one.public, one.created, one.created_by)
                for _, one in sorted(self._projects.items())
            )

    def list_users(self) -> tuple[ListedUser, ...]:
        with self._lock:
            return tuple(
                ListedUser(one.name, one.id, one.admin, one.disabled, one.created, one.profile)
                for _, one in sorted(self._users.items())
            )

    def list_members(self, project: ProjectName) -> tuple[Member, ...]:
        with self._lock:
            return tuple(member for key, member in sorted(self._members.items()) if key[0] == project)

    def list_memberships(self, user: UserName) -> Mapping[ProjectName, Role]:
        with self._lock:
            return {key[0]: member.role for key, member in sorted(self._members.items()) if key[1] == user}

    def list_group_roles(self, group: int) -> Mapping[ProjectName, Role]:
        with self._lock:
            projects = sorted(self._projects.items())
            return {name: one.groups[group] for name, one in projects if group in one.groups}

    def find_by_id(self, kind: IdKind, id_: int) -> str | None:
        with self._lock:
            return self._ids.get((kind, id_))

    def _claim(self, kind: IdKind, wanted: int, name: str) -> int:
        if (kind, wanted) in self._ids:
            wanted = max(id_ for one, id_ in self._ids if one is kind) + 1
        self._ids[kind, wanted] = name
        return wanted

    def _role(self, project: ProjectName, user: UserName) -> Role | None:
        roles = [self._members[project, user].role] if (project, user) in self._members else []
        if user in self._users and project in self._projects:
            held = self._projects[project].groups
            roles += [held[group] for group in self._users[user].groups if group in held]
        return strongest(roles)

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
