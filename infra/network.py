"""The relay's network: a VPC of its own, or subnets of one that is there."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.environments import RELAY_PORT
from infra.logs import log_group
from infra.settings import Network, Settings

_CLOUDFRONT, _TASKS = "CloudFront", "Tasks"


class RelayNetwork(Construct):
    """Where load balancer and tasks stand, and the two security groups between them."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._public = bool(settings.relay.public_domain)
        self._prefix_list = settings.relay.cloudfront_prefix_list
        if settings.relay.network is None:
            self._make(settings)
        else:
            self._take(settings.relay.network)
        self.load_balancer_group = ec2.SecurityGroup(
            self, "LoadBalancerGroup", vpc=self.vpc, allow_all_outbound=False, description="Load balancer of the relay"
        )
        self.task_group = ec2.SecurityGroup(
            self, "TaskGroup", vpc=self.vpc, allow_all_outbound=False, description="Tasks of the relay"
        )
        self._open()

    def _make(self, settings: Settings) -> None:
        """Two zones. An internet gateway, which VPC origins ask for too; no NAT."""
        kind = ec2.SubnetType.PUBLIC if self._public else ec2.SubnetType.PRIVATE_ISOLATED
        balancer = _TASKS if self._public else _CLOUDFRONT
        subnets = [
            ec2.SubnetConfiguration(name=_TASKS, subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False),
            *([] if self._public else [ec2.SubnetConfiguration(name=_CLOUDFRONT, subnet_type=kind)]),
        ]
        self.vpc: ec2.IVpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.relay.vpc_cidr),
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=subnets,
            restrict_default_security_group=False,  # by a Lambda function of the CDK's; nothing is in that group
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
        """Whoever has a VPC sees to its gateway endpoints, and to a way to AWS's services from the tasks' subnets."""
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
        """In: CloudFront, or everybody where the relay is public. Out of the tasks: HTTPS, to AWS's services.

        What comes by a VPC origin has addresses of CloudFront's managed prefix list, not of the VPC ("Restrict access
        with VPC origins"; a rule for the VPC's own block is known not to let it in). That list has another id in each
        region. Where the operator has not named it, the rule is for any address: an internal load balancer has no
        public one, and there is nothing else in its VPC.
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
