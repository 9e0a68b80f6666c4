"""Alarms as data: what a construct wants watched, which `observability.py` turns into CloudWatch alarms."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

FIVE_MINUTES = cdk.Duration.minutes(5)


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """Rings when `metric` reaches `threshold` in each of `periods`; with `below`, when it falls under it or is missing.

    `sentence` tells the operator what that means.
    """

    id: str
    metric: cloudwatch.IMetric
    threshold: float
    sentence: str
    periods: int = 1
    below: bool = False


def metric(namespace: str, name: str, dimensions: dict[str, str], statistic: str = "Sum") -> cloudwatch.Metric:
    """A metric over five minutes."""
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=FIVE_MINUTES
    )
