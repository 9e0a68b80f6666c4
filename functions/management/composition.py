"""The composition root of the management function."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from functions.management.console import BUILT, Console
from functions.management.openapi.document import document
from functions.management.routes import ROUTES
from functions.management.services import Content, Services
from functions.management.settings import Settings
from roadstead.administration.project_deletion import ProjectDeletion
from roadstead.aws.catalog.dynamodb_labels import DynamoLabels
from roadstead.aws.catalog.dynamodb_pages import DynamoPages
from roadstead.aws.catalog.dynamodb_pulls import DynamoPullCounts
from roadstead.aws.catalog.dynamodb_repositories import DynamoRepositories
from roadstead.aws.clients import Deferred, client
from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.identity.dynamodb_configuration import DynamoConfiguration
from roadstead.aws.identity.dynamodb_directory_lists import DynamoDirectoryLists
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.identity.dynamodb_states import DynamoStates
from roadstead.aws.identity.ssm_configuration import SsmConfigurationSecrets
from roadstead.aws.lifecycle.dynamodb_executions import DynamoExecutions
from roadstead.aws.lifecycle.dynamodb_retention import DynamoRetention, DynamoRetentionView
from roadstead.aws.lifecycle.dynamodb_schedules import DynamoSchedules
from roadstead.aws.lifecycle.dynamodb_trash import DynamoTrash
from roadstead.aws.lifecycle.lambda_functions import LambdaFunction, LambdaWaker
from roadstead.aws.notifications.dynamodb_notifications import DynamoDeliveryRecords, DynamoWebhooks
from roadstead.aws.notifications.sqs import SqsQueue
from roadstead.aws.notifications.ssm_webhooks import SsmWebhookSecrets
from roadstead.aws.ssm import SsmEdgeSecrets
from roadstead.aws.table import Table
from roadstead.aws.trail.dynamodb_trail import DynamoTrailPages
from roadstead.catalog.artifacts import Artifacts
from roadstead.identity.configuration import Administration, ConfigurationReader
from roadstead.identity.providers.ldap_provider import LdapProvider
from roadstead.identity.providers.oidc_settings import FurtherProviders
from roadstead.identity.providers.onboarding import Onboarding, StoredGroups
from roadstead.identity.providers.remote_ldap import RemoteLdap
from roadstead.identity.robots.robot_sign_in import Keyless, RobotLogin
from roadstead.identity.sign_in.login import PasswordLogin, PasswordProvider
from roadstead.identity.sign_in.passwords import Argon2Hasher, PasswordVerifier
from roadstead.identity.sign_in.sessions import SessionLimits, SessionService
from roadstead.identity.sign_in.token_sign_in import TokenLogin
from roadstead.lifecycle.bucket_audit.execution import BucketAudits
from roadstead.lifecycle.collector.execution import Collections
from roadstead.lifecycle.deletion.trash import Trash
from roadstead.lifecycle.executions.copies import Copies
from roadstead.lifecycle.executions.starter import Starter
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.retention.policies import Retention
from roadstead.notifications.webhooks import Notifications
from roadstead.outbound.https import HttpsPoster
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker

if TYPE_CHECKING:
    from roadstead.identity.providers.oidc_provider import OidcProvider

LDAP_SECONDS = 20  # of the 29 that the function has


def build(settings: Settings) -> Services:
    """Put the services together on DynamoDB, S3 and SSM. Makes clients, but no call."""
    dynamodb = client("dynamodb")
    table = Table(dynamodb, settings.identity_table)
    directory, hasher = DynamoIdentities(table), Argon2Hasher()
    passwords = PasswordVerifier(hasher)
    index = Table(dynamodb, settings.index_table)
    executions, function = DynamoExecutions(index), settings.collector_function
    wake = LambdaWaker(Deferred(lambda: client("lambda")), function) if function else None
    edge_secret = settings.edge_secret_parameter
    pages, manifests = DynamoPages(index), DynamoManifestIndex(index)
    objects = S3Objects(Deferred(lambda: client("s3")), settings.bucket)
    ssm, configuration = client("ssm"), DynamoConfiguration(table)
    configuration_secrets = SsmConfigurationSecrets(ssm, settings.configuration_secrets)
    reader, onboarding = (
        ConfigurationReader(configuration, configuration_secrets),
        Onboarding(directory, StoredGroups(directory)),
    )
    fixed = {
        "token_expiration": settings.token_lifetime // 60,
        "session_timeout": settings.session_idle // 60,
    }
    policies, starter = Policies(DynamoProjectRules(index), EventMaker()), Starter(executions, EventMaker(), wake)
    blobs, repositories, trash = (
        DynamoBlobIndex(index),
        DynamoRepositories(index),
        Trash(DynamoTrash(index), EventMaker()),
    )
    notifications = _notifications(settings, table, index, ssm)
    retention = Retention(
        DynamoRetention(index),
        DynamoSchedules(index),
        DynamoRetentionView(index),
        starter,
        policies.immutable_tags,
        EventMaker(),
    )
    return Services(
        directory=directory,
        policies=policies,
        lists=DynamoDirectoryLists(table),
        hasher=hasher,
        login=PasswordLogin(directory, passwords, onboarding, _provider(settings, reader)),
        onboarding=onboarding,
        oidc=_oidc(settings),
        further_providers=FurtherProviders(configuration, configuration_secrets),
        states=DynamoStates(table),
        ldap=_ldap(settings, reader),
        robots=RobotLogin(directory, passwords, _keyless(settings, reader)),
        access_tokens=TokenLogin(directory),
        pages=pages,
        pulls=DynamoPullCounts(index),
        artifacts=Artifacts(pages, manifests, objects),
        labels=DynamoLabels(index),
        content=Content.of(manifests, blobs, repositories, objects, EventMaker()),
        objects=objects,
        sessions=SessionService(directory, SessionLimits(settings.session_idle, settings.session_lifetime)),
        configuration=reader,
        administration=Administration(configuration, configuration_secrets, fixed=fixed),
        trail=DynamoTrailPages(index),
        notifications=notifications,
        description=_description,
        executions=executions,
        starter=starter,
        trash=trash,
        retention=retention,
        collections=Collections(DynamoSchedules(index), starter, EventMaker()),
        audits=BucketAudits(DynamoSchedules(index), starter, EventMaker()),
        project_deletion=ProjectDeletion(
            directory,
            repositories,
            pages,
            blobs,
            manifests,
            trash,
            retention,
            notifications,
            Copies(executions, starter, EventMaker()),
            EventMaker(),
        ),
        edge_secrets=SsmEdgeSecrets(ssm, edge_secret) if edge_secret else None,
        external_url=settings.external_url,
        via_distribution_only=settings.via_distribution_only,
        console=Console(BUILT),
        reads=settings.reads,
        relay=settings.relay,
    )


def _notifications(
    settings: Settings, identity: Table, index: Table, ssm: Any
) -> Callable[[Actor, str], Notifications]:
    webhooks, records = DynamoWebhooks(identity), DynamoDeliveryRecords(index)
    secrets, poster = SsmWebhookSecrets(ssm, settings.webhook_secrets), HttpsPoster(settings.webhook_endpoints)
    url = settings.notification_queue_url
    queue = SqsQueue(Deferred(lambda: client("sqs")), url) if url else None
    return lambda actor, host: Notifications(webhooks, secrets, records, queue, poster, host=host, actor=actor)


def _keyless(settings: Settings, configuration: ConfigurationReader) -> Callable[[], Keyless]:
    """Return a function that returns what verifies identity tokens; it is imported when the first one comes."""

    @cache
    def made() -> Keyless:
        from roadstead.identity.providers.keyless import keyless

        return keyless(configuration, settings.sts_endpoint, internal=settings.webhook_endpoints.internal)

    return made


def _oidc(settings: Settings) -> Callable[[], OidcProvider]:
    """Return a function that returns what asks providers of OpenID Connect; it is imported when one is first asked."""

    @cache
    def made() -> OidcProvider:
        from roadstead.identity.providers.oidc_provider import OidcProvider

        return OidcProvider(HttpsPoster(settings.webhook_endpoints))

    return made


def _ldap(settings: Settings, configuration: ConfigurationReader) -> Callable[[], LdapProvider | None]:
    """Return a function that returns what asks directories, if there is such a function."""

    @cache
    def directory() -> LdapProvider:
        invoked = Deferred(lambda: client("lambda", patience=LDAP_SECONDS + 1, attempts=1))
        ask = LambdaFunction(invoked, settings.ldap_function).ask
        return LdapProvider(RemoteLdap(ask, patience=LDAP_SECONDS), configuration)

    return lambda: directory() if settings.ldap_function else None


def _provider(settings: Settings, configuration: ConfigurationReader) -> Callable[[], PasswordProvider | None]:
    """Return a function that returns the directory while one is configured."""
    ldap = _ldap(settings, configuration)
    return lambda: ldap() if configuration.read().text("ldap_url") else None


@cache
def _description() -> bytes:
    return json.dumps(document(ROUTES), separators=(",", ":")).encode()
