"""Personal access tokens: their form, what they carry, and when they are worth nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.identity.accounts import AccountRefused
from roadstead.identity.directory import AccessToken, Role, TokenLevel, User, UserName
from roadstead.identity.robots.robots import DAY, NEVER
from roadstead.identity.sign_in.access_tokens import access_token_hash, access_token_user, new_access_token
from roadstead.identity.sign_in.token_accounts import MAX_DAYS, PER_USER, NoSuchToken, TokenAccounts, TokenRuleBroken
from roadstead.identity.sign_in.ways_in import Password, PersonalToken, parse_credentials
from roadstead.identity.tokens.tokens import Reason, TokenRefused
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, Operation
from tests.unit.identity.parts import NOON, PASSWORD, Harbour

SHIPS, CARGO, OPEN = ProjectName("ships"), ProjectName("cargo"), ProjectName("open")
WRITE = ("repository:ships/a:pull,push,delete", "repository:cargo/a:pull,push", "repository:open/a:pull,push")


@pytest.fixture
def harbour() -> Harbour:
    """`ada` is a maintainer of `ships` and a developer of `cargo`; `root` is a system administrator."""
    harbour = Harbour()
    harbour.accounts.create_user("root", PASSWORD, admin=True)
    harbour.accounts.create_user("ada", PASSWORD)
    for name in (SHIPS, CARGO):
        harbour.accounts.create_project(name)
    harbour.accounts.create_project("open", public=True)
    harbour.accounts.set_member("ships", "ada", Role.MAINTAINER)
    harbour.accounts.set_member("cargo", "ada", Role.DEVELOPER)
    return harbour


def make(
    harbour: Harbour,
    level: TokenLevel = TokenLevel.WRITE,
    *projects: ProjectName,
    user: str = "ada",
    days: int = 30,
    name: str = "laptop",
) -> tuple[AccessToken, PersonalToken]:
    accounts = TokenAccounts(harbour.store, actor=Actor(user), clock=harbour.clock)
    identity = harbour.store.read(UserName(user), projects)
    token, secret = accounts.create(identity, name, level, projects, days)
    return token, PersonalToken(user, secret)


def refused(harbour: Harbour, credentials: PersonalToken) -> str:
    with pytest.raises(TokenRefused) as caught:
        harbour.issue(credentials)
    assert caught.value.reason is Reason.INVALID_GRANT
    return str(caught.value)


@pytest.mark.parametrize("name", ["a", "ada@example.com", "x" * 64])
def test_a_token_names_its_user_and_is_recognised_by_form(name: str) -> None:
    token = new_access_token(UserName(name))
    assert access_token_user(token) == name
    assert len(token) <= 140 and token.startswith("rst_")
    assert token != new_access_token(UserName(name))


def test_a_mistyped_token_has_no_user() -> None:
    token = new_access_token(UserName("ada"))
    for place in range(4, len(token)):
        other = "A" if token[place] != "A" else "B"
        assert access_token_user(token[:place] + other + token[place + 1 :]) is None
    for wrong in (
        "",
        "rst_",
        token[:-1],
        token + "A",
        token.upper(),
        "rst_" + "A" * 300,
        token.replace("rst_", "rsrt_"),
    ):
        assert access_token_user(wrong) is None


def test_a_token_is_never_taken_for_a_password(harbour: Harbour) -> None:
    def prefix() -> str:
        return "robot$"

    assert parse_credentials("ada", "rst_mistyped", prefix) == PersonalToken("ada", "rst_mistyped")
    assert parse_credentials("", "rst_x", prefix) == PersonalToken("", "rst_x")
    assert parse_credentials("ada", "RST_x", prefix) == Password("ada", "RST_x")
    with pytest.raises(AccountRefused, match="rst_"):
        harbour.accounts.set_password("ada", "rst_a long password")


def test_a_token_carries_what_its_level_and_its_projects_allow(harbour: Harbour) -> None:
    all_of_it = {"ships/a": {"pull", "push", "delete"}, "cargo/a": {"pull", "push"}, "open/a": {"pull"}}
    assert harbour.granted(make(harbour)[1], *WRITE) == all_of_it
    reading = make(harbour, TokenLevel.READ, name="read")[1]
    assert harbour.granted(reading, *WRITE) == {"ships/a": {"pull"}, "cargo/a": {"pull"}, "open/a": {"pull"}}
    limited = make(harbour, TokenLevel.WRITE, SHIPS, name="ships")[1]
    assert harbour.granted(limited, *WRITE) == {**all_of_it, "cargo/a": set()}
    narrow = make(harbour, TokenLevel.READ, CARGO, name="narrow")[1]
    assert harbour.granted(narrow, *WRITE) == {"ships/a": set(), "cargo/a": {"pull"}, "open/a": {"pull"}}


def test_only_a_token_for_administration_makes_an_administrator(harbour: Harbour) -> None:
    new, catalog = "repository:new/a:pull,push", "registry:catalog:*"
    writing = make(harbour, user="root")[1]
    assert harbour.granted(writing, *WRITE, new, catalog) == {
        "ships/a": set(), "cargo/a": set(), "open/a": {"pull"}, "new/a": set(), "catalog": set(),
    }  # fmt: skip
    admin = make(harbour, TokenLevel.ADMIN, user="root", name="admin")[1]
    assert harbour.granted(admin, WRITE[0], catalog) == {"ships/a": {"pull", "push", "delete"}, "catalog": {"*"}}
    harbour.accounts.set_admin("root", False)
    assert harbour.granted(admin, WRITE[0], catalog) == {"ships/a": set(), "catalog": set()}


def test_a_token_works_without_a_user_name_and_with_its_own_only(harbour: Harbour) -> None:
    _, credentials = make(harbour)
    assert harbour.caller(PersonalToken("", credentials.token)).subject == "ada"
    assert "another user" in refused(harbour, PersonalToken("root", credentials.token))
    assert "mistyped" in refused(harbour, PersonalToken("ada", credentials.token[:-1]))
    assert "unknown" in refused(harbour, PersonalToken("ada", new_access_token(UserName("ada"))))
    assert harbour.hasher.verified == []


def test_a_token_is_independent_of_the_password(harbour: Harbour) -> None:
    _, credentials = make(harbour)
    harbour.accounts.set_password("ada", "another good password")
    harbour.issue(credentials)


def test_a_token_is_worth_nothing_for_a_disabled_account(harbour: Harbour) -> None:
    _, credentials = make(harbour)
    harbour.accounts.set_disabled("ada", True)
    refused(harbour, credentials)


def test_a_token_ends_with_its_account_and_the_next_one_of_that_name_has_none(harbour: Harbour) -> None:
    token, credentials = make(harbour)
    harbour.accounts.remove_user("ada")
    refused(harbour, credentials)
    harbour.accounts.create_user("ada", PASSWORD)
    refused(harbour, credentials)
    harbour.store._access_tokens[token.user, token.hash] = token  # as if its removal had been missed
    refused(harbour, credentials)


def test_a_token_expires_and_is_revoked(harbour: Harbour) -> None:
    token, credentials = make(harbour, days=1)
    assert token.expires == NOON + DAY
    harbour.clock.now = NOON + DAY - 1
    harbour.issue(credentials)
    harbour.clock.now = NOON + DAY
    refused(harbour, credentials)
    forever, credentials = make(harbour, days=NEVER)
    harbour.clock.now = NOON + 10_000 * DAY
    harbour.issue(credentials)
    user = harbour.accounts.find_user("ada")
    assert user is not None
    accounts = TokenAccounts(harbour.store, actor=Actor("ada"), clock=harbour.clock)
    accounts.revoke(user, forever.id)
    refused(harbour, credentials)
    with pytest.raises(NoSuchToken):
        accounts.revoke(user, forever.id)


def test_a_token_of_a_provider_is_suspended_until_the_provider_confirms_the_account_again(harbour: Harbour) -> None:
    name = UserName("kim")
    harbour.store.create_user(User(name, "", NOON, provider="ldap", subject="7", confirmed=NOON))
    _, credentials = make(harbour, user="kim", days=NEVER)
    harbour.clock.now = NOON + 30 * DAY
    harbour.issue(credentials)
    harbour.clock.now += 1
    assert "suspended" in refused(harbour, credentials)
    harbour.store.confirm_user(name, [], admin=False, at=int(harbour.clock.now))
    harbour.issue(credentials)


def test_a_token_of_a_local_user_is_never_suspended(harbour: Harbour) -> None:
    _, credentials = make(harbour, days=NEVER)
    harbour.clock.now = NOON + 1_000 * DAY
    harbour.issue(credentials)


def test_a_token_for_a_project_is_not_for_the_next_one_of_that_name(harbour: Harbour) -> None:
    _, credentials = make(harbour, TokenLevel.WRITE, SHIPS)
    project = harbour.store._projects[SHIPS]
    harbour.store._projects[SHIPS] = replace(project, id=project.id + 99)
    assert harbour.granted(credentials, WRITE[0]) == {"ships/a": set()}


def test_a_use_is_recorded_every_five_minutes_at_most(harbour: Harbour) -> None:
    token, credentials = make(harbour)

    def used() -> int:
        return harbour.store._access_tokens[token.user, token.hash].used

    harbour.issue(credentials)
    assert used() == NOON
    harbour.clock.now = NOON + 299
    harbour.issue(credentials)
    assert used() == NOON
    harbour.clock.now = NOON + 300
    harbour.issue(credentials)
    assert used() == NOON + 300


def test_a_token_gets_no_refresh_token_which_would_outlive_it(harbour: Harbour) -> None:
    assert harbour.issue(make(harbour)[1], offline=True).refresh_token is None


@pytest.mark.parametrize(
    ("level", "projects", "user", "days", "name"),
    [
        (TokenLevel.ADMIN, (), "ada", 30, "x"),
        (TokenLevel.ADMIN, (SHIPS,), "root", 30, "x"),
        (TokenLevel.WRITE, (ProjectName("absent"),), "ada", 30, "x"),
        (TokenLevel.WRITE, (), "ada", 0, "x"),
        (TokenLevel.WRITE, (), "ada", -2, "x"),
        (TokenLevel.WRITE, (), "ada", MAX_DAYS + 1, "x"),
        (TokenLevel.WRITE, (), "ada", 30, ""),
        (TokenLevel.WRITE, (), "ada", 30, "x" * 65),
        (TokenLevel.WRITE, (), "ada", 30, "a\nb"),
        (TokenLevel.WRITE, (), "ada", 30, "laptop"),
    ],
)
def test_a_token_that_breaks_a_rule_is_not_made(
    harbour: Harbour, level: TokenLevel, projects: tuple[ProjectName, ...], user: str, days: int, name: str
) -> None:
    make(harbour)
    with pytest.raises(TokenRuleBroken):
        make(harbour, level, *projects, user=user, days=days, name=name)


def test_a_project_that_the_user_has_no_role_in_is_refused(harbour: Harbour) -> None:
    harbour.accounts.create_user("eve", PASSWORD)
    with pytest.raises(TokenRuleBroken, match="no role"):
        make(harbour, TokenLevel.WRITE, SHIPS, user="eve")


def test_tokens_of_a_user_are_bounded_and_expired_ones_do_not_count(harbour: Harbour) -> None:
    for number in range(PER_USER):
        make(harbour, days=1, name=str(number))
    with pytest.raises(TokenRuleBroken, match="limit"):
        make(harbour)
    harbour.clock.now += DAY
    make(harbour)


def test_making_and_revoking_leave_events_without_the_secret(harbour: Harbour) -> None:
    harbour.store.events.clear()
    token, credentials = make(harbour, TokenLevel.WRITE, SHIPS)
    user = harbour.accounts.find_user("ada")
    assert user is not None
    TokenAccounts(harbour.store, actor=Actor("root"), clock=harbour.clock).revoke_all(user)
    said = f"token={token.id} name=laptop access=write projects=ships"
    assert [(event.operation, event.actor.name, event.user, event.detail) for event in harbour.store.events] == [
        (Operation.CREATE_ACCESS_TOKEN, "ada", "ada", said),
        (Operation.DELETE_ACCESS_TOKEN, "root", "ada", "tokens=1"),
    ]
    assert token.id == access_token_hash(credentials.token)[:16]
    assert credentials.token not in repr(harbour.store.events) and credentials.token not in repr(credentials)
