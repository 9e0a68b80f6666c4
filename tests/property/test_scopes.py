"""Scopes and grants, for any request."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.documents import compact
from roadstead.identity.access import Access, parse_scope, parse_scopes
from roadstead.identity.directory import HeldRole, Identity, Project, Role, User, UserName
from roadstead.identity.grants import grant, projects_of
from roadstead.identity.rights import permissions_on
from roadstead.identity.robots.robot_names import RobotName
from roadstead.identity.robots.robots import NEVER, Robot, RobotGrant, Scope
from roadstead.identity.roles import OCI_PERMISSIONS, PERMISSIONS, oci_actions
from roadstead.identity.tokens import granted as granted_module
from roadstead.identity.tokens.granted import MAX_ACCESS, MAX_SETS, Granted, fits, repository_of
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import ActorKind

_PROJECTS = [ProjectName.parse(name) for name in ("ships", "cargo", "library")]
_ACTIONS = ("pull", "push", "delete", "*", "fly")
_EVERYTHING = frozenset({"pull", "push", "delete"})

words = st.text(st.characters(codec="utf-8", exclude_characters=" ,:", exclude_categories=["Z", "C"]), min_size=1)
names = st.sampled_from(["ships/a", "ships/b/c", "cargo/a", "library/a", "absent/a", "Ships/a", "ships//a", "catalog"])
accesses = st.builds(
    Access,
    st.sampled_from(["repository", "registry", "plugin"]),
    names | words,
    st.frozensets(st.sampled_from(_ACTIONS)),
)
users = st.none() | st.builds(
    User, st.just(UserName.parse("ada")), st.just("phc"), st.just(1), st.booleans(), st.just(False)
)
identities = st.builds(
    Identity,
    users,
    st.none(),
    st.dictionaries(st.sampled_from(_PROJECTS), st.booleans()).map(
        lambda public: {name: Project(name, is_public, 1, "") for name, is_public in public.items()}
    ),
    st.dictionaries(st.sampled_from(_PROJECTS), st.sampled_from(list(Role))),
)


_PATTERNS = ("a", "b/**", "**/c", "{a,b}*", "**")
held_roles = st.builds(
    HeldRole,
    st.sampled_from(list(Role)),
    st.lists(st.sampled_from(_PATTERNS), min_size=1, max_size=3, unique=True).map(tuple),
)
limited_identities = st.builds(
    lambda identity, limited: replace(identity, limited_roles=limited),
    identities,
    st.dictionaries(st.sampled_from(_PROJECTS), st.lists(held_roles, min_size=1, max_size=3).map(tuple)),
)
limited_robots = st.lists(
    st.builds(
        RobotGrant,
        st.just(Scope.PROJECT),
        st.frozensets(st.sampled_from(list(OCI_PERMISSIONS.values())), min_size=1),
        st.none() | st.sampled_from(_PROJECTS),
        st.just(0),
        st.lists(st.sampled_from(_PATTERNS), max_size=2, unique=True).map(tuple),
    ),
    max_size=4,
).map(lambda grants: Robot(RobotName(None, "ci"), 0, "", tuple(grants), 1, NEVER, "root", ActorKind.USER, 1))
callers = limited_identities | st.builds(
    lambda identity, robot: replace(identity, user=None, roles={}, robot=robot), identities, limited_robots
)
_WELL_NAMED = [f"{project}/{rest}" for project in _PROJECTS for rest in ("a", "b", "b/c", "b/c/d", "c", "ab")]
well_named = st.builds(
    Access,
    st.just("repository"),
    st.sampled_from(_WELL_NAMED),
    st.frozensets(st.sampled_from(_ACTIONS[:4]), min_size=1),
)


def _merged(requested: list[Access]) -> tuple[Access, ...]:
    return parse_scopes(access.scope() for access in requested)


@given(accesses)
def test_a_scope_survives_being_written_and_read(access: Access) -> None:
    read = parse_scope(access.scope())
    assert read in (access, replace(access, name=f"library/{access.name}"))
    assert parse_scope(read.scope()) == read
    assert Access.from_claim(json.loads(json.dumps(access.as_claim()))) == access


@given(st.lists(accesses, max_size=8), identities)
def test_granted_access_was_requested_and_is_permitted(requested: list[Access], identity: Identity) -> None:
    scopes = _merged(requested)
    for asked, granted in zip(scopes, grant(scopes, identity).access, strict=True):
        assert (granted.type, granted.name) == (asked.type, asked.name)
        is_admin = identity.user is not None and identity.user.admin
        if granted.type != "repository":
            assert granted.actions <= (asked.actions & {"*"} if is_admin and asked.name == "catalog" else set())
            continue
        assert granted.actions <= (_EVERYTHING if "*" in asked.actions else asked.actions)
        projects = projects_of([asked])
        if is_admin:
            assert granted.actions <= (_EVERYTHING if projects else frozenset())
            continue
        permitted: frozenset[str] = frozenset()
        for name in projects:
            project = identity.projects.get(name)
            role = identity.roles.get(name)
            if project is not None:
                permitted |= frozenset({"pull"}) if project.public else frozenset()
                permitted |= oci_actions(PERMISSIONS[role]) if role and identity.user else frozenset()
        assert granted.actions <= permitted


@given(st.lists(accesses, max_size=8), identities)
def test_requesting_the_granted_access_grants_it_again(requested: list[Access], identity: Identity) -> None:
    granted = grant(_merged(requested), identity).access
    assert grant(granted, identity).access == granted


@given(st.lists(accesses, max_size=8), identities)
def test_only_administrators_create_projects(requested: list[Access], identity: Identity) -> None:
    missing = grant(_merged(requested), identity).missing_projects
    assert not set(missing) & set(identity.projects)
    assert not missing or (identity.user is not None and identity.user.admin)


@given(st.lists(accesses, max_size=40), st.integers(0, 60), identities)
def test_a_token_that_fits_when_requested_fits_when_granted(
    requested: list[Access], more: int, identity: Identity
) -> None:
    scopes = _merged([*requested, *_filler(more)])
    if fits(scopes):
        claims = Granted.of(grant(scopes, identity).access).as_claims()
        assert len(compact(claims["access"])) <= MAX_ACCESS
        assert len(compact(claims.get("sets", []))) <= MAX_SETS


@given(st.lists(accesses, max_size=20), st.integers(0, 60), identities, st.lists(names, max_size=8))
def test_the_compact_form_grants_exactly_what_the_long_one_does(
    requested: list[Access], more: int, identity: Identity, others: list[str]
) -> None:
    access = grant(_merged([*requested, *_filler(more)]), identity).access
    granted = Granted.from_claims(json.loads(json.dumps(Granted.of(access).as_claims())))
    by_name = Granted(access)
    for name in {*(one.name for one in access), *others}:
        repository = repository_of(Access.to(name))  # as a path has it once it is parsed
        for actions in ({"pull"}, {"push"}, {"delete"}, {"pull", "push"}, {"*"}, {"fly"}):
            for needed in (Access.to(repository or name, *actions), Access("registry", name, frozenset(actions))):
                assert granted.permits(needed) == by_name.permits(needed)
        if repository is not None:
            assert granted.mentions(repository) == by_name.mentions(repository)


def _filler(count: int) -> list[Access]:
    """Repositories enough for a token to be compact."""
    return [Access.to(f"ships/filler-{number:030}", *("pull", "push")[: 1 + number % 2]) for number in range(count)]


def _compacted(requested: list[Access], caller: Identity) -> tuple[Granted, Granted]:
    """The long and the compact form of what is granted."""
    grants = grant(_merged(requested), caller)
    return Granted(grants.access), Granted.from_claims(
        json.loads(json.dumps(Granted._compact(grants.access, grants.parts).as_claims()))
    )


@given(st.lists(well_named, min_size=1, max_size=8), callers)
def test_the_compact_form_of_limited_rights_grants_what_the_long_one_does(
    requested: list[Access], caller: Identity
) -> None:
    long, compacted = _compacted(requested, caller)
    for name in _WELL_NAMED:
        for action in _EVERYTHING:
            needed = Access.to(name, action)
            assert compacted.permits(needed) == long.permits(needed)
        assert (
            compacted.mentions(RepositoryName(name))
            or not long.mentions(RepositoryName(name))
            or not any(one.name == name and one.actions for one in long.access)
        )


@given(st.lists(well_named, min_size=1, max_size=8), callers)
def test_a_name_with_the_hash_of_another_gains_nothing_that_its_caller_has_not(
    requested: list[Access], caller: Identity
) -> None:
    """Every name has the same hash here, so that all of them are in every set of their project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(granted_module, "_short", lambda repository: b"same")
        _, compacted = _compacted(requested, caller)
        for name in _WELL_NAMED:
            may = oci_actions(permissions_on(RepositoryName(name), caller))
            for action in _EVERYTHING - may:
                if ProjectName(name.partition("/")[0]) in caller.projects:
                    assert not compacted.permits(Access.to(name, action))
