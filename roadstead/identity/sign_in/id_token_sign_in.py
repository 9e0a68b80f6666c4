"""Coming in by an id token of a configured provider of OpenID Connect, as Harbor's management API lets people do.

The token says who somebody is, and nothing else: the account exists since a sign-in in the browser, and its groups and
the administrators' right are those of that sign-in. Claims of the token do not change them, since it may be older than
the last sign-in, and may lack what `userinfo` has. Nothing is written, and no session begins.

Imported once such a token is sent: what it takes is not part of a start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.directory import Identity, User, UserName
from roadstead.identity.people import OIDC
from roadstead.identity.providers import id_tokens
from roadstead.identity.providers.id_tokens import TokenInvalid
from roadstead.identity.providers.oidc_provider import OidcProvider
from roadstead.identity.providers.oidc_settings import FIRST, OidcSettings, provider_of
from roadstead.identity.sign_in.token_sign_in import BELIEVED_DAYS, BELIEVED_SECONDS, TokenRejected
from roadstead.identity.stores import Identities, Users
from roadstead.names import ProjectName


class IdTokenRejected(TokenRejected):
    """`provider` is the id of the provider whose token it claims to be, `user` whose it is, once that is verified."""

    def __init__(self, message: str, provider: str = FIRST, user: UserName | None = None) -> None:
        super().__init__(message)
        self.provider = provider
        self.user = user


class IdTokenStore(Identities, Users, Protocol):
    """The parts of the identity store that an id token needs."""


class IdTokenLogin:
    """Verifies id tokens. Costs two reads, a token that is not accepted none.

    The issuer must be a configured provider's: no other is asked. Failures are not counted: nobody guesses a signature.
    """

    def __init__(
        self,
        store: IdTokenStore,
        provider: OidcProvider,
        configuration: ConfigurationReader,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._provider = provider
        self._configuration = configuration
        self._clock = clock

    def sign_in(self, token: str, projects: Iterable[ProjectName] = ()) -> tuple[User, Identity]:
        """Return the user, and what the store has of them and of `projects`. Raises IdTokenRejected, ProviderFailed."""
        provider, subject = self._verified(token)
        name = self._store.find_subject(OIDC, subject)
        identity = self._store.read(name, projects) if name is not None else Identity()
        user = identity.user
        if user is None or (user.provider, user.subject) != (OIDC, subject):
            raise IdTokenRejected("the id token's person has no account here: sign in once in the browser", provider)
        if user.disabled:
            raise IdTokenRejected("the account is disabled: ask an administrator of the registry", provider, user.name)
        if self._clock() - user.confirmed > BELIEVED_SECONDS:
            message = f"the last sign-in is more than {BELIEVED_DAYS} days ago: sign in once in the browser"
            raise IdTokenRejected(message, provider, user.name)
        return user, identity

    def _verified(self, token: str) -> tuple[str, str]:
        """Return the id of the provider and the person's subject. Raises IdTokenRejected, ProviderFailed."""
        provider: str | None = None
        try:
            issuer, configuration = id_tokens.issuer_of(token), self._configuration.read()
            provider = provider_of(configuration, issuer)
            if provider is None:
                raise TokenInvalid("its issuer is no provider of this registry")
            settings = OidcSettings.of(configuration.provider(provider), "", provider)
            return provider, self._provider.subject_of(settings, token)
        except TokenInvalid as error:
            raise IdTokenRejected(f"the id token is not accepted: {error}", provider or FIRST) from error
