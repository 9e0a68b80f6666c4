"""What is granted of what is asked for."""

from __future__ import annotations

import pytest

from roadstead.identity.access import Access, parse_scopes
from roadstead.identity.directory import Identity, Project, Role, User, UserName
from roadstead.identity.grants import Grants, grant, projects_of
from roadstead.names import ProjectName

ADA = User(UserName.parse("ada"), "phc", 1)
ROOT = User(UserName.parse("root"), "phc", 1, admin=True)
SHIPS, LIBRARY = ProjectName.parse("ships"), ProjectName.parse("library")


def identity(user: User | None = ADA, *, role: Role | None = None, public: bool = False) -> Identity:
    """A caller, and a project `ships`."""
    projects = {SHIPS: Project(SHIPS, public, 1, "root")}
    return Identity(user, None, projects, {SHIPS: role} if role else {})


def actions(scope: str, who: Identity) -> str:
    """The actions granted of one scope, comma-separated."""
    (access,) = grant(parse_scopes([scope]), who).access
    return access.scope().rpartition(":")[2]


@pytest.mark.parametrize(
    ("role", "permitted"),
    [
        (Role.GUEST, "pull"),
        (Role.DEVELOPER, "pull,push"),
        (Role.MAINTAINER, "pull,push,delete"),
        (Role.ADMIN, "pull,push,delete"),
        (None, ""),
    ],
)
def test_a_role_permits(role: Role | None, permitted: str) -> None:
    who = identity(role=role)
    assert actions("repository:ships/galleon:pull,push,delete", who) == permitted
    assert actions("repository:ships/galleon:*", who) == permitted


@pytest.mark.parametrize("user", [ADA, None], ids=["user", "nobody"])
def test_a_public_project_is_pulled_from_by_anybody(user: User | None) -> None:
    assert actions("repository:ships/galleon:*", identity(user, public=True)) == "pull"
    assert actions("repository:ships/galleon:push", identity(user, public=True)) == ""
    assert actions("repository:ships/galleon:pull", identity(user, public=False)) == ""


def test_a_role_adds_to_what_is_public() -> None:
    assert actions("repository:ships/galleon:*", identity(role=Role.DEVELOPER, public=True)) == "pull,push"


def test_a_role_without_a_user_is_none() -> None:
    assert actions("repository:ships/galleon:*", identity(None, role=Role.ADMIN)) == ""


def test_nothing_is_granted_that_was_not_asked_for() -> None:
    who = identity(ROOT)
    assert actions("repository:ships/galleon:pull", who) == "pull"
    assert actions("repository:ships/galleon:", who) == ""
    assert actions("repository:ships/galleon:pull,fly", who) == "pull"


def test_a_system_administrator_may_everything_in_every_project() -> None:
    assert actions("repository:ships/galleon:*", identity(ROOT)) == "pull,push,delete"
    assert actions("repository:elsewhere/galleon:pull", identity(ROOT)) == "pull"
    assert actions("registry:catalog:*", identity(ROOT)) == "*"


@pytest.mark.parametrize("who", [identity(role=Role.ADMIN), identity(None)], ids=["project admin", "nobody"])
def test_the_catalog_is_for_system_administrators(who: Identity) -> None:
    assert actions("registry:catalog:*", who) == ""


@pytest.mark.parametrize(
    "scope",
    [
        "registry:other:*",
        "registry:catalog:pull",
        "plugin:ships/galleon:pull",
        "repository:Ships/Galleon:pull",
        "repository:ships//galleon:pull",
        "repository:ships/../galleon:pull",
        f"repository:ships/{'x' * 250}:pull",
        "repository:host:5000/ships/galleon:pull",
    ],
)
def test_what_is_unknown_or_malformed_is_listed_with_no_actions(scope: str) -> None:
    assert actions(scope, identity(ROOT)) == ""


def test_every_resource_asked_for_is_listed_in_order() -> None:
    requested = parse_scopes(["repository:secret/a:pull repository:ships/galleon:pull", "cloud:x:rain"])
    assert grant(requested, identity(role=Role.GUEST)).access == (
        Access("repository", "secret/a", frozenset()),
        Access("repository", "ships/galleon", frozenset({"pull"})),
        Access("cloud", "x", frozenset()),
    )


def test_names_of_one_component_belong_to_the_project_library() -> None:
    who = Identity(ADA, None, {LIBRARY: Project(LIBRARY, False, 1, "")}, {LIBRARY: Role.DEVELOPER})
    assert actions("repository:hello-world:push", who) == "push"
    assert actions("repository:library/hello-world:push", who) == "push"
    assert projects_of(parse_scopes(["repository:hello-world:pull repository:library/x:pull"])) == (LIBRARY,)


def test_projects_are_named_once_and_only_those_of_repositories() -> None:
    scopes = parse_scopes(["repository:a/b:pull", "repository:a/c/d:pull", "registry:catalog:*", "repository:A:pull"])
    assert projects_of(scopes) == ("a",)


@pytest.mark.parametrize(
    ("scope", "user", "missing"),
    [
        ("repository:new/thing:pull,push", ROOT, ("new",)),
        ("repository:new/thing:*", ROOT, ()),
        ("repository:new/thing:*,push", ROOT, ("new",)),
        ("repository:thing:push", ROOT, ("library",)),
        ("repository:new/a:push repository:new/b:push", ROOT, ("new",)),
        ("repository:new/thing:pull,delete", ROOT, ()),
        ("repository:ships/thing:push", ROOT, ()),
        ("repository:New/thing:push", ROOT, ()),
        ("repository:new/thing:push", ADA, ()),
        ("repository:new/thing:push", None, ()),
    ],
)
def test_only_a_granted_push_of_a_system_administrator_misses_a_project(
    scope: str, user: User | None, missing: tuple[str, ...]
) -> None:
    assert grant(parse_scopes([scope]), identity(user)).missing_projects == missing


def test_asking_for_nothing_grants_nothing() -> None:
    assert grant((), identity(ROOT)) == Grants(())


def test_a_star_grants_no_push_to_a_project_that_it_does_not_create() -> None:
    assert actions("repository:new/thing:*", identity(ROOT)) == "pull,delete"


def test_without_the_right_to_create_a_project_nobody_may_push_to_one_that_does_not_exist() -> None:
    grants = grant(parse_scopes(["repository:new/thing:pull,push"]), identity(ROOT), creates_projects=False)
    assert grants.missing_projects == ()
    assert [access.scope() for access in grants.access] == ["repository:new/thing:pull"]
