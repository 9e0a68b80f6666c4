"""A robot never has more than its maker had, whoever makes whom: users by roles, whole and limited, and robots."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from roadstead.identity.directory import AccessToken, HeldRole, Identity, Project, Role, TokenLevel, User, UserName
from roadstead.identity.permissions import PROJECT_CATALOGUE, SYSTEM_CATALOGUE, Permission
from roadstead.identity.rights import permissions_in, permissions_on
from roadstead.identity.robots.robot_accounts import (
    Maker,
    MoreThanItsMaker,
    RobotAccounts,
    RobotChange,
    RobotRuleBroken,
)
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import NEVER, Robot, RobotGrant, Scope
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Actor, ActorKind
from tests.memory.identity import MemoryIdentities
from tests.unit.identity.parts import CountingHasher

SHIPS, CARGO = ProjectName("ships"), ProjectName("cargo")
PATTERNS = ("a", "b/**", "**/c", "{a,b}*", "**")
REPOSITORIES = tuple(
    RepositoryName.parse(f"{project}/{name}") for project in (SHIPS, CARGO) for name in ("a", "ab", "b/c", "b/d/c", "e")
)
# Enough of the catalogue to tell rights apart, and small enough that what is asked is often there.
_CHOSEN = [
    one
    for one in PROJECT_CATALOGUE
    if str(one)
    in ("repository:pull", "repository:push", "artifact:delete", "robot:create", "metadata:list", "member:create")
]

patterns = st.lists(st.sampled_from(PATTERNS), max_size=2, unique=True).map(tuple)
some_patterns = st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2, unique=True).map(tuple)
some = st.frozensets(st.sampled_from(_CHOSEN), min_size=1, max_size=3)
in_system = st.frozensets(st.sampled_from(list(SYSTEM_CATALOGUE)), min_size=1, max_size=2)


def grants(ids: dict[ProjectName, int]) -> st.SearchStrategy[RobotGrant]:
    """In the system, in one project, or in every one (`*`)."""
    return st.one_of(
        st.builds(lambda held: RobotGrant(Scope.SYSTEM, held), in_system),
        st.builds(lambda held, limits: RobotGrant(Scope.PROJECT, held, None, 0, limits), some, patterns),
        st.builds(
            lambda held, name, limits: RobotGrant(Scope.PROJECT, held, name, ids[name], limits),
            some,
            st.sampled_from((SHIPS, CARGO)),
            patterns,
        ),
    )


class World:
    def __init__(self) -> None:
        self.store = MemoryIdentities()
        self.projects = {
            name: self.store.create_project(Project(name, False, 1_800_000_000, "root")) for name in (SHIPS, CARGO)
        }
        self.ids = {name: project.id for name, project in self.projects.items()}

    def of_robot(self, robot: Robot) -> Identity:
        return Identity(projects=self.projects, robot=robot)

    def make(self, maker: Identity, name: RobotName, change: RobotChange) -> Robot | None:
        kind = ActorKind.ROBOT if maker.robot is not None else ActorKind.USER
        accounts = RobotAccounts(
            self.store,
            CountingHasher(),
            Maker(Actor("maker", kind), maker),
            prefix="robot$",
            clock=lambda: 1_800_000_000,
        )
        try:
            return accounts.create(name, self.ids[name.project] if name.project else 0, change)[0]
        except (MoreThanItsMaker, RobotRuleBroken):
            return None

    def check(self, maker: Identity, robot: Robot) -> None:
        """Everything that the robot may do, the maker may: in the projects, on repositories, in the system."""
        if maker.user is not None and maker.user.admin:
            return
        made = self.of_robot(robot)
        implied = {Permission.parse("metadata", "list")}  # whoever reads them all lists them
        for project in self.projects:
            assert permissions_in(project, made) - implied <= permissions_in(project, maker)
        for repository in REPOSITORIES:
            assert permissions_on(repository, made) - implied <= permissions_on(repository, maker)
        held = maker.robot.system_permissions if maker.robot is not None else frozenset()
        assert robot.system_permissions <= held


roles = st.dictionaries(st.sampled_from((SHIPS, CARGO)), st.sampled_from(list(Role)))
limited = st.dictionaries(
    st.sampled_from((SHIPS, CARGO)),
    st.lists(st.builds(HeldRole, st.sampled_from(list(Role)), some_patterns), min_size=1, max_size=2).map(tuple),
)
names = st.sampled_from([RobotName(None, "new"), RobotName(SHIPS, "new"), RobotName(CARGO, "new")])


@settings(max_examples=300)
@given(roles, limited, st.sampled_from([None, *TokenLevel]), names, st.data())
def test_a_user_gives_a_robot_a_part_of_their_own_rights(
    whole: dict[ProjectName, Role],
    parts: dict[ProjectName, tuple[HeldRole, ...]],
    level: TokenLevel | None,
    name: RobotName,
    data: st.DataObject,
) -> None:
    """Also who came in by an access token, which carries less."""
    world = World()
    user = User(UserName("ada"), "phc", 1)
    maker = Identity(user, projects=world.projects, roles=whole, limited_roles=parts)
    if level is not None:
        token = AccessToken(user.name, 1, "hash", "t", level, ((SHIPS, world.ids[SHIPS]),), 1, NEVER)
        maker = replace(maker, access_token=token)
    asked = data.draw(st.lists(grants(world.ids), min_size=1, max_size=2).map(tuple))
    robot = world.make(maker, name, RobotChange(asked, NEVER))
    if robot is not None:
        world.check(maker, robot)


@settings(max_examples=300)
@given(names, st.data())
def test_a_robot_gives_robots_a_part_of_its_own_and_so_do_these(name: RobotName, data: st.DataObject) -> None:
    """Three generations; a system robot may have `*`. The first is made by a system administrator."""
    world = World()
    root = Identity(User(UserName("root"), "phc", 1, admin=True), projects=world.projects)
    maker = root
    for number in range(3):
        asked = data.draw(st.lists(grants(world.ids), min_size=1, max_size=3).map(tuple))
        robot = world.make(maker, replace(name, name=f"robot{number}"), RobotChange(asked, NEVER))
        if robot is None:
            return
        world.check(maker, robot)
        maker = world.of_robot(robot)


def test_a_robot_keeps_what_it_has_when_its_maker_loses_rights() -> None:
    """As in Harbor, and as docs/identity.md says: a robot outlives its maker. Its rights are its own."""
    world = World()
    maker = Identity(User(UserName("ada"), "phc", 1), projects=world.projects, roles={SHIPS: Role.ADMIN})
    pull = frozenset({Permission.parse("repository", "pull")})
    change = RobotChange((RobotGrant(Scope.PROJECT, pull, SHIPS, world.ids[SHIPS]),), NEVER)
    robot = world.make(maker, RobotName(SHIPS, "ci"), change)
    assert robot is not None
    demoted = replace(maker, roles={SHIPS: Role.GUEST})
    assert world.make(demoted, RobotName(SHIPS, "other"), RobotChange(change.grants, NEVER)) is not None
    gone = replace(maker, roles={})
    assert world.make(gone, RobotName(SHIPS, "third"), change) is None
    kept = world.store.find_robot(robot.name)
    assert kept is not None
    assert pull <= permissions_in(SHIPS, world.of_robot(kept))
