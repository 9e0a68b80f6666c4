"""Log groups: made before anybody writes to them, with the time for which their lines are kept."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.beneath import beneath


def log_group(scope: Construct, id: str, name: str | None, days: int, *, keep: bool = False) -> logs.LogGroup:
    """`keep` protects it from deletion, and leaves it behind when the stack is deleted."""
    group = logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        retention=logs.RetentionDays.INFINITE,
        deletion_protection_enabled=True if keep else None,
        removal_policy=cdk.RemovalPolicy.RETAIN if keep else cdk.RemovalPolicy.DESTROY,
    )
    beneath(group, logs.CfnLogGroup).retention_in_days = days
    return group
