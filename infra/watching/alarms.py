"""Alarms as data: what a construct wants watched, which `observability.py` turns into CloudWatch alarms."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

FIVE_MINUTES = cdk.Duration.minutes(5)
FAULTS = "Faults"  # lines of any log group that say that something is broken for everybody: one metric, one alarm


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """Rings when `metric` reaches `threshold` in each of `periods`; with `below`, when it falls under it or is missing.

    `sentence` tells the operator what that means. A rule that is `more` becomes an alarm with `alarms.all = true` only:
    CloudWatch includes ten alarms, and a default deployment has no more.
    """

    id: str
    metric: cloudwatch.IMetric
    threshold: float
    sentence: str
    periods: int = 1
    below: bool = False
    more: bool = False


def metric(
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    statistic: str = "Sum",
    period: cdk.Duration = FIVE_MINUTES,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=period
    )


def count_lines(scope: Construct, id: str, *, group: logs.LogGroup, pattern: str, namespace: str, name: str) -> None:
    """Add the lines of a log group that match to a metric, which is billed in months in which there are any.

    Lines of several groups may be counted in one metric, which is billed once.
    """
    logs.CfnMetricFilter(
        scope,
        id,
        log_group_name=group.log_group_name,
        filter_pattern=pattern,
        metric_transformations=[
            logs.CfnMetricFilter.MetricTransformationProperty(
                metric_namespace=namespace, metric_name=name, metric_value="1"
            )
        ],
    )
