"""The relay on Fargate and its network, and what is left without one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.templates import Deployment, listed, text


@pytest.mark.parametrize(("name", "relay"), [("default", "on"), ("least", "off")])
def test_nothing_that_runs_while_idle_is_deployed_unless_it_is_fargate(
    name: str, relay: str, request: pytest.FixtureRequest
) -> None:
    deployment: Deployment = request.getfixturevalue(name)
    kinds = {one["Type"].split("::")[1] for one in deployment.resources.values()}
    assert not kinds & {"EC2", "ECS", "ElasticLoadBalancingV2", "ApplicationAutoScaling"}
    assert deployment.template["Outputs"]["Relay"]["Value"] == relay


def test_tasks_are_arm64_drain_and_hold_what_they_promise(fargate: Deployment) -> None:
    task = fargate.one("AWS::ECS::TaskDefinition")
    assert task["RuntimePlatform"] == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}
    (container,) = task["ContainerDefinitions"]
    assert container["StopTimeout"] == 120
    assert container["ReadonlyRootFilesystem"] is True
    variables = {one["Name"]: text(one["Value"]) for one in container["Environment"]}
    assert int(variables["RELAY_DRAIN_SECONDS"]) < 120
    assert int(variables["RELAY_UPLOADS"]) * 40 + 256 <= int(task["Memory"])
    assert {"INDEX_TABLE", "BUCKET", "TOKEN_KEYS", "UPLOAD_KEYS_PARAMETER"} <= set(variables)


def test_a_body_may_take_as_long_as_cloudfront_waits(fargate: Deployment) -> None:
    balancer = fargate.one("AWS::ElasticLoadBalancingV2::LoadBalancer")
    attributes = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
    assert int(attributes["idle_timeout.timeout_seconds"]) > 120
    target = fargate.one("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "120"} in target["TargetGroupAttributes"]
    assert target["HealthCheckPath"] == "/health"


def test_only_cloudfront_reaches_it(fargate: Deployment, everything: Deployment) -> None:
    balancer = fargate.one("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internal"
    subnets = {fargate.resources[one["Ref"]]["Properties"]["MapPublicIpOnLaunch"] for one in balancer["Subnets"]}
    assert subnets == {False}
    assert fargate.one("AWS::CloudFront::VpcOrigin")["VpcOriginEndpointConfig"]["OriginProtocolPolicy"] == "http-only"
    rules = [rule for group in everything.of("AWS::EC2::SecurityGroup") for rule in ingress(group)]
    assert rules == []
    listed_rules = everything.of("AWS::EC2::SecurityGroupIngress")
    assert {(one.get("SourcePrefixListId"), one["FromPort"]) for one in listed_rules} == {
        ("pl-0a0a0a0a", 80),
        (None, 8080),
    }


def test_tasks_take_no_connection_but_the_load_balancers(fargate: Deployment) -> None:
    (rule,) = fargate.of("AWS::EC2::SecurityGroupIngress")
    assert rule["FromPort"] == rule["ToPort"] == 8080
    assert "LoadBalancerGroup" in json.dumps(rule["SourceSecurityGroupId"])
    (tasks,) = [one for one in fargate.of("AWS::EC2::SecurityGroup") if one["GroupDescription"].startswith("Tasks")]
    assert ingress(tasks) == []
    (out,) = tasks["SecurityGroupEgress"]
    assert out["FromPort"] == out["ToPort"] == 443


def test_layers_go_to_s3_by_a_gateway_endpoint_and_nothing_through_nat(fargate: Deployment) -> None:
    services = {text(one["ServiceName"]) for one in fargate.of("AWS::EC2::VPCEndpoint")}
    assert services == {"com.amazonaws.<AWS::Region>.s3", "com.amazonaws.<AWS::Region>.dynamodb"}
    assert fargate.of("AWS::EC2::NatGateway") == []


def test_it_scales_by_its_cpu_and_by_the_uploads_under_way(fargate: Deployment) -> None:
    policies = [
        one["TargetTrackingScalingPolicyConfiguration"]
        for one in fargate.of("AWS::ApplicationAutoScaling::ScalingPolicy")
    ]
    (cpu,) = [one for one in policies if "PredefinedMetricSpecification" in one]
    assert cpu["PredefinedMetricSpecification"]["PredefinedMetricType"] == "ECSServiceAverageCPUUtilization"
    (uploads,) = [one for one in policies if "CustomizedMetricSpecification" in one]
    assert uploads["TargetValue"] == 50
    assert uploads["CustomizedMetricSpecification"] == {
        "Namespace": "Roadstead",
        "MetricName": "UploadLoad",
        "Dimensions": [{"Name": "function", "Value": "relay"}],
        "Statistic": "Average",
    }


def test_the_number_of_tasks_stays_between_the_settings_bounds(fargate: Deployment, everything: Deployment) -> None:
    bounds = [
        (one["MinCapacity"], one["MaxCapacity"])
        for deployment in (fargate, everything)
        for one in deployment.of("AWS::ApplicationAutoScaling::ScalableTarget")
    ]
    assert bounds == [(1, 4), (2, 4)]


def test_the_vpc_has_an_internet_gateway_before_cloudfront_is_told_of_it(fargate: Deployment) -> None:
    (origin,) = [one for one in fargate.resources.values() if one["Type"] == "AWS::CloudFront::VpcOrigin"]
    kinds = {fargate.resources[name]["Type"] for name in listed(origin["DependsOn"])}
    assert "AWS::EC2::VPCGatewayAttachment" in kinds


def test_it_can_stand_in_a_vpc_that_is_there(everything: Deployment) -> None:
    assert everything.of("AWS::EC2::VPC") == []
    balancer = everything.one("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Subnets"] == ["subnet-0a0a0a0a", "subnet-0b0b0b0b"]
    network = everything.one("AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert (network["Subnets"], network["AssignPublicIp"]) == (["subnet-1a1a1a1a", "subnet-1b1b1b1b"], "DISABLED")
    (container,) = everything.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert container["Image"] == "registry.example.org/relay:1"


def test_a_public_one_is_reached_by_tls_under_its_own_name(public_relay: Deployment) -> None:
    balancer = public_relay.one("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internet-facing"
    listener = public_relay.one("AWS::ElasticLoadBalancingV2::Listener")
    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    zones = {one["AvailabilityZone"] for one in public_relay.of("AWS::EC2::Subnet")}
    assert zones == {"eu-central-1b", "eu-central-1c"}
    assert public_relay.of("AWS::CloudFront::VpcOrigin") == []
    origins = public_relay.one("AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]
    (relay,) = [one for one in origins if one["Id"] == "relay"]
    assert relay["DomainName"] == "relay.example.com"
    assert relay["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def ingress(group: dict[str, Any]) -> list[Any]:
    return listed(group.get("SecurityGroupIngress", []))


def test_a_vpc_origin_is_replaced_with_the_network_since_it_cannot_be_updated(
    fargate: Deployment, everything: Deployment
) -> None:
    names = [one.one("AWS::CloudFront::VpcOrigin")["VpcOriginEndpointConfig"]["Name"] for one in (fargate, everything)]
    versions = {name.rpartition("-")[2] for name in names}
    assert len(versions) == 2
    for deployment, name in zip((fargate, everything), names, strict=True):
        (id_,) = [id for id, one in deployment.resources.items() if one["Type"] == "AWS::CloudFront::VpcOrigin"]
        assert f"Origin{name.rpartition('-')[2]}" in id_


def test_nothing_is_billed_as_custom_metrics_unasked(fargate: Deployment) -> None:
    assert fargate.one("AWS::ECS::Cluster")["ClusterSettings"] == [{"Name": "containerInsights", "Value": "disabled"}]
    assert fargate.one("AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]["DetailedMetricsEnabled"] is False


def test_requests_that_cloudfront_sends_are_not_refused_as_ambiguous(fargate: Deployment) -> None:
    balancer = fargate.one("AWS::ElasticLoadBalancingV2::LoadBalancer")
    mode = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}[
        "routing.http.desync_mitigation_mode"
    ]
    assert mode == "defensive"
