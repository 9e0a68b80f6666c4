"""The management function's settings; docs/settings.md lists them, and a test holds that list to this class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.hosting.environ import Environ
from functions.hosting.tracing import Tracing
from functions.management.costs import Reads, Relay
from roadstead.identity.tokens.jose import MIN_TOKEN_LIFETIME, TOKEN_LIFETIME
from roadstead.outbound.endpoint import EndpointPolicy, Ports, Reach, policy_of

_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Settings:
    """`session_idle`, `session_lifetime` and `token_lifetime` in seconds; the last one is the token function's, and
    only shown. `external_url` is where people reach the registry, "" if any host name is as good.
    `edge_secret_parameter` is empty without a distribution, `ldap_function` where there is none,
    `sts_endpoint` where STS is asked at its public hosts alone.
    `collector_function` is the name of the function that runs executions; without one, they wait for its tick.

    `reads` and `relay` are the deployment's, for the estimate of costs.

    With `via_distribution_only` every request that did not come through the distribution is refused.
    """

    identity_table: str
    index_table: str
    collector_function: str
    bucket: str
    session_idle: int
    session_lifetime: int
    token_lifetime: int
    configuration_secrets: str
    notification_queue_url: str
    webhook_secrets: str
    webhook_endpoints: EndpointPolicy
    ldap_function: str
    sts_endpoint: str
    external_url: str
    edge_secret_parameter: str
    via_distribution_only: bool
    reads: Reads
    relay: Relay
    tracing: Tracing
    metrics: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Raises SettingsError that names every missing or wrong key."""
        read = Environ(environ)
        only = read.flag("VIA_DISTRIBUTION_ONLY")
        settings = cls(
            identity_table=read.text("IDENTITY_TABLE"),
            index_table=read.text("INDEX_TABLE"),
            collector_function=read.text("COLLECTOR_FUNCTION", ""),
            bucket=read.text("BUCKET"),
            session_idle=read.number("SESSION_IDLE", _HOUR, least=300, most=7 * 24 * _HOUR),
            session_lifetime=read.number("SESSION_LIFETIME", 12 * _HOUR, least=_HOUR, most=30 * 24 * _HOUR),
            token_lifetime=read.number("TOKEN_LIFETIME", 900, least=MIN_TOKEN_LIFETIME, most=TOKEN_LIFETIME),
            notification_queue_url=read.text("NOTIFICATION_QUEUE_URL", ""),
            webhook_secrets=read.text("WEBHOOK_SECRETS_PREFIX", "/roadstead/webhooks"),
            webhook_endpoints=policy_of(
                read.choice("WEBHOOK_PORTS", Ports.COMMON), read.choice("WEBHOOK_REACH", Reach.PUBLIC)
            ),
            configuration_secrets=read.text("CONFIGURATION_SECRETS_PREFIX", "/roadstead/configuration"),
            ldap_function=read.text("LDAP_FUNCTION", ""),
            sts_endpoint=read.origin("STS_ENDPOINT", "", secure=True),
            external_url=read.origin("EXTERNAL_URL", ""),
            edge_secret_parameter=read.text("EDGE_SECRET_PARAMETER", None if only else ""),
            via_distribution_only=only,
            reads=read.choice("READS", Reads.UNKNOWN),
            relay=read.choice("RELAY_KIND", Relay.UNKNOWN),
            tracing=read.choice("TRACING", Tracing.OFF),
            metrics=read.flag("METRICS"),
        )
        read.check()
        return settings
