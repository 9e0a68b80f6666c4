"""The relay on Fargate, for uploads that last longer than the 15 minutes of a web function.

CloudFront alone reaches its internal load balancer, by a VPC origin. Tasks have public addresses, but accept
connections from the load balancer only: a NAT gateway or interface endpoints would cost more than everything else
here. Layers go to S3 by a gateway endpoint, which is free.
"""

from __future__ import annotations

import hashlib
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
from aws_cdk import aws_logs as logs
from constructs import Construct

from functions.hosting.metrics import NAMESPACE
from functions.relay.application import FUNCTION, HEALTH_PATH
from functions.relay.load import METRIC
from infra.configuration.environments import RELAY_PORT
from infra.configuration.names import Names
from infra.configuration.settings import Settings
from infra.packaging.source import relay_context
from infra.relays.network import RelayNetwork
from infra.relays.relay import RESPONSE_SECONDS, Origin, SecretHeaders, https_origin
from infra.watching.alarms import FIVE_MINUTES, AlarmRule, metric
from infra.watching.logs import log_group

_STOP_SECONDS = 120  # the most that Fargate waits between SIGTERM and SIGKILL
_IDLE_SECONDS = 180  # above the 120 s that CloudFront waits: nothing is sent while a large upload is completed


class FargateRelay(Construct):
    """CloudFront reaches it by `vpc_origin`, or by its public name if the settings give one."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._settings = settings
        relay = settings.relay.fargate
        self.network = RelayNetwork(self, "Network", settings=settings)
        self._log_group = log_group(self, "Log", f"/{settings.name}/relay", settings.retention.logs)
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=f"{settings.name}-relay",
            vpc=self.network.vpc,
            container_insights_v2=ecs.ContainerInsights.DISABLED,  # it is billed as custom metrics
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
            desync_mitigation_mode=elb.DesyncMitigationMode.DEFENSIVE,
            deletion_protection=settings.deletion_protection,
        )
        self.vpc_origin = None if relay.public_domain else self._vpc_origin()

    @property
    def log_group(self) -> logs.LogGroup:
        return self._log_group

    def start(self, environment: Mapping[str, str], statements: Sequence[iam.PolicyStatement]) -> None:
        """Run the service. Its variables name the distribution, which names the load balancer, not the service."""
        relay = self._settings.relay.fargate
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
        # Fast clients show in the CPU (hashing, TLS), slow ones only in the places that they hold. Scale in slowly:
        # clients come in waves, and a task under scale-in protection stays anyway.
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

    def origin(self, id: str, secret: SecretHeaders) -> Origin:
        if self.vpc_origin is None:
            return https_origin(id, self._settings.relay.public_domain, RESPONSE_SECONDS, secret)
        return Origin(
            id=id,
            domain_name=self.load_balancer.load_balancer_dns_name,
            origin_custom_headers=secret,
            vpc_origin_config=cloudfront.CfnDistribution.VpcOriginConfigProperty(
                vpc_origin_id=self.vpc_origin.vpc_origin_id, origin_read_timeout=RESPONSE_SECONDS
            ),
        )

    def alarms(self) -> Sequence[AlarmRule]:
        balancer = {"LoadBalancer": self.load_balancer.load_balancer_full_name}
        healthy = self.targets.metrics.healthy_host_count(period=cdk.Duration.minutes(1), statistic="Minimum")
        failures = metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", balancer)
        gateway = metric("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", balancer)
        busy = self.service.metric_cpu_utilization(period=FIVE_MINUTES)
        return (
            AlarmRule("RelayUnhealthy", healthy, 1, "No relay is healthy: chunked uploads fail", periods=3, below=True),
            AlarmRule("RelayFailures", failures, 5, "The relay responds with 5xx: see its log"),
            AlarmRule("RelayUnreachable", gateway, 5, "The relay's load balancer reaches no task"),
            AlarmRule("RelayBusy", busy, 85, "The relay is at its limit: raise relay.fargate.most_tasks", periods=3),
        )

    @property
    def protection(self) -> iam.PolicyStatement:
        """Lets a task protect itself while uploads run ("Amazon ECS task scale-in protection endpoint")."""
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
        """The operator's own image, or one that `cdk deploy` builds with Docker (on x86 hosts with QEMU)."""
        if self._settings.relay.fargate.image:
            return ecs.ContainerImage.from_registry(self._settings.relay.fargate.image)
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
        certificate = self._settings.relay.fargate.public_certificate
        if not certificate:
            return self.load_balancer.add_listener("Http", port=80, protocol=elb.ApplicationProtocol.HTTP, open=False)
        return self.load_balancer.add_listener(
            "Https",
            port=443,
            protocol=elb.ApplicationProtocol.HTTPS,
            certificates=[acm.Certificate.from_certificate_arn(self, "Certificate", certificate)],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
            open=False,  # the security group has the rules
        )

    def _vpc_origin(self) -> cloudfront.VpcOrigin:
        """Plain HTTP inside the VPC, since TLS would need a certificate for a name that nobody else uses.

        CloudFront does not update a VPC origin that a distribution uses. So the id holds what would change it, and a
        change creates another origin before the old one is deleted.
        """
        inputs = repr((self._settings.relay.fargate.vpc_cidr, self._settings.relay.fargate.zones, self.network.inputs))
        version = hashlib.sha256(inputs.encode()).hexdigest()[:8]
        origin = cloudfront.VpcOrigin(
            self,
            f"Origin{version}",
            endpoint=cloudfront.VpcOriginEndpoint.application_load_balancer(self.load_balancer),
            vpc_origin_name=Names(self._settings.name).across_regions(f"relay-{version}", self._settings.region),
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
            http_port=80,
        )
        # CloudFront refuses a VPC without an internet gateway, although no traffic uses it.
        if self.network.gateway is not None:
            origin.node.add_dependency(self.network.gateway)
        return origin
