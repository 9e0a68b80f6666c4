"""The token function's settings. docs/settings.md documents them; a test compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.hosting.environ import Environ
from functions.hosting.tracing import Tracing
from roadstead.identity.tokens.certificates import Mode
from roadstead.identity.tokens.jose import MIN_TOKEN_LIFETIME, TOKEN_LIFETIME

_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds. `token_keys` are ids of KMS keys: the first signs, all are trusted.
    `token_public_keys` are their points (`Environ.public_keys`); if it is empty, KMS is asked.

    `edge_secret_parameter` is empty without a distribution in front, `ldap_function` where there is none,
    `sts_endpoint` where STS is asked at its public hosts alone. `via_distribution_only` refuses every request that did
    not come through the distribution. `internal_issuers` lets identity tokens be of issuers that are not public, by
    plain HTTP too.
    """

    identity_table: str
    index_table: str
    token_keys: tuple[str, ...]
    token_public_keys: Mapping[str, bytes]
    token_issuer: str
    token_service: str
    token_lifetime: int
    token_mode: Mode
    refresh_tokens: bool
    refresh_token_lifetime: int
    refresh_token_idle: int
    configuration_secrets: str
    ldap_function: str
    internal_issuers: bool
    sts_endpoint: str
    edge_secret_parameter: str
    via_distribution_only: bool
    tracing: Tracing
    metrics: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Raises SettingsError naming every missing or invalid key. An empty value counts as missing."""
        read = Environ(environ)
        only = read.flag("VIA_DISTRIBUTION_ONLY")
        token_keys = read.texts("TOKEN_KEYS")
        settings = cls(
            identity_table=read.text("IDENTITY_TABLE"),
            index_table=read.text("INDEX_TABLE"),
            token_keys=token_keys,
            token_public_keys=read.public_keys("TOKEN_PUBLIC_KEYS", token_keys),
            token_issuer=read.name("TOKEN_ISSUER", "roadstead"),
            token_service=read.name("TOKEN_SERVICE", "roadstead"),
            token_lifetime=read.number("TOKEN_LIFETIME", 900, least=MIN_TOKEN_LIFETIME, most=TOKEN_LIFETIME),
            token_mode=read.choice("TOKEN_MODE", Mode.CERTIFIED),
            refresh_tokens=read.flag("REFRESH_TOKENS"),
            refresh_token_lifetime=read.number("REFRESH_TOKEN_LIFETIME", 90 * _DAY, least=3_600, most=3_650 * _DAY),
            refresh_token_idle=read.number("REFRESH_TOKEN_IDLE", 30 * _DAY, least=3_600, most=3_650 * _DAY),
            configuration_secrets=read.text("CONFIGURATION_SECRETS_PREFIX", "/roadstead/configuration"),
            ldap_function=read.text("LDAP_FUNCTION", ""),
            internal_issuers=read.flag("INTERNAL_ISSUERS"),
            sts_endpoint=read.origin("STS_ENDPOINT", "", secure=True),
            edge_secret_parameter=read.text("EDGE_SECRET_PARAMETER", None if only else ""),
            via_distribution_only=only,
            tracing=read.choice("TRACING", Tracing.OFF),
            metrics=read.flag("METRICS"),
        )
        read.check()
        return settings
