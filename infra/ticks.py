"""Ticks: EventBridge Scheduler invokes a function at a rate."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct


class Tick(Construct):
    """Invokes a function with {"tick": true} at a `rate`, as in `rate(5 minutes)`.

    One that fails is not repeated: the next one takes up what is left.
    """

    def __init__(self, scope: Construct, id: str, *, name: str, rate: str, function: lambda_.IFunction) -> None:
        super().__init__(scope, id)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
            ),
        )
        allowed = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
        role.add_to_policy(allowed)
        scheduler.CfnSchedule(
            self,
            "Schedule",
            name=name,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            schedule_expression=rate,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function_arn,
                role_arn=role.role_arn,
                input='{"tick":true}',
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
