"""The collector function's tick: EventBridge Scheduler invokes it every five minutes."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.configuration.names import Names
from infra.configuration.settings import Settings


class Collection(Construct):
    """It starts what is due by the registry's own schedules, the collector's among them, and resumes what was cut off.

    A tick that fails is not repeated: the next one takes up what is left.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings, function: lambda_.IFunction) -> None:
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
            name=Names(settings.name).collector_schedule,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            schedule_expression="rate(5 minutes)",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function_arn,
                role_arn=role.role_arn,
                input='{"tick":true}',
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
