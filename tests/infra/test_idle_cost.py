"""What a deployment costs while nobody uses it, counted in its template (docs/operations/costs.md has the prices)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.templates import Deployment, synthesise

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "costs.md"
# What does not belong to another kind of relay or to a rotation, and is not there to be paid for by the piece.
FEATURES = {
    "metrics": True,
    "api": {"closed": True},
    "distribution": {"blobs_at": "distribution", "blob_url_public_key": "blob-url-key.pem"},
    "alarms": {"email": "operator@example.com"},
}
KEY, SECRET, ALARM, METRIC, DASHBOARD = 1.00, 0.40, 0.10, 0.30, 3.00  # USD a month
FREE_ALARMS, FREE_METRICS, FREE_DASHBOARDS = 10, 10, 3
POLL_SECONDS = 20  # Lambda asks an empty queue by long polling
POLLERS, LIMITED_POLLERS = 2, 5  # "Configuring scaling behavior for SQS event source mappings": five with a maximum
FREE_REQUESTS, REQUEST = 1_000_000, 0.40 / 1_000_000
MONTH = 730 * 3600


@pytest.fixture(scope="module")
def featured(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return synthesise(FEATURES, tmp_path_factory.mktemp("featured"))


def alarm_metrics(deployment: Deployment) -> int:
    """Alarms are billed by the metrics that they look at: one, or those of an expression."""
    return sum(
        sum("MetricStat" in one for one in alarm.get("Metrics", [])) or 1
        for alarm in deployment.of("AWS::CloudWatch::Alarm")
    )


def queue_requests(deployment: Deployment) -> int:
    """The requests a month by which Lambda asks queues that are empty."""
    return sum(
        (LIMITED_POLLERS if "ScalingConfig" in mapping else POLLERS) * MONTH // POLL_SECONDS
        for mapping in deployment.of("AWS::Lambda::EventSourceMapping")
        if "StartingPosition" not in mapping
    )


def counted_metrics(deployment: Deployment) -> set[str]:
    filters = deployment.of("AWS::Logs::MetricFilter")
    return {transformation["MetricName"] for one in filters for transformation in one["MetricTransformations"]}


def idle(deployment: Deployment) -> float:
    """USD a month. Streams and schedules that Lambda and EventBridge poll are free; so is the collector at rest."""
    of_audits = {"UnexplainedObjects", "MissingObjects", "MiscountedUsage", "FailedAudits"}
    of_runs = {"FreedBytes", "ObjectsDeleted", *of_audits}
    per_run = of_runs if deployment.settings.metrics else set[str]()
    return (
        KEY * len(deployment.of("AWS::KMS::Key"))
        + SECRET * len(deployment.of("AWS::SecretsManager::Secret"))
        + ALARM * max(0, alarm_metrics(deployment) - FREE_ALARMS)
        + METRIC * max(0, len(counted_metrics(deployment) | per_run) - FREE_METRICS)
        + DASHBOARD * max(0, len(deployment.of("AWS::CloudWatch::Dashboard")) - FREE_DASHBOARDS)
        + REQUEST * max(0, queue_requests(deployment) - FREE_REQUESTS)
    )


def test_an_idle_registry_with_every_feature_costs_at_most_a_dollar_and_a_half(
    default: Deployment, featured: Deployment
) -> None:
    assert idle(default) <= 1.50
    assert idle(featured) <= 1.50


def test_the_page_of_costs_says_what_an_idle_registry_costs(default: Deployment) -> None:
    said = re.search(r"Idle, Roadstead costs USD (\d+\.\d\d) a month", PAGE.read_text())
    assert said is not None and float(said[1]) == pytest.approx(idle(default), abs=0.005)


def test_the_default_has_no_alarm_and_no_metric_that_is_billed(default: Deployment) -> None:
    assert alarm_metrics(default) <= FREE_ALARMS
    assert len(counted_metrics(default)) <= FREE_METRICS
    named = {alarm["AlarmName"].removeprefix("roadstead-") for alarm in default.of("AWS::CloudWatch::Alarm")}
    assert not {"ApiSlow", "ByPushThrottled"} & named


def test_lambda_asks_idle_queues_less_often_than_sqs_gives_for_free(default: Deployment) -> None:
    assert queue_requests(default) <= FREE_REQUESTS


@pytest.mark.parametrize(
    "kind",
    ["AWS::EC2::VPC", "AWS::EC2::NatGateway", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ECS::Service"],
)
def test_nothing_that_is_billed_by_the_hour_stands_in_the_default(default: Deployment, kind: str) -> None:
    assert default.of(kind) == []


def test_nothing_pays_for_capacity_that_waits(default: Deployment) -> None:
    def provisioned(value: Any) -> bool:
        if isinstance(value, dict):
            names = {"ProvisionedConcurrencyConfig", "ProvisionedPollerConfig", "ProvisionedThroughput"}
            return bool(names & value.keys()) or any(map(provisioned, value.values()))
        return isinstance(value, list) and any(map(provisioned, value))

    assert not provisioned(default.resources)
