"""The collector function's schedules: EventBridge Scheduler invokes it."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.names import Names
from infra.settings import Settings


class Collection(Construct):
    """A run that fails is not repeated: the next one takes up what is left.

    The collector comes every hour; the tick, every five minutes, takes executions that are due.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings, function: lambda_.IFunction) -> None:
        super().__init__(scope, id)
        self._function = function
        self._role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
            ),
        )
        allowed = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[function.function_arn])
        self._role.add_to_policy(allowed)
        names = Names(settings.name)
        self._schedule("Schedule", names.collector_schedule, "rate(1 hour)", "{}", window=10)
        self._schedule("Tick", names.tick, "rate(5 minutes)", '{"tick":true}')

    def _schedule(self, id: str, name: str, expression: str, event: str, *, window: int = 0) -> None:
        """`window` is in minutes."""
        flexible = scheduler.CfnSchedule.FlexibleTimeWindowProperty(
            mode="FLEXIBLE" if window else "OFF", maximum_window_in_minutes=window or None
        )
        scheduler.CfnSchedule(
            self,
            id,
            name=name,
            flexible_time_window=flexible,
            schedule_expression=expression,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._function.function_arn,
                role_arn=self._role.role_arn,
                input=event,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
