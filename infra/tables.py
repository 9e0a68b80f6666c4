"""The two tables: index (the registry's content) and identity (users and their rights)."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.configuration.names import Names
from infra.configuration.settings import Settings


class Tables(Construct):
    """Billed by request, restorable to any second of the recovery window, kept when the stack is deleted.

    If the first deployment fails they are deleted with it, so that the next one can create them again.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        names = Names(settings.name)
        self._settings = settings
        self.index = self._table("Index", names.index_table, dynamodb.StreamViewType.NEW_IMAGE)
        # Tags and artifacts in the order of their pushes; in nothing else of the table is `pushed` set.
        self.index.add_global_secondary_index(
            index_name="by-push",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="pushed", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=["digest", "type", "size", "by", "at"],
        )
        # Keys only: no password hash leaves the table by its stream.
        self.identity = self._table("Identity", names.identity_table, dynamodb.StreamViewType.KEYS_ONLY)

    def _table(self, id: str, name: str, stream: dynamodb.StreamViewType) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            id,
            table_name=name,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.DEFAULT,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True, recovery_period_in_days=self._settings.retention.recovery
            ),
            stream=stream,
            time_to_live_attribute="expires",
            deletion_protection=self._settings.deletion_protection,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
