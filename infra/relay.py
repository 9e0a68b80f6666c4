"""The relay: a streaming server on Fargate that takes what no Lambda can, chunked uploads of any length.

It stands behind an internal load balancer, which only CloudFront reaches (a VPC origin). Tasks have public addresses
and no way in but the load balancer: a NAT gateway would cost more than all else here, and interface endpoints, too.
Layers go to S3 by a gateway endpoint, which costs nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from constructs import Construct

from functions.hosting.metrics import NAMESPACE
from functions.relay.application import FUNCTION, HEALTH_PATH
from functions.relay.load import METRIC
from infra.environments import RELAY_PORT
from infra.logs import log_group
from infra.network import RelayNetwork
from infra.settings import Settings
from infra.source import relay_context

_STOP_SECONDS = 120  # the most that Fargate waits between SIGTERM and SIGKILL
_IDLE_SECONDS = 180  # over the 120 s for which CloudFront waits: completing a large upload is silent


class Relay(Construct):
    """`origin_domain` is how the distribution reaches it: by `vpc_origin`, or by its public name where that is set."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._settings = settings
        relay = settings.relay
        self.network = RelayNetwork(self, "Network", settings=settings)
        self.log_group = log_group(self, "Log", f"/{settings.name}/relay", settings.retention.logs)
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=f"{settings.name}-relay",
            vpc=self.network.vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        self.task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=relay.cpu,
            memory_limit_mib=relay.memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
        )
        self.load_balancer = elb.ApplicationLoadBalancer(
            self,
            "LoadBalancer",
            vpc=self.network.vpc,
            vpc_subnets=self.network.load_balancer_subnets,
            internet_facing=bool(relay.public_domain),
            security_group=self.network.load_balancer_group,
            idle_timeout=cdk.Duration.seconds(_IDLE_SECONDS),
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
            deletion_protection=settings.deletion_protection,
        )
        self.origin_domain = relay.public_domain or self.load_balancer.load_balancer_dns_name
        self.vpc_origin = None if relay.public_domain else self._vpc_origin()

    def start(self, environment: Mapping[str, str], statements: Sequence[iam.PolicyStatement]) -> None:
        """Run it with these variables and permissions; they name the distribution, which names the load balancer."""
        relay = self._settings.relay
        for statement in statements:
            self.task.add_to_task_role_policy(statement)
        self.task.add_to_task_role_policy(self.protection)
        self.task.add_container(
            "relay",
            image=self._image(),
            environment=dict(environment),
            logging=ecs.LogDriver.aws_logs(stream_prefix="relay", log_group=self.log_group),
            port_mappings=[ecs.PortMapping(container_port=RELAY_PORT)],
            stop_timeout=cdk.Duration.seconds(_STOP_SECONDS),
            readonly_root_filesystem=True,
        )
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=self.cluster,
            task_definition=self.task,
            desired_count=relay.least,
            vpc_subnets=self.network.task_subnets,
            security_groups=[self.network.task_group],
            assign_public_ip=self.network.public_addresses,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            health_check_grace_period=cdk.Duration.seconds(60),
            platform_version=ecs.FargatePlatformVersion.VERSION1_4,
        )
        self.targets = self._listener().add_targets(
            "Relay",
            port=RELAY_PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[self.service],
            health_check=elb.HealthCheck(
                path=HEALTH_PATH, interval=cdk.Duration.seconds(10), healthy_threshold_count=2
            ),
            deregistration_delay=cdk.Duration.seconds(_STOP_SECONDS),
            load_balancing_algorithm_type=elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
        )
        scaling = self.service.auto_scale_task_count(min_capacity=relay.least, max_capacity=relay.most)
        # Fast clients show in the CPU (hashing, TLS), slow ones only in the places that they hold. Down slowly: a task
        # under scale-in protection stays anyway, and clients come in waves.
        out, down = cdk.Duration.seconds(30), cdk.Duration.minutes(10)
        scaling.scale_on_cpu_utilization(
            "Cpu", target_utilization_percent=50, scale_out_cooldown=out, scale_in_cooldown=down
        )
        scaling.scale_to_track_custom_metric(
            "Uploads",
            metric=cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name=METRIC,
                dimensions_map={"function": FUNCTION},
                statistic="Average",
                period=cdk.Duration.minutes(1),
            ),
            target_value=50,
            scale_out_cooldown=out,
            scale_in_cooldown=down,
        )

    @property
    def protection(self) -> iam.PolicyStatement:
        """A task protects itself while uploads run ("Amazon ECS task scale-in protection endpoint")."""
        return iam.PolicyStatement(
            sid="ScaleInProtection",
            actions=["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"],
            resources=[
                cdk.Stack.of(self).format_arn(
                    service="ecs", resource="task", resource_name=f"{self._settings.name}-relay/*"
                )
            ],
        )

    def _image(self) -> ecs.ContainerImage:
        """The operator's own, or one that `cdk deploy` builds (which takes Docker, and for arm64 perhaps QEMU)."""
        if self._settings.relay.image:
            return ecs.ContainerImage.from_registry(self._settings.relay.image)
        with tempfile.TemporaryDirectory() as directory:
            return ecs.ContainerImage.from_docker_image_asset(
                ecr_assets.DockerImageAsset(
                    self,
                    "Image",
                    directory=str(relay_context(Path(directory))),
                    file="functions/relay/Dockerfile",
                    platform=ecr_assets.Platform.LINUX_ARM64,
                )
            )

    def _listener(self) -> elb.ApplicationListener:
        certificate = self._settings.relay.public_certificate
        if not certificate:
            return self.load_balancer.add_listener("Http", port=80, protocol=elb.ApplicationProtocol.HTTP, open=False)
        return self.load_balancer.add_listener(
            "Https",
            port=443,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[acm.Certificate.from_certificate_arn(self, "Certificate", certificate)],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
            open=False,  # the security group says who may come
        )

    def _vpc_origin(self) -> cloudfront.VpcOrigin:
        """Plain HTTP inside of the VPC: TLS would need a certificate for a name that nobody else uses."""
        origin = cloudfront.VpcOrigin(
            self,
            "Origin",
            endpoint=cloudfront.VpcOriginEndpoint.application_load_balancer(self.load_balancer),
            vpc_origin_name=f"{self._settings.name}-relay",
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
            http_port=80,
        )
        # CloudFront refuses a VPC without an internet gateway, although nothing goes through it.
        if self.network.gateway is not None:
            origin.node.add_dependency(self.network.gateway)
        return origin
