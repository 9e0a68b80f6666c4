"""Rights in a project and on its repositories, limited by patterns or not."""

from __future__ import annotations

import pytest

from roadstead.identity.directory import HeldRole, Identity, Project, Role, User, UserName
from roadstead.identity.limits import check_patterns, matches_any
from roadstead.identity.permissions import Permission
from roadstead.identity.rights import permissions_in, permissions_on, sees
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import NEVER, Robot, RobotGrant, Scope
from roadstead.identity.roles import PERMISSIONS
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import ActorKind

SHIPS = ProjectName("ships")
OURS, OTHERS = RepositoryName("ships/team-a/web"), RepositoryName("ships/team-b/web")
ADA = User(UserName("ada"), "phc", 1)


def permissions(*texts: str) -> frozenset[Permission]:
    return frozenset(Permission.parse(*text.split(":")) for text in texts)


def caller(*limited: HeldRole, role: Role | None = None, public: bool = False) -> Identity:
    projects = {SHIPS: Project(SHIPS, public, 1, "root", 7)}
    roles = {SHIPS: role} if role else {}
    return Identity(ADA, projects=projects, roles=roles, limited_roles={SHIPS: limited} if limited else {})


@pytest.mark.parametrize(
    ("pattern", "repository", "matched"),
    [
        ("team-a/**", "ships/team-a/web", True),
        ("team-a/*", "ships/team-a/web", True),
        ("team-a/*", "ships/team-a/web/x", False),
        ("**", "ships/team-b/web", True),
        ("{team-a,team-b}/web", "ships/team-b/web", True),
        ("ships/team-a/**", "ships/team-a/web", False),  # a pattern has no project
        ("web", "ships/web", True),
    ],
)
def test_a_pattern_is_matched_without_the_project(pattern: str, repository: str, matched: bool) -> None:
    assert matches_any((pattern,), RepositoryName(repository)) is matched


@pytest.mark.parametrize(
    "patterns", [["a b"], ["{a"], ["x" * 257], ["x" * 200, "y" * 200, "z" * 200], list("abcdefghijk")]
)
def test_patterns_that_are_none_or_too_many_are_refused(patterns: list[str]) -> None:
    with pytest.raises(ValueError, match=r"pattern|braces"):
        check_patterns(patterns)


def test_a_limited_role_counts_on_repositories_that_match() -> None:
    limited = caller(HeldRole(Role.MAINTAINER, ("team-a/**",)))
    assert permissions_on(OURS, limited) == PERMISSIONS[Role.MAINTAINER]
    assert permissions_on(OTHERS, limited) == permissions(
        "project:read", "quota:read", "configuration:read", "label:read", "label:list"
    )


def test_a_limited_role_sees_the_project_and_administers_nothing_of_it() -> None:
    limited = caller(HeldRole(Role.ADMIN, ("team-a/**",)))
    assert permissions_in(SHIPS, limited) == permissions(
        "project:read", "quota:read", "configuration:read", "label:read", "label:list", "repository:list"
    )
    assert sees(OURS, limited) and not sees(OTHERS, limited)


def test_the_strongest_matching_role_counts() -> None:
    both = caller(HeldRole(Role.DEVELOPER, ("team-a/**",)), HeldRole(Role.GUEST, ("**",)), role=Role.LIMITED_GUEST)
    assert permissions_on(OURS, both) >= PERMISSIONS[Role.DEVELOPER]
    assert permissions_on(OTHERS, both) == PERMISSIONS[Role.GUEST] | PERMISSIONS[Role.LIMITED_GUEST]
    assert permissions_in(SHIPS, both) >= PERMISSIONS[Role.LIMITED_GUEST]


def test_everybody_sees_and_pulls_what_is_public_whatever_limits_them() -> None:
    limited = caller(HeldRole(Role.DEVELOPER, ("team-a/**",)), public=True)
    assert sees(OTHERS, limited)
    assert permissions("repository:pull", "repository:list") <= permissions_on(OTHERS, limited)
    assert not permissions("repository:push") <= permissions_on(OTHERS, limited)


def test_a_robots_limited_permissions_count_on_repositories_that_match() -> None:
    grants = (
        RobotGrant(Scope.PROJECT, permissions("repository:push", "robot:create"), SHIPS, 7, ("team-a/**",)),
        RobotGrant(Scope.PROJECT, permissions("repository:list"), None, 0),
    )
    robot = Robot(RobotName(None, "ci"), 0, "", grants, 1, NEVER, "root", ActorKind.USER, 1)
    found = Identity(robot=robot, projects={SHIPS: Project(SHIPS, False, 1, "root", 7)})
    assert permissions_in(SHIPS, found) == permissions("repository:list")
    assert permissions_on(OURS, found) >= permissions("repository:list", "repository:push", "repository:pull")
    assert permissions_on(OTHERS, found) == permissions("repository:list")
    again = Identity(robot=robot, projects={SHIPS: Project(SHIPS, False, 1, "root", 8)})
    assert permissions_on(OURS, again) == permissions("repository:list")
