"""A token service on stores in memory, with a clock that tests turn and a hasher that counts."""

from __future__ import annotations

from dataclasses import dataclass, field

from roadstead.identity.access import Access, parse_scopes
from roadstead.identity.accounts import Accounts
from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.providers.onboarding import Onboarding, StoredGroups
from roadstead.identity.robots.robot_sign_in import RobotLogin
from roadstead.identity.sign_in.login import PasswordLogin
from roadstead.identity.sign_in.passwords import PasswordVerifier
from roadstead.identity.sign_in.token_sign_in import TokenLogin
from roadstead.identity.sign_in.ways_in import Credentials, Password
from roadstead.identity.tokens.certificates import CertifiedSigning, DirectSigning, TrustedKey
from roadstead.identity.tokens.jose import trusted_keys
from roadstead.identity.tokens.minting import TokenMinter
from roadstead.identity.tokens.refresh_tokens import RefreshPolicy
from roadstead.identity.tokens.tokens import IssuedToken, StartQuota, TokenRequest, TokenService
from roadstead.identity.tokens.verification import Caller, TokenVerifier
from tests.memory.identity import MemoryIdentities
from tests.memory.signing import MemoryKeys

NOON = 1_800_000_000
PASSWORD = "correct horse battery"


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class CountingHasher:
    """A hasher whose work is to be counted, not waited for. `version` stands for the parameters."""

    version: int = 1
    hashed: int = 0
    verified: list[str] = field(default_factory=list)  # the PHC strings

    def hash(self, password: str) -> str:
        self.hashed += 1
        return f"v{self.version}${password[::-1]}"

    def verify(self, password: str, phc: str) -> bool:
        self.verified.append(phc)
        return phc.partition("$")[2] == password[::-1]

    def is_current(self, phc: str) -> bool:
        return phc.startswith(f"v{self.version}$")


@dataclass
class Harbour:
    """Everything of the issuing side and the verifier, wired as the functions wire them."""

    direct: bool = False
    issuer: str = "roadstead"
    service: str = "roadstead"
    lifetime: int = 900
    refresh: RefreshPolicy | None = RefreshPolicy(lifetime=90 * 86400, idle=30 * 86400)  # noqa: RUF009 - frozen
    configuration: ConfigurationReader | None = None
    start_quota: StartQuota | None = None
    clock: Clock = field(default_factory=Clock)
    hasher: CountingHasher = field(default_factory=CountingHasher)
    store: MemoryIdentities = field(default_factory=MemoryIdentities)
    keys: MemoryKeys = field(default_factory=lambda: MemoryKeys("one", "two"))
    trusted: tuple[str, ...] = ("one",)

    def __post_init__(self) -> None:
        trusted = TrustedKey(self.trusted[0], self.keys, self.keys)
        self.signing = (
            DirectSigning(trusted)
            if self.direct
            else CertifiedSigning(trusted, issuer=self.issuer, service=self.service, clock=self.clock)
        )
        self.minter = TokenMinter(
            self.signing, issuer=self.issuer, service=self.service, lifetime=self.lifetime, clock=self.clock
        )
        passwords = PasswordVerifier(self.hasher, clock=self.clock)
        self.onboarding = Onboarding(self.store, StoredGroups(self.store), clock=self.clock)
        self.tokens = TokenService(
            self.store,
            PasswordLogin(self.store, passwords, self.onboarding, clock=self.clock),
            RobotLogin(self.store, passwords, clock=self.clock),
            TokenLogin(self.store, clock=self.clock),
            self.minter,
            refresh=self.refresh,
            configuration=self.configuration,
            start_quota=self.start_quota,
            clock=self.clock,
        )
        self.accounts = Accounts(self.store, self.hasher, clock=self.clock)
        self.verifier = TokenVerifier(
            lambda: trusted_keys(self.keys, self.trusted),
            issuer=self.issuer,
            service=self.service,
            clock=self.clock,
        )

    def issue(self, credentials: Credentials, *scopes: str, client_id: str = "", offline: bool = False) -> IssuedToken:
        return self.tokens.issue(TokenRequest(credentials, parse_scopes(scopes), client_id, offline))

    def caller(self, credentials: Credentials, *scopes: str) -> Caller:
        """What the registry sees of the token that is issued."""
        return self.verifier.verify(self.issue(credentials, *scopes).minted.token)

    def granted(self, credentials: Credentials, *scopes: str) -> dict[str, set[str]]:
        """The actions granted, by the name of the resource."""
        return {access.name: set(access.actions) for access in self.caller(credentials, *scopes).granted.access}


def by_password(user: str, password: str = PASSWORD) -> Password:
    return Password(user, password)


def repository(name: str, *actions: str) -> Access:
    return Access.to(name, *actions)
