"""The Lambda functions and the HTTP API's routes to them, as the CDK app declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local.cloud.resources import (
    AUDIT_LOG_GROUP,
    BLOB_URL_KEY_PARAMETER,
    EDGE_SECRET_PARAMETER,
    OBJECT_EVENTS_QUEUE,
    Resources,
)

SERVICE = "roadstead"  # the `service` of the token specification, the same for every host name
ISSUER = "roadstead"
LDAP_FUNCTION = "roadstead-prod-ldap"
BLOB_URL_KEY_ID = "KLOCAL"  # in the form of CloudFront's key ids


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function. `handler` is as in Lambda's configuration; `memory` is in MB."""

    name: str
    handler: str
    memory: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Distribution:
    """The edge in front of the API; `serves_blobs` if blobs are pulled through it, too."""

    url: str
    serves_blobs: bool = False


def registry_environment(resources: Resources, distribution: Distribution | None) -> dict[str, str]:
    """Return the variables of the registry function and the relay."""
    environment = {
        "TOKEN_KEYS": resources.token_key,
        "TOKEN_PUBLIC_KEYS": resources.token_public_key,
        "TOKEN_ISSUER": ISSUER,
        "TOKEN_SERVICE": SERVICE,
        "INDEX_TABLE": resources.index_table,
        "BUCKET": resources.bucket,
        "UPLOAD_KEYS_PARAMETER": resources.upload_keys_parameter,
    }
    if distribution is not None:
        environment |= {"DISTRIBUTION_URL": distribution.url, "EDGE_SECRET_PARAMETER": EDGE_SECRET_PARAMETER}
        if distribution.serves_blobs:
            environment |= {
                "BLOBS_AT": "distribution",
                "BLOB_URL_KEY_ID": BLOB_URL_KEY_ID,
                "BLOB_URL_KEY_PARAMETER": BLOB_URL_KEY_PARAMETER,
            }
    return environment


def functions(
    resources: Resources,
    aws: Mapping[str, str],
    distribution: Distribution | None,
    host: str = "localhost",
    collect: Mapping[str, str] | None = None,
    invocations: Mapping[str, str] | None = None,
    ldap: Mapping[str, str] | None = None,
) -> tuple[Function, ...]:
    """Return the functions with their variables. `aws` tells boto3 where AWS is; `host` is the registry's name.

    `collect` are the collector's times for a trial, `invocations` tell where functions are invoked, `ldap` are the ldap
    function's variables.
    """
    token = {
        "TOKEN_KEYS": resources.token_key,
        "TOKEN_PUBLIC_KEYS": resources.token_public_key,
        "TOKEN_ISSUER": ISSUER,
        "TOKEN_SERVICE": SERVICE,
        "IDENTITY_TABLE": resources.identity_table,
        "INDEX_TABLE": resources.index_table,
        "LDAP_FUNCTION": LDAP_FUNCTION,
        "INTERNAL_ISSUERS": "on",  # an issuer in development runs on this machine
        **(invocations or {}),
    }
    sts = {"STS_ENDPOINT": aws["AWS_ENDPOINT_URL"]} if "AWS_ENDPOINT_URL" in aws else {}  # the embedded AWS's
    token |= sts
    if distribution is not None:
        token["EDGE_SECRET_PARAMETER"] = EDGE_SECRET_PARAMETER
    management = {
        "IDENTITY_TABLE": resources.identity_table,
        "INDEX_TABLE": resources.index_table,
        "BUCKET": resources.bucket,
        "NOTIFICATION_QUEUE_URL": resources.notifications_url,
        "WEBHOOK_REACH": "internal",
        "WEBHOOK_PORTS": "any",
        "LDAP_FUNCTION": LDAP_FUNCTION,
        **(invocations or {}),
        **sts,
    }
    if distribution is not None:
        management |= {"EDGE_SECRET_PARAMETER": EDGE_SECRET_PARAMETER, "EXTERNAL_URL": distribution.url}
    collector = {
        "INDEX_TABLE": resources.index_table,
        "IDENTITY_TABLE": resources.identity_table,
        "BUCKET": resources.bucket,
        **(collect or {}),
    }
    webhook = {
        "AUDIT_LOG_GROUP": AUDIT_LOG_GROUP,
        "AUDIT_DEAD_LETTERS_URL": resources.dead_letters_url,
        "INDEX_TABLE": resources.index_table,
        "IDENTITY_TABLE": resources.identity_table,
        "BUCKET": resources.bucket,
        "OBJECT_EVENTS_QUEUE": OBJECT_EVENTS_QUEUE,
        "NOTIFICATION_QUEUE_URL": resources.notifications_url,
        "NOTIFICATION_DEAD_LETTERS_URL": resources.notification_dead_letters_url,
        "REGISTRY_HOST": host,
        "WEBHOOK_REACH": "internal",  # a receiver in development runs on this machine
        "WEBHOOK_PORTS": "any",
    }
    indexer = {
        "INDEX_TABLE": resources.index_table,
        "BUCKET": resources.bucket,
        "INDEX_DEAD_LETTERS_URL": resources.index_dead_letters_url,
    }
    return (
        Function("registry", "app.registry", 512, {**aws, **registry_environment(resources, distribution)}),
        Function("token", "app.token", 512, {**aws, **token}),
        Function("management", "app.management", 1024, {**aws, **management}),
        Function("collector", "app.collector", 512, {**aws, **collector}),
        Function("webhook", "app.webhook", 256, {**aws, **webhook}),
        Function("indexer", "app.indexer", 512, {**aws, **indexer}),
        Function("ldap", "app.ldap", 512, {**(ldap or {})}),
    )
