"""Log groups, created before anything writes to them, with the retention of their lines."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.beneath import beneath


def log_group(
    scope: Construct, id: str, name: str | None, days: int, *, keep: bool = False, protect: bool = False
) -> logs.LogGroup:
    """Create a log group. `keep` retains it when the stack is deleted; `protect` has CloudWatch refuse its deletion."""
    group = logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        retention=logs.RetentionDays.INFINITE,
        deletion_protection_enabled=True if protect else None,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if keep else cdk.RemovalPolicy.DESTROY,
    )
    beneath(group, logs.CfnLogGroup).retention_in_days = days
    return group
