"""Verifies identity tokens of issuers that the configuration allows, for robots that trust them.

Imported once such a token is sent: what it takes is not part of a start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.providers import id_tokens
from roadstead.identity.providers.id_tokens import TokenInvalid
from roadstead.identity.providers.oidc_provider import OidcProvider
from roadstead.identity.providers.trust import TrustRule
from roadstead.identity.robots.robot_sign_in import TokenNotTrusted
from roadstead.outbound.endpoint import EndpointPolicy
from roadstead.outbound.https import HttpsPoster


class Keyless:
    """Costs nothing while the issuer's keys are known; otherwise two requests to the issuer, an hour apart at least."""

    def __init__(self, provider: OidcProvider, configuration: ConfigurationReader) -> None:
        self._provider = provider
        self._configuration = configuration

    def check(self, token: str, rules: Iterable[TrustRule]) -> None:
        """Raises TokenNotTrusted, ProviderFailed."""
        try:
            self.claims_of(token, rules)
        except TokenInvalid as error:
            raise TokenNotTrusted(str(error)) from error

    def claims_of(self, token: str, rules: Iterable[TrustRule]) -> Mapping[str, Any]:
        """Return the verified claims of a token that fits one of `rules`. Raises TokenInvalid, ProviderFailed."""
        issuer = id_tokens.issuer_of(token)
        fitting = [rule for rule in rules if rule.issuer == issuer]
        if not fitting:
            raise TokenInvalid("the robot trusts no token of this issuer")
        if issuer not in self._configuration.read().text("keyless_issuers").split():
            raise TokenInvalid("the issuer is not among keyless_issuers any more")
        refusal = TokenInvalid("the token's claims fit no rule of the robot")
        for rule in fitting:
            try:
                claims = self._provider.verify(issuer, token, rule.audience)
            except TokenInvalid as error:
                refusal = error
                continue
            if rule.fits(claims):
                return claims
            refusal = TokenInvalid("the token's claims fit no rule of the robot")
        raise refusal


def keyless(configuration: ConfigurationReader, *, internal: bool = False) -> Keyless:
    """Return a Keyless that asks issuers in times that fit into a token request.

    It reaches public addresses by HTTPS alone; with `internal` any address and port, by plain HTTP too.
    """
    policy = EndpointPolicy(ports=frozenset(), internal=True) if internal else EndpointPolicy()
    return Keyless(OidcProvider(HttpsPoster(policy, connect=2.0, total=3.0)), configuration)


def describe(token: str) -> str:
    """Return what the trail keeps of a token: issuer, subject, and the token's id, as it claims them."""
    try:
        claims = id_tokens.claims_of(token)
    except TokenInvalid:
        return ""
    named = (("issuer", "iss"), ("subject", "sub"), ("token", "jti"))
    return " ".join(f"{name}={str(claims[claim])[:200]}" for name, claim in named if claim in claims)
