"""Putting a command's parts together, on the AWS that its target is in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from cli.aws import (
    AwsInspector,
    Clients,
    CloudFrontKeyValues,
    CloudWatchLogs,
    DynamoListing,
    KmsSigningKeys,
    SsmParameters,
    queue_url,
    stack_outputs,
)
from cli.cloud import Inspector, KeyValues, Listing, Logs, Parameters, SigningKeys
from cli.failures import USAGE, Failure
from cli.target import Target
from roadstead.aws.dynamodb_identity import DynamoIdentities
from roadstead.aws.dynamodb_notifications import DynamoDeliveryRecords, DynamoWebhooks
from roadstead.aws.sqs import SqsQueue
from roadstead.aws.ssm_webhooks import SsmWebhookSecrets
from roadstead.aws.table import Table
from roadstead.identity.accounts import Accounts
from roadstead.identity.passwords import Argon2Hasher
from roadstead.notifications.webhooks import Notifications
from roadstead.outbound.endpoint import EndpointPolicy
from roadstead.outbound.https import HttpsPoster
from roadstead.trail.entries import Actor, ActorKind

_PORTS = frozenset({443, 8443})  # WEBHOOK_PORTS=443,8443


def find_target(state: str | None, stack: str | None, region: str | None, environ: Mapping[str, str]) -> Target:
    """By the options, or by ROADSTEAD_STATE and ROADSTEAD_STACK, or by the functions' own variables. Raises Failure."""
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
    """Queue by a name that is looked up when something is sent: most commands send nothing."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients = clients
        self._name = name

    def send(self, bodies: Sequence[str]) -> None:
        """Raises Failure where there is none."""
        if not self._name:
            raise Failure("There is no queue of notifications here: nobody is notified of anything.")
        sqs = self._clients.client("sqs")
        SqsQueue(sqs, queue_url(sqs, self._name)).send(bodies)


class Cloud:
    """The services and adapters of one target, each made when it is first asked for."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._clients = Clients(target.region, target.endpoint)

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(DynamoIdentities(self._identity), Argon2Hasher(), actor=Actor(operator(), ActorKind.OPERATOR))

    @cached_property
    def listing(self) -> Listing:
        return DynamoListing(self._clients.client("dynamodb"), self.target.identity_table)

    @cached_property
    def parameters(self) -> Parameters:
        return SsmParameters(self._clients.client("ssm"))

    @cached_property
    def key_values(self) -> KeyValues | None:
        """None where the edge reads its keys elsewhere: the local one, when it starts."""
        if not self.target.key_value_store:
            return None
        # A global service: its endpoint is in the ARN, its signature for every region.
        return CloudFrontKeyValues(self._clients.client("cloudfront-keyvaluestore"), self.target.key_value_store)

    @cached_property
    def signing_keys(self) -> SigningKeys:
        return KmsSigningKeys(self._clients.client("kms"))

    @cached_property
    def inspector(self) -> Inspector:
        return AwsInspector(self._clients)

    @cached_property
    def logs(self) -> Logs:
        return CloudWatchLogs(self._clients.client("logs"))

    def notifications(self, *, internal: bool = False) -> Notifications:
        """`internal` where the webhook function has WEBHOOK_REACH=internal and WEBHOOK_PORTS=any."""
        policy = EndpointPolicy(ports=frozenset() if internal else _PORTS, internal=internal)
        return Notifications(
            DynamoWebhooks(self._identity),
            SsmWebhookSecrets(self._clients.client("ssm"), self.target.webhook_secrets),
            DynamoDeliveryRecords(Table(self._clients.client("dynamodb"), self.target.index_table)),
            NamedQueue(self._clients, self.target.notification_queue),
            HttpsPoster(policy),
            host=urlsplit(self.target.registry_url).netloc,
        )

    @cached_property
    def _identity(self) -> Table:
        return Table(self._clients.client("dynamodb"), self.target.identity_table)


def operator() -> str:
    """Who is at the keyboard, for what is written down of it."""
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or "operator"
