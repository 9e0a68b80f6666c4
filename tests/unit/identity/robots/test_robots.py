"""Robots: their names, their secrets, when they expire, and what they may do where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.identity.permissions import Permission
from roadstead.identity.robots.robot_names import RobotName, robot_named
from roadstead.identity.robots.robots import (
    DAY,
    NEVER,
    Robot,
    RobotGrant,
    Scope,
    WeakSecret,
    check_secret,
    generated_hash,
    is_generated_secret,
    new_secret,
)
from roadstead.names import ProjectName
from roadstead.trail.entries import ActorKind

SHIPS, CARGO = ProjectName("ships"), ProjectName("cargo")
NOON = 1_800_000_000


def permissions(*texts: str) -> frozenset[Permission]:
    return frozenset(Permission.parse(*text.split(":")) for text in texts)


def robot(*grants: RobotGrant, project: ProjectName | None = SHIPS, project_id: int = 7, duration: int = 30) -> Robot:
    return Robot(
        name=RobotName(project, "ci"),
        project_id=project_id if project else 0,
        secret=generated_hash("secret"),
        grants=grants,
        created=NOON,
        duration=duration,
        creator="root",
        creator_kind=ActorKind.USER,
        creator_id=1,
        id=3,
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("robot$ci", RobotName(None, "ci")),
        ("robot$ships+ci", RobotName(SHIPS, "ci")),
        ("robot$a__b+c.d_e-f", RobotName(ProjectName("a__b"), "c.d_e-f")),
        ("robot$", None),
        ("robot$ships+", None),
        ("robot$+ci", None),
        ("robot$ships+ci+x", None),
        ("robot$CI", None),
        ("robot$a..b", None),
        ("robot$" + "x" * 65, None),
        ("robot$" + "x" * 120 + "+" + "y" * 60, None),
        ("ci", None),
        ("Robot$ci", None),
    ],
)
def test_a_name_to_sign_in_with_is_a_robots_or_not(text: str, name: RobotName | None) -> None:
    assert robot_named(text, "robot$") == name
    if name is not None:
        assert name.full("robot$") == text


def test_another_prefix_gives_every_robot_another_name() -> None:
    assert RobotName(SHIPS, "ci").full("bot#") == "bot#ships+ci"
    assert robot_named("bot#ships+ci", "bot#") == RobotName(SHIPS, "ci")
    assert robot_named("robot$ships+ci", "bot#") is None


def test_a_generated_secret_satisfies_the_rules_for_chosen_ones_and_matches_its_hash_alone() -> None:
    made = {new_secret() for _ in range(200)}
    assert len(made) == 200
    for secret in made:
        check_secret(secret)
        assert is_generated_secret(secret, generated_hash(secret))
    secret = made.pop()
    assert not is_generated_secret(secret + "x", generated_hash(secret))
    assert not is_generated_secret(generated_hash(secret), generated_hash(secret))


@pytest.mark.parametrize("secret", ["", "Aa1aaaa", "aaaaaaa1", "AAAAAAA1", "Aaaaaaaa", "Aa1" + "x" * 126])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(WeakSecret):
        check_secret(secret)


@pytest.mark.parametrize("secret", ["Harbor12", "Aa1" + "x" * 125])
def test_a_secret_of_8_to_128_characters_with_all_classes_is_accepted(secret: str) -> None:
    check_secret(secret)


def test_expiry_counts_from_the_creation() -> None:
    assert robot(duration=30).expires == NOON + 30 * DAY
    assert not robot(duration=30).has_expired(NOON + 30 * DAY - 1)
    assert robot(duration=30).has_expired(NOON + 30 * DAY)


def test_a_robot_without_a_duration_never_expires() -> None:
    forever = robot(duration=NEVER)
    assert forever.expires == NEVER
    assert not forever.has_expired(NOON * 10)


def test_a_projects_robot_may_do_something_in_its_own_project_only() -> None:
    pull = RobotGrant(Scope.PROJECT, permissions("repository:pull"), SHIPS, 7)
    everywhere = RobotGrant(Scope.PROJECT, permissions("tag:list"), None)
    found = robot(pull, everywhere)
    assert found.permissions_in(SHIPS, 7) == permissions("repository:pull", "tag:list")
    assert found.permissions_in(CARGO, 8) == frozenset()


def test_a_robot_may_do_nothing_in_a_project_that_was_created_anew() -> None:
    pull = RobotGrant(Scope.PROJECT, permissions("repository:pull"), SHIPS, 7)
    assert robot(pull).permissions_in(SHIPS, 8) == frozenset()
    assert robot(pull, project=None).permissions_in(SHIPS, 8) == frozenset()


def test_a_system_robot_may_do_what_its_grants_say_of_each_project_and_of_the_system() -> None:
    found = robot(
        RobotGrant(Scope.SYSTEM, permissions("user:list")),
        RobotGrant(Scope.PROJECT, permissions("repository:pull")),
        RobotGrant(Scope.PROJECT, permissions("tag:delete"), SHIPS, 7),
        project=None,
    )
    assert found.permissions_in(SHIPS, 7) == permissions("repository:pull", "tag:delete")
    assert found.permissions_in(CARGO, 8) == permissions("repository:pull")
    assert found.system_permissions == permissions("user:list")


def test_a_push_implies_a_pull() -> None:
    push = RobotGrant(Scope.PROJECT, permissions("repository:push"), SHIPS, 7)
    assert robot(push).permissions_in(SHIPS, 7) == permissions("repository:push", "repository:pull")


def test_no_secret_stands_in_the_text_of_a_robot() -> None:
    assert "sha256$" not in repr(replace(robot(), secret="sha256$abc"))
