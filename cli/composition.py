"""Puts a command's services together, on the AWS of its target."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from cli.aws import (
    AwsInspector,
    Clients,
    CloudFrontKeyValues,
    CloudWatchLogs,
    KmsSigningKeys,
    SsmParameters,
    queue_url,
    stack_outputs,
)
from cli.cloud import Inspector, KeyValues, Logs, Parameters, SigningKeys
from cli.doctor.wire import NoResponse, send
from cli.failures import USAGE, Failure
from cli.target import Target
from roadstead import schema
from roadstead.aws.catalog.dynamodb_derived import DynamoDerivedIndex
from roadstead.aws.catalog.dynamodb_repositories import DynamoRepositories
from roadstead.aws.catalog.dynamodb_usage_walk import DynamoUsageWalk
from roadstead.aws.catalog.dynamodb_walk import DynamoWalk
from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.identity.dynamodb_configuration import DynamoConfiguration
from roadstead.aws.identity.dynamodb_directory_lists import DynamoDirectoryLists
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.lifecycle.dynamodb_backlog import DynamoBacklog
from roadstead.aws.lifecycle.dynamodb_explanations import DynamoExplanations
from roadstead.aws.lifecycle.dynamodb_stored import DynamoBlobRecords, DynamoUploadMarks
from roadstead.aws.lifecycle.s3_walk import S3Walk
from roadstead.aws.notifications.dynamodb_notifications import DynamoDeliveryRecords, DynamoWebhooks
from roadstead.aws.notifications.sqs import SqsQueue
from roadstead.aws.notifications.ssm_webhooks import SsmWebhookSecrets
from roadstead.aws.table import Table, put
from roadstead.catalog.indexing import Indexer
from roadstead.catalog.rebuild import Rebuild, Rebuilt
from roadstead.catalog.usage_audit import UsageAudit
from roadstead.identity.accounts import Accounts
from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.directory import Project
from roadstead.identity.lists import DirectoryLists
from roadstead.identity.sign_in.passwords import Argon2Hasher
from roadstead.lifecycle.bucket_audit.comparison import BucketAudit
from roadstead.lifecycle.collector.run import Collector, Times
from roadstead.lifecycle.collector.stores import Stores
from roadstead.lifecycle.policy.changes import Policies
from roadstead.lifecycle.policy.quotas import UNLIMITED
from roadstead.names import RepositoryName
from roadstead.notifications.webhooks import Notifications
from roadstead.outbound.endpoint import EndpointPolicy
from roadstead.outbound.https import HttpsPoster
from roadstead.trail.entries import Actor, ActorKind
from roadstead.trail.events import EventMaker

_PORTS = frozenset({443, 8443})  # WEBHOOK_PORTS=443,8443


def find_target(state: str | None, stack: str | None, region: str | None, environ: Mapping[str, str]) -> Target:
    """Find the registry by the options, by ROADSTEAD_STATE or ROADSTEAD_STACK, or by the functions' own variables.

    Raises Failure.
    """
    if state and stack:
        raise Failure("Give --state or --stack, not both.", USAGE)
    if not state and not stack:
        state, stack = environ.get("ROADSTEAD_STATE"), environ.get("ROADSTEAD_STACK")
    if state:
        return Target.from_state(Path(state))
    if stack:
        clients = Clients(region or environ.get("AWS_REGION", ""))
        return Target.from_outputs(stack, clients.region, stack_outputs(clients.client("cloudformation"), stack))
    if environ.get("IDENTITY_TABLE"):
        return Target.from_environ(environ)
    raise Failure(
        "Which registry? Give --state DIRECTORY for a local one or --stack NAME for a deployed one "
        "(or set ROADSTEAD_STATE, ROADSTEAD_STACK, or the variables of docs/settings.md).",
        USAGE,
    )


class NamedQueue:
    """A Queue whose URL is looked up by name when something is sent: most commands send nothing."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self._name = name

    def send(self, bodies: Sequence[str]) -> None:
        """Send the messages. Raises Failure if there is no such queue."""
        if not self._name:
            raise Failure("This registry has no notification queue: it sends no notifications.")
        sqs = self._clients.client("sqs")
        SqsQueue(sqs, queue_url(sqs, self._name)).send(bodies)


class Cloud:
    """The services and adapters of one target, each created on first use."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._clients = Clients(target.region, target.endpoint, target.credentials_file)

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(DynamoIdentities(self._identity), Argon2Hasher(), actor=Actor(operator(), ActorKind.OPERATOR))

    def create_project(self, name: str, *, public: bool) -> Project:
        """Create a project, with the quota that new projects get. Raises AccountRefused."""
        created = self.accounts.create_project(name, public=public, created_by=operator())
        storage = ConfigurationReader(DynamoConfiguration(self._identity)).read().number("storage_per_project")
        if storage != UNLIMITED:
            index = Table(self._clients.client("dynamodb"), self.target.index_table)
            actor = Actor(operator(), ActorKind.OPERATOR)
            Policies(DynamoProjectRules(index), EventMaker()).start_quota(created.name, storage, actor)
        return created

    @cached_property
    def lists(self) -> DirectoryLists:
        return DynamoDirectoryLists(self._identity)

    def rebuild(self, report: Callable[[RepositoryName], object]) -> Rebuilt:
        """Derive again what pages show, and note the version of the items' shapes."""
        table = Table(self._clients.client("dynamodb"), self.target.index_table)
        rebuilt = Rebuild(self._indexer(table), DynamoWalk(table)).run(report)
        table.write(put(schema.KEY, {"version": schema.VERSION}))
        return rebuilt

    @cached_property
    def parameters(self) -> Parameters:
        return SsmParameters(self._clients.client("ssm"))

    @cached_property
    def key_values(self) -> KeyValues | None:
        """None for a local registry, whose edge reads its keys elsewhere, when it starts."""
        if not self.target.key_value_store:
            return None
        # A global service: the ARN determines the endpoint, and the signature is valid in every region.
        return CloudFrontKeyValues(self._clients.client("cloudfront-keyvaluestore"), self.target.key_value_store)

    @cached_property
    def signing_keys(self) -> SigningKeys:
        return KmsSigningKeys(self._clients.client("kms"))

    def token_trouble(self) -> str:
        """Return why the registry does not publish its token keys; empty if it does, or if its URL is unknown."""
        url = self.target.registry_url or self.target.api_url
        if not url:
            return ""
        try:
            reply = send("GET", f"{url}/.well-known/jwks.json", timeout=30)
        except NoResponse as error:
            return str(error)
        return "" if reply.status == 200 else f"{url}/.well-known/jwks.json responds with {reply}"

    @cached_property
    def inspector(self) -> Inspector:
        return AwsInspector(self._clients)

    @cached_property
    def logs(self) -> Logs:
        return CloudWatchLogs(self._clients.client("logs"))

    def collector(self, grace: float, fence: float) -> Collector:
        """The collector with these times in seconds, on the operator's own credentials."""
        table = Table(self._clients.client("dynamodb"), self.target.index_table)
        stores = Stores(
            backlog=DynamoBacklog(table),
            records=DynamoBlobRecords(table),
            uploads=DynamoUploadMarks(table),
            links=DynamoBlobIndex(table),
            manifests=DynamoManifestIndex(table),
            repositories=DynamoRepositories(table),
            objects=S3Objects(self._clients.client("s3"), self.target.bucket),
            events=EventMaker(),
        )
        return Collector(stores, Times(grace, fence), parallel=8)

    @cached_property
    def bucket_audit(self) -> BucketAudit:
        table, s3 = Table(self._clients.client("dynamodb"), self.target.index_table), self._clients.client("s3")
        objects = S3Objects(s3, self.target.bucket)
        return BucketAudit(S3Walk(s3, self.target.bucket), DynamoExplanations(table), objects, DynamoBacklog(table))

    @cached_property
    def usage_audit(self) -> UsageAudit:
        table = Table(self._clients.client("dynamodb"), self.target.index_table)
        derived, manifests = DynamoDerivedIndex(table), DynamoManifestIndex(table)
        return UsageAudit(DynamoUsageWalk(table, self._identity), derived, manifests, self._indexer(table))

    def notifications(self, *, internal: bool = False) -> Notifications:
        """Set `internal` if the webhook function has WEBHOOK_REACH=internal and WEBHOOK_PORTS=any."""
        policy = EndpointPolicy(ports=frozenset() if internal else _PORTS, internal=internal)
        return Notifications(
            DynamoWebhooks(self._identity),
            SsmWebhookSecrets(self._clients.client("ssm"), self.target.webhook_secrets),
            DynamoDeliveryRecords(Table(self._clients.client("dynamodb"), self.target.index_table)),
            NamedQueue(self._clients, self.target.notification_queue),
            HttpsPoster(policy),
            host=urlsplit(self.target.registry_url).netloc,
        )

    def _indexer(self, table: Table) -> Indexer:
        return Indexer(
            derived=DynamoDerivedIndex(table),
            manifests=DynamoManifestIndex(table),
            blobs=DynamoBlobIndex(table),
            objects=S3Objects(self._clients.client("s3"), self.target.bucket),
        )

    @cached_property
    def _identity(self) -> Table:
        return Table(self._clients.client("dynamodb"), self.target.identity_table)


def operator() -> str:
    """Return the name of the person at the keyboard, for the audit trail."""
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or "operator"
