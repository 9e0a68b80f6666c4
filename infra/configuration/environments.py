"""The environment variables (docs/settings.md) of the functions and the relay of a deployment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.collector.settings import Settings as CollectorSettings
from functions.distribution.settings import STAGE
from functions.distribution.settings import Settings as RegistrySettings
from functions.hosting.environ import SettingsError as WrongEnvironment
from functions.indexer.settings import Settings as IndexerSettings
from functions.ldap.settings import Settings as LdapSettings
from functions.management.settings import Settings as ManagementSettings
from functions.relay.settings import RelaySettings
from functions.token.settings import Settings as TokenSettings
from functions.webhook.settings import Settings as WebhookSettings
from infra.configuration.names import Names
from infra.configuration.relay_settings import RelayKind
from infra.configuration.settings import Settings, SettingsError

RELAY_PORT = 8080
DRAIN_SECONDS = 110  # Fargate kills after 120


@dataclass(frozen=True, slots=True)
class Addresses:
    """What is known only after its creation. `blob_url_key_id` is empty if clients pull blobs from S3.

    `uploads_url` is empty unless the relay has a public name of its own."""

    bucket: str
    token_keys: str
    token_public_keys: str
    distribution_url: str
    uploads_url: str
    registry_host: str
    blob_url_key_id: str
    audit_dead_letters_url: str
    notification_queue_url: str
    notification_dead_letters_url: str
    index_dead_letters_url: str


_STAND_INS = Addresses(
    *("bucket", "key", "", "https://registry.example.com", "", "registry.example.com", ""),
    *("url", "url", "url", "url"),
)


def registry(settings: Settings, at: Addresses) -> dict[str, str]:
    names = Names(settings.name)
    environment = {
        "INDEX_TABLE": names.index_table,
        "BUCKET": at.bucket,
        "TOKEN_KEYS": at.token_keys,
        "TOKEN_PUBLIC_KEYS": at.token_public_keys,
        "TOKEN_ISSUER": "roadstead",
        "TOKEN_SERVICE": "roadstead",
        "UPLOAD_KEYS_PARAMETER": names.upload_keys_parameter,
        "DISTRIBUTION_URL": STAGE,  # its URL is an origin of the distribution, so it cannot name the distribution
        "EDGE_SECRET_PARAMETER": names.edge_secret_parameter,
        "VIA_DISTRIBUTION_ONLY": _flag(settings.api.closed),
    }
    if at.uploads_url:
        environment["UPLOADS_URL"] = at.uploads_url
    if settings.api.challenge != "direct":
        environment["CHALLENGE"] = settings.api.challenge
    if at.blob_url_key_id:
        environment |= {
            "BLOBS_AT": "distribution",
            "BLOB_URL_KEY_ID": at.blob_url_key_id,
            "BLOB_URL_KEY_PARAMETER": names.blob_url_key_parameter,
        }
    return environment


def token(settings: Settings, at: Addresses) -> dict[str, str]:
    names = Names(settings.name)
    return {
        "IDENTITY_TABLE": names.identity_table,
        "INDEX_TABLE": names.index_table,
        "TOKEN_KEYS": at.token_keys,
        "TOKEN_PUBLIC_KEYS": at.token_public_keys,
        "TOKEN_ISSUER": "roadstead",
        "TOKEN_SERVICE": "roadstead",
        "CONFIGURATION_SECRETS_PREFIX": names.configuration_secrets,
        "LDAP_FUNCTION": names.function("ldap"),
        "EDGE_SECRET_PARAMETER": names.edge_secret_parameter,
        "VIA_DISTRIBUTION_ONLY": _flag(settings.api.closed),
    }


def management(settings: Settings, at: Addresses) -> dict[str, str]:
    names = Names(settings.name)
    return {
        "IDENTITY_TABLE": names.identity_table,
        "INDEX_TABLE": names.index_table,
        "CONFIGURATION_SECRETS_PREFIX": names.configuration_secrets,
        "COLLECTOR_FUNCTION": names.function("collector"),
        "BUCKET": at.bucket,
        "LDAP_FUNCTION": names.function("ldap"),
        "EXTERNAL_URL": at.distribution_url,
        "EDGE_SECRET_PARAMETER": names.edge_secret_parameter,
        "VIA_DISTRIBUTION_ONLY": _flag(settings.api.closed),
        "NOTIFICATION_QUEUE_URL": at.notification_queue_url,
        "WEBHOOK_SECRETS_PREFIX": names.webhook_secrets,
        "READS": settings.distribution.reads,
        "RELAY_KIND": settings.relay.kind.value,
        **_of_others(settings),
    }


def _of_others(settings: Settings) -> dict[str, str]:
    """What the operator set for functions whose limits the management API shows, or keeps to."""
    shown = {"token": ("TOKEN_LIFETIME",), "webhook": ("WEBHOOK_PORTS", "WEBHOOK_REACH")}
    return {
        name: settings.environment[function][name]
        for function, names in shown.items()
        for name in names
        if name in settings.environment[function]
    }


def collector(settings: Settings, at: Addresses) -> dict[str, str]:
    """`COLLECT_TRIAL` is set here so that an operator cannot: shorter times are not safe beside pushes."""
    names = Names(settings.name)
    return {
        "INDEX_TABLE": names.index_table,
        "IDENTITY_TABLE": names.identity_table,
        "BUCKET": at.bucket,
        "COLLECT_TRIAL": "off",
        "RECOVERY_DAYS": str(settings.retention.recovery),
    }


def webhook(settings: Settings, at: Addresses) -> dict[str, str]:
    names = Names(settings.name)
    return {
        "AUDIT_LOG_GROUP": names.audit_log_group,
        "AUDIT_DEAD_LETTERS_URL": at.audit_dead_letters_url,
        "INDEX_TABLE": names.index_table,
        "IDENTITY_TABLE": names.identity_table,
        "BUCKET": at.bucket,
        "OBJECT_EVENTS_QUEUE": names.object_events_queue,
        "NOTIFICATION_QUEUE_URL": at.notification_queue_url,
        "NOTIFICATION_DEAD_LETTERS_URL": at.notification_dead_letters_url,
        "WEBHOOK_SECRETS_PREFIX": names.webhook_secrets,
        "REGISTRY_HOST": at.registry_host,
    }


def indexer(settings: Settings, at: Addresses) -> dict[str, str]:
    return {
        "INDEX_TABLE": Names(settings.name).index_table,
        "BUCKET": at.bucket,
        "INDEX_DEAD_LETTERS_URL": at.index_dead_letters_url,
    }


def ldap(settings: Settings, at: Addresses) -> dict[str, str]:
    """Nothing: what it is asked brings the directory's settings along."""
    return {}


def relay(settings: Settings, at: Addresses) -> dict[str, str]:
    """The registry's variables, those that the operator set included: both must agree on an upload's limits.

    A web function's origin is part of the distribution, so its variables cannot name the distribution. They need not:
    all of its requests come through the distribution, which passes its host name along. A relay with a public name
    gets others, too.
    """
    variables = {
        **registry(settings, replace(at, blob_url_key_id="")),  # it serves no blobs
        **settings.environment["registry"],
        "RELAY_UPLOADS": str(settings.relay.uploads),
        "VIA_DISTRIBUTION_ONLY": _flag(not settings.relay.public_domain),
    }
    if settings.relay.kind is RelayKind.FARGATE:
        fargate = {"RELAY_PORT": str(RELAY_PORT), "RELAY_DRAIN_SECONDS": str(DRAIN_SECONDS)}
        return {**variables, **fargate, "DISTRIBUTION_URL": at.distribution_url}
    del variables["DISTRIBUTION_URL"]
    return variables


def _flag(value: bool) -> str:
    return "on" if value else "off"


_MAKERS: Mapping[str, Callable[[Settings, Addresses], dict[str, str]]] = {
    "registry": registry,
    "token": token,
    "management": management,
    "collector": collector,
    "webhook": webhook,
    "indexer": indexer,
    "ldap": ldap,
    "relay": relay,
}


def _made(name: str, settings: Settings, at: Addresses) -> dict[str, str]:
    return {**_MAKERS[name](settings, at), "METRICS": _flag(settings.metrics)}


def environment(name: str, settings: Settings, at: Addresses) -> dict[str, str]:
    """Return the variables of the function or relay `name`, those that the operator set included."""
    return {**_made(name, settings, at), **settings.environment[name]}


def check(settings: Settings) -> None:
    """Try the operator's variables on the functions' own settings. Raises SettingsError."""
    readers: dict[str, tuple[Callable[[Mapping[str, str]], Any], ...]] = {
        "registry": (RegistrySettings.from_environ,),
        "token": (TokenSettings.from_environ,),
        "management": (ManagementSettings.from_environ,),
        "collector": (CollectorSettings.from_environ,),
        "webhook": (WebhookSettings.from_environ,),
        "indexer": (IndexerSettings.from_environ,),
        "ldap": (LdapSettings.from_environ,),
        "relay": (RegistrySettings.from_environ, RelaySettings.from_environ),
    }
    problems = []
    nothing: dict[str, dict[str, str]] = {name: {} for name in readers}
    for name, read in readers.items():
        made = _made(name, replace(settings, environment=nothing), _STAND_INS)
        taken = sorted(set(settings.environment[name]) & set(made))
        problems += [f"environment.{name}.{key} is set by the deployment" for key in taken]
        for one in read:
            try:
                one(environment(name, settings, _STAND_INS))
            except WrongEnvironment as error:
                problems.append(f"environment.{name}: {error}")
    if problems:
        raise SettingsError("; ".join(problems))
