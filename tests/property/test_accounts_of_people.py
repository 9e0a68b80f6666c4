"""Nobody gets into an account that somebody else began, whatever is named, removed, renamed and made anew.

Five people, each known to one provider: one to this registry, two to a directory, two to OpenID Connect providers. The
names that they have there are few and change, so they collide.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from roadstead.identity.accounts import AccountRefused
from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.directory import LOCAL, TokenLevel, User, UserName
from roadstead.identity.people import LDAP, OIDC, Person
from roadstead.identity.providers.ldap_provider import LdapProvider
from roadstead.identity.providers.onboarding import NotOnboarded
from roadstead.identity.robots.robots import NEVER
from roadstead.identity.sign_in.attempts import TooManyAttempts
from roadstead.identity.sign_in.login import PasswordLogin, WrongPassword
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.identity.sign_in.token_accounts import TokenAccounts
from roadstead.identity.sign_in.token_sign_in import TokenLogin, TokenRejected
from roadstead.identity.sign_in.ways_in import Refresh
from roadstead.identity.tokens.tokens import TokenRefused
from roadstead.trail.entries import Actor, ActorKind
from tests.memory.configuration import MemoryConfiguration, MemoryConfigurationSecrets
from tests.memory.ldap import MemoryLdap
from tests.unit.identity.parts import Harbour

NAMES = ("ada", "bob")
SOURCE = Actor("", ActorKind.ANONYMOUS)


@dataclass(frozen=True, slots=True)
class Human:
    """`subject` is what the provider never gives to anybody else; a user of this registry has a password alone."""

    key: str
    provider: str
    subject: str = ""

    @property
    def password(self) -> str:
        return f"the password of {self.key}"


LOU, DIR, DEE, ONE, TWO = (
    Human("lou", LOCAL),
    Human("dir", LDAP, "uuid-of-dir"),
    Human("dee", LDAP, "uuid-of-dee"),
    Human("one", OIDC, "https://one.example\n7"),
    Human("two", OIDC, "https://two.example\n7"),
)
names = st.sampled_from(NAMES)


class Accounts(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.harbour = Harbour()
        self.store = self.harbour.store
        self.directory = MemoryLdap()
        reader = ConfigurationReader(MemoryConfiguration(), MemoryConfigurationSecrets(), clock=self.harbour.clock)
        provider = LdapProvider(self.directory, reader)
        passwords = PasswordVerifier(self.harbour.hasher, clock=self.harbour.clock)
        onboarding, clock = self.harbour.onboarding, self.harbour.clock
        self.login = PasswordLogin(self.store, passwords, onboarding, lambda: provider, clock=clock)
        self.harbour.tokens._login = self.login
        self.tokens = TokenLogin(self.store, clock=clock)
        self.owners: dict[int, Human] = {}  # by the account's id: who began it
        self.kept: list[tuple[int, str]] = []  # access tokens, with the id of the account that they were made for
        self.refreshing: list[tuple[int, str]] = []

    def came_in(self, human: Human, user: User) -> None:
        """Everything rests on this: an account is its beginner's alone."""
        assert self.owners.setdefault(user.id, human) == human, f"{human.key} came in as {user.name}"
        assert (user.provider, user.subject) == (human.provider, human.subject)

    @rule(name=names)
    def an_administrator_makes_a_local_account(self, name: str) -> None:
        try:
            user = self.harbour.accounts.create_user(name, LOU.password)
        except AccountRefused:
            return  # the name is taken
        self.owners[user.id] = LOU

    @rule(name=names, human=st.sampled_from((DIR, DEE)))
    def the_directory_gives_a_name(self, name: str, human: Human) -> None:
        """To somebody who may have had another one; then nobody has that."""
        kept = {key: (one, word) for key, (one, word) in self.directory.people.items() if one.subject != human.subject}
        self.directory.people = kept
        self.directory.add(name, human.password, subject=human.subject)

    @rule(name=names, human=st.sampled_from((LOU, DIR, DEE)))
    def somebody_signs_in_by_password(self, name: str, human: Human) -> None:
        try:
            user, identity = self.login.sign_in(name, human.password, source=SOURCE)
        except (WrongPassword, NotOnboarded, TooManyAttempts):
            return
        assert identity.user == user
        self.came_in(human, user)

    @rule(name=names, human=st.sampled_from((ONE, TWO)))
    def somebody_signs_in_by_openid_connect(self, name: str, human: Human) -> None:
        try:
            user = self.harbour.onboarding.sign_in(Person(OIDC, human.subject, name), SOURCE)
        except NotOnboarded:
            return
        self.came_in(human, user)

    @rule(name=names)
    def an_account_is_removed(self, name: str) -> None:
        if self.store.find_user(UserName(name)) is not None:
            self.harbour.accounts.remove_user(name)

    @rule(name=names, disabled=st.booleans())
    def an_account_is_disabled_or_enabled(self, name: str, disabled: bool) -> None:
        if self.store.find_user(UserName(name)) is not None:
            self.harbour.accounts.set_disabled(name, disabled)

    @rule(name=names)
    def an_account_gets_an_access_token_and_a_refresh_token(self, name: str) -> None:
        identity = self.store.read(UserName(name), [])
        user = identity.user
        if user is None or user.disabled:
            return
        maker = TokenAccounts(self.store, actor=SOURCE, clock=self.harbour.clock)
        _, secret = maker.create(identity, f"token {len(self.kept)}", TokenLevel.WRITE, (), NEVER)
        self.kept.append((user.id, secret))
        if user.provider == LOCAL:
            try:
                issued = self.harbour.issue(self.harbour.tokens.credentials(name, LOU.password), offline=True)
            except (TokenRefused, TooManyAttempts):
                return
            self.refreshing.append((user.id, issued.refresh_token or ""))

    @rule(seconds=st.sampled_from((1, 61, 1_000)))
    def time_passes(self, seconds: int) -> None:
        self.harbour.clock.now += seconds

    @invariant()
    def a_token_leads_to_the_account_that_it_was_made_for_alone(self) -> None:
        for account, secret in self.kept:
            try:
                user, _ = self.tokens.sign_in("", secret)
            except TokenRejected:
                continue
            assert user.id == account and not user.disabled
        for account, secret in self.refreshing:
            try:
                issued = self.harbour.issue(Refresh(secret))
            except TokenRefused:
                continue
            found = self.store.find_user(UserName(issued.subject.name))
            assert found is not None and found.id == account and not found.disabled

    @invariant()
    def a_subject_has_one_account_at_most(self) -> None:
        users = [user for name in NAMES if (user := self.store.find_user(UserName(name))) is not None]
        subjects = [(user.provider, user.subject) for user in users if user.provider != LOCAL]
        assert len(subjects) == len(set(subjects))
        for user in users:
            if user.provider != LOCAL:
                assert self.store.find_subject(user.provider, user.subject) == user.name


TestAccounts = Accounts.TestCase
TestAccounts.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
