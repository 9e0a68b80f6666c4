"""Verifies what machines send in place of a robot's secret: identity tokens of issuers that the configuration allows,
and calls that AWS credentials signed.

Imported once such a text is sent: what it takes is not part of a start, and what AWS IAM takes is imported once a
signed call is sent to a robot with a rule for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.providers import id_tokens, signed_calls
from roadstead.identity.providers.id_tokens import TokenInvalid
from roadstead.identity.providers.oidc_provider import OidcProvider
from roadstead.identity.providers.signed_calls import CallInvalid, SignedCall, is_signed_call
from roadstead.identity.providers.trust import AWS, TrustRule
from roadstead.identity.robots.robot_sign_in import TokenNotTrusted
from roadstead.outbound.endpoint import EndpointPolicy
from roadstead.outbound.https import HttpsPoster

if TYPE_CHECKING:
    from roadstead.identity.providers.aws_principals import Sts


class Keyless:
    """An identity token costs nothing while the issuer's keys are known; otherwise two requests to the issuer, an hour
    apart at least. A signed call costs one request to STS, a minute apart at least."""

    def __init__(
        self, provider: OidcProvider, configuration: ConfigurationReader, sts: Callable[[], Sts] | None = None
    ) -> None:
        self._provider = provider
        self._configuration = configuration
        self._sts = sts or _no_sts

    def check(self, token: str, rules: Iterable[TrustRule]) -> str:
        """Return what the trail keeps. Raises TokenNotTrusted, ProviderFailed."""
        try:
            if is_signed_call(token):
                return self._check_call(SignedCall.parse(token), rules)
            return _of_token(self.claims_of(token, rules))
        except (TokenInvalid, CallInvalid) as error:
            what = "signed call" if is_signed_call(token) else "identity token"
            raise TokenNotTrusted(f"the {what} is not accepted: {error}", self.describe(token)) from error

    def describe(self, token: str) -> str:
        """Return what the trail keeps of a token or call that is refused: what it claims, unverified."""
        if is_signed_call(token):
            return _of_aws(" ".join(f"{name}={value}" for name, value in signed_calls.claimed(token).items()))
        try:
            return _of_token(id_tokens.claims_of(token))
        except TokenInvalid:
            return _of_token({})

    def claims_of(self, token: str, rules: Iterable[TrustRule]) -> Mapping[str, Any]:
        """Return the verified claims of a token that fits one of `rules`. Raises TokenInvalid, ProviderFailed."""
        issuer = id_tokens.issuer_of(token)
        fitting = [rule for rule in rules if rule.issuer == issuer and issuer != AWS]
        if not fitting:
            raise TokenInvalid("the robot trusts no token of this issuer")
        if not self._allows(issuer):
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

    def _check_call(self, call: SignedCall, rules: Iterable[TrustRule]) -> str:
        """Ask STS only where one of the rules could fit. Raises CallInvalid, TokenNotTrusted, ProviderFailed."""
        ours = [rule for rule in rules if rule.issuer == AWS]
        if not ours:
            raise CallInvalid("the robot trusts no AWS credentials")
        if not self._allows(AWS):
            raise CallInvalid("aws is not among keyless_issuers any more")
        fitting = [rule for rule in ours if rule.audience == call.registry]
        if not fitting:
            raise CallInvalid(f"the call is signed for the registry {call.registry}, and the rules name another")
        principal = self._sts().principal(call)
        described = _of_aws(principal.described())
        if not any(rule.fits(principal.claims()) for rule in fitting):
            message = f"{principal.arn} fits no rule of the robot"
            raise TokenNotTrusted(f"the signed call is not accepted: {message}", described)
        return described

    def _allows(self, issuer: str) -> bool:
        return issuer in self._configuration.read().text("keyless_issuers").split()


def keyless(configuration: ConfigurationReader, sts_endpoint: str = "", *, internal: bool = False) -> Keyless:
    """Return a Keyless that asks issuers in times that fit into a token request.

    It reaches public addresses by HTTPS alone; with `internal` any address and port of an issuer, by plain HTTP too.
    """

    @cache
    def made() -> Sts:
        from roadstead.identity.providers.aws_principals import sts

        return sts(sts_endpoint)

    policy = EndpointPolicy(ports=frozenset(), internal=True) if internal else EndpointPolicy()
    return Keyless(OidcProvider(HttpsPoster(policy, connect=2.0, total=3.0)), configuration, made)


def _no_sts() -> Sts:
    raise CallInvalid("signed calls are not accepted here")


def _of_token(claims: Mapping[str, Any]) -> str:
    named = (("issuer", "iss"), ("subject", "sub"), ("token", "jti"))
    said = (f" {name}={str(claims[claim])[:200]}" for name, claim in named if claim in claims)
    return "method=identity-token" + "".join(said)


def _of_aws(said: str) -> str:
    return f"method=aws-iam {said}".rstrip()
