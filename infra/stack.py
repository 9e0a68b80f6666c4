"""The stack: creates the constructs in order and passes names between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.api import Api
from infra.configuration.environments import Addresses, check, environment
from infra.configuration.names import Names
from infra.configuration.relay_settings import RelayKind
from infra.configuration.settings import Settings
from infra.edge import Edge
from infra.functions import Functions
from infra.indexing import Indexing
from infra.keys import Keys
from infra.policies import relay_statements
from infra.public_keys import PublicKeys
from infra.relays.fargate import FargateRelay
from infra.relays.relay import Relay
from infra.relays.web_function import WebFunctionRelay
from infra.storage import Storage
from infra.tables import Tables
from infra.ticks import Tick
from infra.watching.audit import Audit
from infra.watching.observability import Observability


class RoadsteadStack(cdk.Stack):
    """One deployment. The account may be left open; the region may not, since the Lambda@Edge function needs it.

    `package` is the relay's package, for a relay that is a web function; `console` the directory of the console's
    built files.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        package: Path | None = None,
        console: Path | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            env=cdk.Environment(region=settings.region, account=settings.account or None),
            description="Roadstead: an OCI registry without servers",
            termination_protection=settings.deletion_protection,
        )
        check(settings)
        self.settings = settings
        self.tables = Tables(self, "Tables", settings=settings)
        self.storage = Storage(self, "Storage", settings=settings)
        self.keys = Keys(self, "Keys", settings=settings)
        self.public_keys = PublicKeys(self, "PublicKeys", keys=self.keys.token_keys)
        self.audit = Audit(self, "Audit", settings=settings)
        self.indexing = Indexing(self, "Indexing", settings=settings)
        self.functions = Functions(self, "Functions", settings=settings, console=console)
        self.api = Api(self, "Api", settings=settings, functions=self.functions.functions)
        self.relay = self._relay(package)
        self.edge = Edge(
            self,
            "Edge",
            settings=settings,
            api_host=self.api.host,
            bucket_domain=self.storage.bucket.bucket_regional_domain_name,
            secret=self.keys.edge_secret_value,
            relay=self.relay,
            functions=self.functions.functions,
        )
        self.api.tell_distribution(self.edge.host)
        self.storage.let_distribution(self.edge.distribution_arn)
        self.keys.let_sign([self.functions.roles["token"]])
        # It starts what is due by the registry's schedules, and resumes what was cut off.
        collector, management = (self.functions.functions[name] for name in ("collector", "management"))
        names = Names(settings.name)
        Tick(self, "Collection", name=names.schedule("collector"), rate="rate(5 minutes)", function=collector)
        # It warns of robots that expire soon.
        Tick(self, "Warnings", name=names.schedule("management"), rate="rate(1 hour)", function=management)
        self._start()
        self.observability = Observability(
            self,
            "Observability",
            settings=settings,
            api=self.api,
            functions=self.functions,
            readers=self.edge.readers,
            audit=self.audit,
            indexing=self.indexing,
            relay=self.relay,
        )
        self._outputs()

    @property
    def availability_zones(self) -> list[str]:
        """The first two unless the settings name others. CloudFormation resolves them, not the synthesis."""
        return list(self.settings.relay.fargate.zones) or [cdk.Fn.select(place, cdk.Fn.get_azs()) for place in (0, 1)]

    def _relay(self, package: Path | None) -> Relay | None:
        if self.settings.relay.kind is RelayKind.FARGATE:
            return FargateRelay(self, "Relay", settings=self.settings)
        if self.settings.relay.kind is RelayKind.NONE:
            return None
        if package is None:
            raise ValueError("a relay that is a web function needs its package")
        return WebFunctionRelay(self, "Relay", settings=self.settings, package=package)

    def _start(self) -> None:
        """Give functions and relay their variables, and feed the webhook function with their log lines."""
        addresses = self._addresses()
        self.functions.set_environment(
            {name: environment(name, self.settings, addresses) for name in self.functions.functions}
        )
        telling = {name: self.functions.log_groups[name] for name in ("registry", "token", "management")}
        if self.relay is not None:
            statements = [_statement(one) for one in relay_statements(self.settings)]
            self.relay.start(environment("relay", self.settings, addresses), statements)
            telling["relay"] = self.relay.log_group
        self.audit.feed(self.functions, self.tables, self.storage, telling)
        self.indexing.feed(self.functions, self.tables)

    def _addresses(self) -> Addresses:
        public_relay = self.settings.relay.public_domain
        return Addresses(
            bucket=self.storage.bucket.bucket_name,
            token_keys=",".join(key.key_arn for key in self.keys.token_keys),
            token_public_keys=self.public_keys.value,
            distribution_url=f"https://{self.edge.host}",
            uploads_url=f"https://{public_relay}" if public_relay else "",
            registry_host=self.edge.host,
            blob_url_key_id=self.edge.blob_url_key_id,
            audit_dead_letters_url=self.audit.dead_letters.queue_url,
            notification_queue_url=self.audit.notifications.queue_url,
            notification_dead_letters_url=self.audit.notification_dead_letters.queue_url,
            index_dead_letters_url=self.indexing.dead_letters.queue_url,
        )

    def _outputs(self) -> None:
        """Outputs that the `roadstead` command reads, and host names for the operator's DNS."""
        names = Names(self.settings.name)
        outputs = {
            "RegistryUrl": f"https://{self.edge.host}",
            "ApiUrl": self.api.http_api.api_endpoint,
            "DistributionId": self.edge.distribution.attr_id,
            "DistributionDomain": self.edge.distribution.attr_domain_name,
            "KeyValueStoreArn": self.edge.store.key_value_store_arn,
            "Relay": "on" if self.relay is not None else "off",
            "RelayKind": str(self.settings.relay.kind),
            "IndexTable": names.index_table,
            "IdentityTable": names.identity_table,
            "Bucket": self.storage.bucket.bucket_name,
            "TokenKeys": ",".join(key.key_arn for key in self.keys.token_keys),
            "UploadKeysParameter": names.upload_keys_parameter,
            "BlobUrlKeyParameter": names.blob_url_key_parameter,
            "EdgeSecret": names.edge_secret,
            "AuditLogGroup": names.audit_log_group,
            "AlarmTopic": self.observability.topic.topic_arn,
        }
        if self.settings.api.domain:
            outputs["ApiDomainTarget"] = self.api.domain.regional_domain_name
        if isinstance(self.relay, FargateRelay) and self.settings.relay.public_domain:
            outputs["RelayDomainTarget"] = self.relay.load_balancer.load_balancer_dns_name
        if isinstance(self.relay, WebFunctionRelay):
            outputs["RelayUrl"] = f"https://{self.relay.endpoint.attr_domain_name}"
            outputs["RelayFunction"] = self.relay.function_name
        place = Construct(self, "Outputs")
        for name, value in outputs.items():
            if value:
                cdk.CfnOutput(place, name, value=value).override_logical_id(name)


def _statement(statement: dict[str, Any]) -> iam.PolicyStatement:
    """A statement as the policy files have it, its Fn::Sub resolved by CloudFormation as there."""
    known = {"Sid", "Effect", "Action", "Resource", "Condition"}
    if unknown := statement.keys() - known or statement["Effect"] != "Allow":
        raise ValueError(f"{statement['Sid']} says more than a statement here can: {unknown}")
    resources = statement["Resource"]
    listed = resources if isinstance(resources, list) else [resources]
    actions = statement["Action"]
    return iam.PolicyStatement(
        sid=str(statement["Sid"]),
        actions=list(actions) if isinstance(actions, list) else [str(actions)],
        resources=[cdk.Fn.sub(one["Fn::Sub"]) for one in listed],
        conditions=statement.get("Condition"),
    )
