"""Issuing: who gets a token, what is in it, and what it leaves behind."""

from __future__ import annotations

import pytest

from roadstead.identity.configuration import Administration, ConfigurationReader
from roadstead.identity.directory import Project, Role, User, UserName
from roadstead.identity.sign_in.passwords import NOBODY
from roadstead.identity.sign_in.ways_in import Credentials, Password, Refresh, parse_credentials
from roadstead.identity.tokens import tokens
from roadstead.identity.tokens.granted import Granted
from roadstead.identity.tokens.tokens import Reason, TokenRefused
from roadstead.ids import clock_id
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor, ActorKind, Event
from tests.memory.configuration import MemoryConfiguration, MemoryConfigurationSecrets
from tests.unit.identity.parts import NOON, PASSWORD, Harbour, by_password


@pytest.fixture
def harbour() -> Harbour:
    """A system administrator, two users, a private and a public project; `ada` is a developer of the private one."""
    harbour = Harbour()
    harbour.accounts.create_user("root", PASSWORD, admin=True)
    harbour.accounts.create_user("ada", PASSWORD)
    harbour.accounts.create_user("bob", PASSWORD)
    harbour.accounts.create_project("ships")
    harbour.accounts.create_project("open", public=True)
    harbour.accounts.set_member("ships", "ada", Role.DEVELOPER)
    harbour.hasher.hashed = 0
    return harbour


def refused(harbour: Harbour, credentials: Credentials) -> str:
    with pytest.raises(TokenRefused) as caught:
        harbour.issue(credentials)
    assert caught.value.reason is Reason.INVALID_GRANT
    return str(caught.value)


def log_in(harbour: Harbour, user: str = "ada", client_id: str = "docker") -> Refresh:
    token = harbour.issue(by_password(user), client_id=client_id, offline=True).refresh_token
    assert token is not None
    return Refresh(token)


def test_a_user_gets_what_the_role_permits(harbour: Harbour) -> None:
    caller = harbour.caller(by_password("ada"), "repository:ships/a:pull,push,delete")
    assert (caller.subject, caller.kind, caller.expires) == ("ada", ActorKind.USER, NOON + 900)
    assert [access.scope() for access in caller.granted.access] == ["repository:ships/a:pull,push"]


def test_nobody_may_pull_from_public_projects(harbour: Harbour) -> None:
    caller = harbour.caller(None, "repository:open/a:pull,push", "repository:ships/a:pull")
    assert (caller.subject, caller.kind) == ("", ActorKind.ANONYMOUS)
    assert [access.scope() for access in caller.granted.access] == ["repository:open/a:pull", "repository:ships/a:"]


def test_a_token_without_scopes_says_who_asks(harbour: Harbour) -> None:
    caller = harbour.caller(by_password("ada"))
    assert (caller.subject, caller.granted) == ("ada", Granted())


def test_no_two_tokens_have_one_id(harbour: Harbour) -> None:
    assert harbour.caller(None).token_id != harbour.caller(None).token_id


def test_a_smaller_grant_is_still_a_token(harbour: Harbour) -> None:
    assert harbour.granted(by_password("bob"), "repository:ships/a:pull", "repository:absent/a:pull") == {
        "ships/a": set(),
        "absent/a": set(),
    }


def test_wrong_credentials_are_one_answer(harbour: Harbour) -> None:
    harbour.accounts.create_user("off", PASSWORD)
    harbour.accounts.set_disabled("off", True)
    answers = {
        refused(harbour, credentials)
        for credentials in (
            by_password("ada", "wrong"),
            by_password("nobody"),
            by_password("off"),
            by_password("No Name"),
            by_password("ada", ""),
            by_password("", PASSWORD),
            by_password("ADA"),
        )
    }
    assert answers == {"the user name or the password is wrong"}


def test_wrong_credentials_are_one_computation(harbour: Harbour) -> None:
    """Whether or not the user exists, and whatever is wrong: one Argon2id, of the same parameters."""
    harbour.accounts.create_user("off", PASSWORD)
    harbour.accounts.set_disabled("off", True)
    for name, password in (("ada", "wrong"), ("nobody", "wrong"), ("No Name", "wrong"), ("off", "wrong")):
        harbour.hasher.verified.clear()
        refused(harbour, by_password(name, password))
        assert len(harbour.hasher.verified) == 1


def test_a_user_that_does_not_exist_is_verified_against_nobody(harbour: Harbour) -> None:
    refused(harbour, by_password("nobody"))
    assert harbour.hasher.verified == [NOBODY]


def test_refused_credentials_leave_nothing_behind(harbour: Harbour) -> None:
    with pytest.raises(TokenRefused):
        harbour.issue(by_password("root", "wrong"), "repository:new/a:push", offline=True)
    assert harbour.accounts.find_project("new") is None
    assert harbour.store.refresh_tokens(UserName.parse("root")) == []
    assert harbour.keys.signatures == 0


def test_a_right_password_is_hashed_anew_when_the_parameters_changed(harbour: Harbour) -> None:
    before = harbour.accounts.find_user("ada")
    harbour.hasher.version = 2
    harbour.issue(by_password("ada"))
    after = harbour.accounts.find_user("ada")
    assert before is not None and after is not None
    assert (before.password[:3], after.password[:3]) == ("v1$", "v2$")
    assert after.epoch == before.epoch
    harbour.issue(by_password("ada"))
    assert harbour.hasher.hashed == 1


def test_a_wrong_password_renews_nothing(harbour: Harbour) -> None:
    harbour.hasher.version = 2
    refused(harbour, by_password("ada", "wrong"))
    assert harbour.hasher.hashed == 0


def test_a_password_changed_while_it_was_renewed_stays_changed(harbour: Harbour) -> None:
    harbour.hasher.version = 2
    store, renew = harbour.store, harbour.store.replace_password

    def change_first(name: UserName, old: str, new: str) -> None:
        store.set_password(name, "v2$changed")
        renew(name, old, new)

    harbour.store.replace_password = change_first  # type: ignore[method-assign]
    assert harbour.issue(by_password("ada")).subject.name == "ada"
    after = harbour.accounts.find_user("ada")
    assert after is not None and after.password == "v2$changed"


def test_a_new_password_counts_at_once_although_the_old_one_was_remembered(harbour: Harbour) -> None:
    harbour.issue(by_password("ada"))
    harbour.accounts.set_password("ada", "another password")
    refused(harbour, by_password("ada"))
    assert harbour.issue(by_password("ada", "another password")).subject.name == "ada"


def test_a_disabled_user_is_refused_although_the_password_was_remembered(harbour: Harbour) -> None:
    harbour.issue(by_password("ada"))
    harbour.accounts.set_disabled("ada", True)
    refused(harbour, by_password("ada"))
    harbour.accounts.set_disabled("ada", False)
    assert harbour.issue(by_password("ada")).subject.name == "ada"


def test_an_administrators_push_creates_the_project_private(harbour: Harbour) -> None:
    granted = harbour.granted(by_password("root"), "repository:new/a:pull,push", "repository:other/a:pull")
    assert granted == {"new/a": {"pull", "push"}, "other/a": {"pull"}}
    project = harbour.accounts.find_project("new")
    assert project is not None and (project.public, project.created_by) == (False, "root")
    assert harbour.accounts.find_project("other") is None


def test_a_project_that_a_push_creates_has_the_quota_of_new_projects(harbour: Harbour) -> None:
    stored = MemoryConfiguration()
    started: list[tuple[str, int, str]] = []

    def start(project: ProjectName, storage: int, actor: Actor) -> None:
        assert harbour.accounts.find_project(project) is None  # a request that dies here is repeated as a whole
        started.append((project, storage, actor.name))

    for values, quotas in (({}, []), ({"storage_per_project": 5_000}, [("new", 5_000, "root")])):
        stored.put_configuration(values, replaces=stored.find_configuration().version, event=None)  # type: ignore[arg-type]
        configured = Harbour(
            store=harbour.store,
            configuration=ConfigurationReader(stored, MemoryConfigurationSecrets()),
            start_quota=start,
        )
        configured.issue(by_password("root"), "repository:open/a:push")  # it exists
        configured.issue(by_password("root"), f"repository:{'new' if quotas else 'free'}/a:push")
        assert started == quotas
    assert harbour.accounts.find_project("free") is not None


def test_an_administrators_push_leaves_a_project_as_it_is(harbour: Harbour) -> None:
    before = harbour.accounts.find_project("open")
    harbour.issue(by_password("root"), "repository:open/a:push")
    assert harbour.accounts.find_project("open") == before


def test_a_project_created_meanwhile_is_no_error(harbour: Harbour) -> None:
    create = harbour.store.create_project

    def somebody_first(project: Project, *, event: Event | None = None) -> Project:
        create(Project(project.name, True, 1, "somebody"))
        return create(project, event=event)

    harbour.store.create_project = somebody_first  # type: ignore[method-assign]
    assert harbour.granted(by_password("root"), "repository:new/a:push") == {"new/a": {"push"}}
    project = harbour.accounts.find_project("new")
    assert project is not None and project.created_by == "somebody"


@pytest.mark.parametrize("credentials", [by_password("ada"), None], ids=["user", "nobody"])
def test_nobody_elses_push_creates_a_project(harbour: Harbour, credentials: Password | None) -> None:
    assert harbour.granted(credentials, "repository:new/a:pull,push") == {"new/a": set()}
    assert harbour.accounts.find_project("new") is None


def test_too_many_scopes_are_refused_before_anything_happens(harbour: Harbour) -> None:
    scopes = [f"repository:project{number}/some-repository:pull,push" for number in range(49)]
    with pytest.raises(TokenRefused, match="fewer") as caught:
        harbour.issue(by_password("root"), *scopes)
    assert caught.value.reason is Reason.INVALID_SCOPE
    assert harbour.hasher.verified == []
    assert harbour.accounts.find_project("project0") is None


def test_a_refresh_token_comes_only_when_asked_for(harbour: Harbour) -> None:
    assert harbour.issue(by_password("ada"), client_id="docker").refresh_token is None
    assert harbour.store.refresh_tokens(UserName.parse("ada")) == []


def test_nobody_gets_no_refresh_token(harbour: Harbour) -> None:
    assert harbour.issue(None, offline=True).refresh_token is None


def test_a_refresh_token_stands_for_the_user_again_and_again(harbour: Harbour) -> None:
    refresh = log_in(harbour)
    for _ in range(3):
        assert harbour.granted(refresh, "repository:ships/a:pull,push,delete") == {"ships/a": {"pull", "push"}}
    harbour.accounts.set_member("ships", "ada", Role.GUEST)
    assert harbour.granted(refresh, "repository:ships/a:pull,push") == {"ships/a": {"pull"}}


def test_using_a_refresh_token_needs_no_hash_and_writes_nothing(harbour: Harbour) -> None:
    refresh = log_in(harbour)
    harbour.hasher.verified.clear()
    kept = harbour.store.refresh_tokens(UserName.parse("ada"))
    issued = harbour.issue(refresh, offline=True)
    assert issued.refresh_token == refresh.token
    assert harbour.issue(refresh).refresh_token is None
    assert harbour.hasher.verified == []
    assert harbour.store.refresh_tokens(UserName.parse("ada")) == kept


def test_a_refresh_token_is_not_kept_in_the_clear(harbour: Harbour) -> None:
    refresh = log_in(harbour)
    (kept,) = harbour.store.refresh_tokens(UserName.parse("ada"))
    secret = refresh.token.partition(".")[2]
    assert secret not in repr(kept)
    assert secret not in repr(refresh)
    assert (kept.client, kept.created, kept.ends) == ("docker", NOON, NOON + 90 * 86400)


def test_a_new_password_revokes_refresh_tokens_at_once(harbour: Harbour) -> None:
    refresh = log_in(harbour)
    harbour.accounts.set_password("ada", "another password")
    assert "log in again" in refused(harbour, refresh)


def test_a_renewed_hash_revokes_nothing(harbour: Harbour) -> None:
    refresh = log_in(harbour)
    harbour.hasher.version = 2
    harbour.issue(by_password("ada"))
    assert harbour.issue(refresh).subject.name == "ada"


def test_a_disabled_users_refresh_token_is_refused_for_good(harbour: Harbour) -> None:
    refresh = log_in(harbour)
    harbour.accounts.set_disabled("ada", True)
    refused(harbour, refresh)
    harbour.accounts.set_disabled("ada", False)
    refused(harbour, refresh)


def test_a_refresh_token_is_good_for_its_user_only(harbour: Harbour) -> None:
    ada, bob = log_in(harbour, "ada").token, log_in(harbour, "bob").token
    mixed = f"{bob.partition('.')[0]}.{ada.partition('.')[2]}"
    refused(harbour, Refresh(mixed))


@pytest.mark.parametrize("token", ["", "nonsense", "rsrt_YWRh.AAAA", PASSWORD])
def test_what_is_no_refresh_token_is_refused(harbour: Harbour, token: str) -> None:
    log_in(harbour)
    refused(harbour, Refresh(token))


def test_a_later_login_revokes_no_refresh_token(harbour: Harbour) -> None:
    refreshes = [log_in(harbour) for _ in range(60)]
    for refresh in refreshes:
        assert harbour.issue(refresh).subject.name == "ada"


def test_a_login_beyond_the_cap_gets_no_refresh_token_and_revokes_none(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "PER_USER", 3)
    refreshes = [log_in(harbour) for _ in range(3)]
    assert harbour.issue(by_password("ada"), offline=True).refresh_token is None
    assert all(harbour.issue(refresh).subject.name == "ada" for refresh in refreshes)
    harbour.clock.now += 31 * 86400
    log_in(harbour)
    assert len(harbour.store.refresh_tokens(UserName.parse("ada"))) == 1


def test_a_refresh_token_that_is_not_used_for_the_idle_time_expires(harbour: Harbour) -> None:
    used, idle = log_in(harbour), log_in(harbour)
    for _ in range(4):
        harbour.clock.now += 20 * 86400
        assert harbour.issue(used).subject.name == "ada"
    refused(harbour, idle)
    harbour.clock.now = NOON + 90 * 86400
    refused(harbour, used)


def test_where_refresh_tokens_are_disabled_none_is_issued_or_accepted() -> None:
    enabled = Harbour()
    enabled.accounts.create_user("ada", PASSWORD)
    refresh = log_in(enabled)
    disabled = Harbour(refresh=None, store=enabled.store, hasher=enabled.hasher)
    assert disabled.issue(by_password("ada"), offline=True).refresh_token is None
    assert "disabled" in refused(disabled, refresh)


def test_a_refresh_token_in_place_of_its_users_password_counts_as_one(harbour: Harbour) -> None:
    token = log_in(harbour).token
    assert parse_credentials("ada", token, lambda: "robot$") == Refresh(token)
    assert parse_credentials("bob", token, lambda: "robot$") == Refresh("")
    assert parse_credentials("", token, lambda: "robot$") == Refresh("")
    assert parse_credentials("", "", lambda: "robot$") is None


def test_a_client_id_is_bounded(harbour: Harbour) -> None:
    with pytest.raises(TokenRefused) as caught:
        harbour.issue(by_password("ada"), client_id="x" * 129)
    assert caught.value.reason is Reason.INVALID_REQUEST


def test_no_secret_is_in_a_repr(harbour: Harbour) -> None:
    issued = harbour.issue(by_password("ada"), offline=True)
    shown = repr((issued, by_password("ada"), harbour.accounts.find_user("ada")))
    assert issued.refresh_token is not None
    for secret in (issued.minted.token, issued.refresh_token, PASSWORD, PASSWORD[::-1]):
        assert secret not in shown


def test_a_user_that_was_read_is_what_was_created(harbour: Harbour) -> None:
    found = harbour.accounts.find_user("bob")
    assert found is not None
    assert found == User(UserName.parse("bob"), f"v1${PASSWORD[::-1]}", NOON, epoch=found.epoch, id=clock_id(NOON) + 2)


def test_while_the_registry_is_read_only_nobody_gets_push_or_delete() -> None:
    configuration = MemoryConfiguration()
    harbour = Harbour(configuration=ConfigurationReader(configuration))
    harbour.accounts.create_user("ada", PASSWORD, admin=True)
    harbour.accounts.create_project("ships")
    Administration(configuration, MemoryConfigurationSecrets()).change({"read_only": True}, Actor("ada"))
    asked = ("repository:ships/a:pull,push,delete", "repository:new/b:pull,push", "repository:ships/c:*")
    assert harbour.granted(by_password("ada"), *asked) == {"ships/a": {"pull"}, "new/b": {"pull"}, "ships/c": {"pull"}}
    assert harbour.accounts.find_project("new") is None
