"""Tokens of robots: who gets one, what it grants, and what it leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.configuration_keys import KEYS
from roadstead.identity.permissions import Permission
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import DAY, NEVER, Robot, RobotGrant, Scope, generated_hash
from roadstead.identity.sign_in.attempts import TooManyAttempts
from roadstead.identity.sign_in.ways_in import Password, RobotSecret, parse_credentials
from roadstead.identity.tokens.tokens import Reason, TokenRefused
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, ActorKind, Operation
from roadstead.trail.events import EventMaker
from tests.memory.configuration import MemoryConfiguration
from tests.unit.identity.parts import NOON, PASSWORD, Harbour

SHIPS = ProjectName("ships")
SECRET = "Xk3-generated"
CI = parse_credentials("robot$ships+ci", SECRET, lambda: "robot$")
ALL = "repository:ships/a:pull,push,delete"


def permissions(*texts: str) -> frozenset[Permission]:
    return frozenset(Permission.parse(*text.split(":")) for text in texts)


@pytest.fixture
def harbour() -> Harbour:
    harbour = Harbour()
    harbour.accounts.create_project("ships")
    harbour.accounts.create_project("open", public=True)
    harbour.accounts.create_project("cargo")
    return harbour


def add(harbour: Harbour, *texts: str, project: str | None = "ships", duration: int = NEVER, secret: str = "") -> Robot:
    """A robot `ci` of the project, or of the system with its permissions in all projects."""
    owner = harbour.accounts.find_project(project) if project else None
    return harbour.store.create_robot(
        Robot(
            name=RobotName(owner.name if owner else None, "ci"),
            project_id=owner.id if owner else 0,
            secret=secret or generated_hash(SECRET),
            grants=(
                RobotGrant(
                    Scope.PROJECT,
                    permissions(*texts),
                    owner.name if owner else None,
                    owner.id if owner else 0,
                ),
            ),
            created=NOON,
            duration=duration,
            creator="root",
            creator_kind=ActorKind.USER,
            creator_id=1,
        )
    )


def refused(harbour: Harbour, credentials: object = CI) -> str:
    with pytest.raises(TokenRefused) as caught:
        harbour.issue(credentials)  # type: ignore[arg-type]
    assert caught.value.reason is Reason.INVALID_GRANT
    return str(caught.value)


def test_a_robots_name_is_recognised_before_any_password_is_checked() -> None:
    assert RobotSecret("robot$ships+ci", RobotName(SHIPS, "ci"), SECRET) == CI
    assert parse_credentials("robot$Nobody", "x", lambda: "robot$") == RobotSecret("robot$Nobody", None, "x")
    assert parse_credentials("robot", "x", lambda: "robot$") == Password("robot", "x")


@pytest.mark.parametrize("prefix", ["robot$", "!", "ci*", "R2~", "a^b"])
def test_every_prefix_that_the_configuration_takes_is_recognised(prefix: str) -> None:
    assert KEYS["robot_name_prefix"].check(prefix) is None
    found = parse_credentials(f"{prefix}ships+ci", "x", lambda: prefix)
    assert found == RobotSecret(f"{prefix}ships+ci", RobotName(SHIPS, "ci"), "x")


@pytest.mark.parametrize(
    ("access", "scopes"),
    [
        (["repository:pull"], "pull"),
        (["repository:pull", "repository:push"], "pull,push"),
        (["repository:push"], "pull,push"),
        (["artifact:delete"], "delete"),
        (["repository:delete", "artifact:read", "tag:delete"], ""),
    ],
)
def test_scopes_come_from_pull_push_and_deleting_artifacts(harbour: Harbour, access: list[str], scopes: str) -> None:
    kept = add(harbour, *access)
    caller = harbour.caller(CI, ALL)
    assert [granted.scope() for granted in caller.granted.access] == [f"repository:ships/a:{scopes}"]
    assert (caller.subject, caller.kind, caller.subject_id) == ("robot$ships+ci", ActorKind.ROBOT, kept.id)


def test_a_robot_pulls_from_public_projects_and_gets_nothing_in_others(harbour: Harbour) -> None:
    add(harbour, "repository:push")
    scopes = ("repository:open/a:pull,push", "repository:cargo/a:pull", "repository:absent/a:push")
    assert harbour.granted(CI, *scopes) == {"open/a": {"pull"}, "cargo/a": set(), "absent/a": set()}


def test_a_system_robot_gets_what_it_may_in_every_project(harbour: Harbour) -> None:
    add(harbour, "repository:pull", project=None)
    robot = parse_credentials("robot$ci", SECRET, lambda: "robot$")
    scopes = ("repository:ships/a:pull,push", "repository:cargo/b:pull", "repository:absent/a:pull")
    assert harbour.granted(robot, *scopes) == {"ships/a": {"pull"}, "cargo/b": {"pull"}, "absent/a": set()}


def test_a_robot_lists_the_catalog_with_that_permission_only(harbour: Harbour) -> None:
    kept = add(harbour, "repository:pull", project=None)
    robot = parse_credentials("robot$ci", SECRET, lambda: "robot$")
    assert harbour.granted(robot, "registry:catalog:*") == {"catalog": set()}
    reads = RobotGrant(Scope.SYSTEM, permissions("catalog:read"))
    harbour.store.update_robot(replace(kept, grants=(*kept.grants, reads)))
    assert harbour.granted(robot, "registry:catalog:*") == {"catalog": {"*"}}


def test_a_generated_secret_costs_no_password_hash(harbour: Harbour) -> None:
    add(harbour, "repository:pull")
    harbour.issue(CI)
    refused(harbour, RobotSecret("robot$ships+ci", RobotName(SHIPS, "ci"), "wrong"))
    refused(harbour, RobotSecret("robot$ships+absent", RobotName(SHIPS, "absent"), SECRET))
    refused(harbour, RobotSecret("robot$X", None, SECRET))
    assert harbour.hasher.verified == []


def test_a_chosen_secret_is_checked_as_a_password_is(harbour: Harbour) -> None:
    add(harbour, "repository:pull", secret=harbour.hasher.hash("Harbor12345"))
    chosen = RobotSecret("robot$ships+ci", RobotName(SHIPS, "ci"), "Harbor12345")
    harbour.issue(chosen)
    harbour.issue(chosen)
    assert len(harbour.hasher.verified) == 1
    refused(harbour, RobotSecret("robot$ships+ci", RobotName(SHIPS, "ci"), "Harbor12346"))
    assert len(harbour.hasher.verified) == 2


@pytest.mark.parametrize("wrong", ["Harbor12346", "x" * 43])
def test_guesses_at_a_chosen_secret_are_counted_and_lock(harbour: Harbour, wrong: str) -> None:
    add(harbour, "repository:pull", secret=harbour.hasher.hash("Harbor12345"))
    robot = RobotName(SHIPS, "ci")
    for _ in range(50):  # from an unknown address
        refused(harbour, RobotSecret("robot$ships+ci", robot, wrong))
    for credentials in (
        RobotSecret("robot$ships+ci", robot, wrong),
        RobotSecret("robot$ships+ci", robot, "Harbor12345"),
    ):
        with pytest.raises(TooManyAttempts):
            harbour.issue(credentials)
    harbour.clock.now += 60
    harbour.issue(RobotSecret("robot$ships+ci", robot, "Harbor12345"))


def test_guesses_at_a_generated_secret_are_not_counted(harbour: Harbour) -> None:
    add(harbour, "repository:pull")
    for guess in ("x", "x" * 43):
        for _ in range(200):
            refused(harbour, RobotSecret("robot$ships+ci", RobotName(SHIPS, "ci"), guess))
    harbour.issue(CI)


def test_a_robot_and_a_user_never_take_each_others_place(harbour: Harbour) -> None:
    harbour.accounts.create_user("ci", PASSWORD)
    add(harbour, "repository:pull", project=None)
    refused(harbour, Password("ci", SECRET))
    refused(harbour, parse_credentials("robot$ci", PASSWORD, lambda: "robot$"))


def test_a_disabled_robot_gets_no_token_until_it_is_enabled(harbour: Harbour) -> None:
    kept = add(harbour, "repository:pull")
    harbour.store.update_robot(replace(kept, disabled=True))
    assert refused(harbour) == "the robot is disabled"
    assert "secret is wrong" in refused(harbour, RobotSecret("robot$ships+ci", RobotName(SHIPS, "ci"), "wrong"))
    harbour.store.update_robot(kept)
    harbour.issue(CI)


def test_an_expired_robot_gets_no_token(harbour: Harbour) -> None:
    add(harbour, "repository:pull", duration=1)
    harbour.clock.now = NOON + DAY - 1
    harbour.issue(CI)
    harbour.clock.now = NOON + DAY
    assert "expired" in refused(harbour)


def test_a_removed_robot_gets_no_token(harbour: Harbour) -> None:
    harbour.store.remove_robot(add(harbour, "repository:pull"))
    refused(harbour)


def test_a_robot_ends_with_its_project_and_is_not_inherited_by_the_next_one(harbour: Harbour) -> None:
    add(harbour, "repository:pull")
    created = harbour.store._projects.pop(SHIPS)
    assert "project was deleted" in refused(harbour)
    harbour.accounts.create_project("ships")
    assert harbour.store._projects[SHIPS].id != created.id
    assert "project was deleted" in refused(harbour)


def test_a_new_secret_ends_the_old_one(harbour: Harbour) -> None:
    kept = add(harbour, "repository:pull")
    harbour.store.set_robot_secret(kept, generated_hash("another"))
    refused(harbour)
    harbour.issue(RobotSecret("robot$ships+ci", kept.name, "another"))


def test_a_robot_gets_no_refresh_token(harbour: Harbour) -> None:
    add(harbour, "repository:pull")
    assert harbour.issue(CI, offline=True).refresh_token is None


def test_another_prefix_renames_every_robot_within_a_minute(harbour: Harbour) -> None:
    add(harbour, "repository:pull")
    stored = MemoryConfiguration([])
    harbour.tokens._configuration = ConfigurationReader(stored, clock=harbour.clock)
    assert harbour.tokens.credentials("robot$ships+ci", SECRET) == CI
    change = EventMaker(harbour.clock).make(Operation.CHANGE_CONFIGURATION, Actor("root"), "")
    stored.put_configuration({"robot_name_prefix": "bot!"}, replaces=0, event=change)
    harbour.clock.now += 60
    renamed = harbour.tokens.credentials("bot!ships+ci", SECRET)
    assert harbour.caller(renamed).subject == "bot!ships+ci"
    assert harbour.tokens.credentials("robot$ships+ci", SECRET) == Password("robot$ships+ci", SECRET)
