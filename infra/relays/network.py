"""The network of a relay on Fargate: a VPC of its own, or subnets of an existing one."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.configuration.environments import RELAY_PORT
from infra.configuration.relay_settings import Network
from infra.configuration.settings import Settings
from infra.watching.logs import log_group

_CLOUDFRONT, _TASKS = "CloudFront", "Tasks"


class RelayNetwork(Construct):
    """The subnets of the load balancer and of the tasks, and the two security groups between them."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        fargate = settings.relay.fargate
        self._public = bool(fargate.public_domain)
        self._prefix_list = fargate.cloudfront_prefix_list
        self.inputs = fargate.network  # None for a VPC of its own
        if fargate.network is None:
            self._make(settings)
        else:
            self._take(fargate.network)
        self.load_balancer_group = ec2.SecurityGroup(
            self, "LoadBalancerGroup", vpc=self.vpc, allow_all_outbound=False, description="Load balancer of the relay"
        )
        self.task_group = ec2.SecurityGroup(
            self, "TaskGroup", vpc=self.vpc, allow_all_outbound=False, description="Tasks of the relay"
        )
        self._open()

    def _make(self, settings: Settings) -> None:
        """Two zones; an internet gateway, which VPC origins require, too; no NAT gateway."""
        kind = ec2.SubnetType.PUBLIC if self._public else ec2.SubnetType.PRIVATE_ISOLATED
        balancer = _TASKS if self._public else _CLOUDFRONT
        subnets = [
            ec2.SubnetConfiguration(name=_TASKS, subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False),
            *([] if self._public else [ec2.SubnetConfiguration(name=_CLOUDFRONT, subnet_type=kind)]),
        ]
        self.vpc: ec2.IVpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.relay.fargate.vpc_cidr),
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=subnets,
            restrict_default_security_group=False,  # takes a Lambda function of the CDK's; nothing uses that group
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
            flow_logs={
                "Rejected": ec2.FlowLogOptions(
                    destination=ec2.FlowLogDestination.to_cloud_watch_logs(
                        log_group(self, "FlowLog", f"/{settings.name}/flows", settings.retention.logs)
                    ),
                    traffic_type=ec2.FlowLogTrafficType.REJECT,
                )
            },
        )
        self.gateway = self.vpc.node.try_find_child("VPCGW")  # the internet gateway's attachment
        self.load_balancer_subnets = ec2.SubnetSelection(subnet_group_name=balancer)
        self.task_subnets = ec2.SubnetSelection(subnet_group_name=_TASKS)
        self.public_addresses = True

    def _take(self, network: Network) -> None:
        """The operator provides its gateway endpoints, and a route to AWS's services from the tasks' subnets."""
        self.vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=network.vpc,
            vpc_cidr_block=network.cidr,
            availability_zones=list(network.zones),
            isolated_subnet_ids=list(network.load_balancer_subnets),
            private_subnet_ids=list(network.task_subnets),
        )
        self.gateway = None
        self.load_balancer_subnets = ec2.SubnetSelection(subnets=self.vpc.isolated_subnets)
        self.task_subnets = ec2.SubnetSelection(subnets=self.vpc.private_subnets)
        self.public_addresses = network.public_addresses

    def _open(self) -> None:
        """Allow CloudFront in, or everybody if the relay is public; allow tasks out to AWS's services by HTTPS.

        Requests by a VPC origin come from addresses of CloudFront's managed prefix list, not of the VPC ("Restrict
        access with VPC origins"; a rule for the VPC's own block is known not to let them in). The list has another id
        in each region. If the operator does not give it, the rule allows any address: an internal load balancer has
        no public one, and nothing else is in its VPC.
        """
        if self._public:
            self.load_balancer_group.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "clients")
        elif self._prefix_list:
            self.load_balancer_group.add_ingress_rule(
                ec2.Peer.prefix_list(self._prefix_list), ec2.Port.tcp(80), "CloudFront"
            )
        else:
            self.load_balancer_group.add_ingress_rule(
                ec2.Peer.any_ipv4(), ec2.Port.tcp(80), "CloudFront, by its VPC origin"
            )
        self.load_balancer_group.add_egress_rule(self.task_group, ec2.Port.tcp(RELAY_PORT), "to the relay")
        self.task_group.add_ingress_rule(self.load_balancer_group, ec2.Port.tcp(RELAY_PORT), "from the load balancer")
        self.task_group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS's services")
