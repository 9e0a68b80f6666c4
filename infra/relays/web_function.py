"""The relay as a Lambda web function: an HTTP server that Lambda starts with the first request and stops when idle.

Lambda publishes web functions for Node.js only, so the package brings CPython, and `index.js` starts it
(docs/adr/0007-a-relay-from-zero.md). The endpoint is public. Requests without the distribution's secret get 403.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.beneath import beneath
from infra.configuration.names import Names
from infra.configuration.settings import Settings
from infra.relays.code_bucket import CodeBucket
from infra.relays.relay import RESPONSE_SECONDS, Origin, SecretHeaders, https_origin
from infra.watching.alarms import FAULTS, AlarmRule, count_lines, metric
from infra.watching.logs import log_group

RUNTIME = "nodejs24.x"  # the only one that web functions have
REQUEST_SECONDS = 900  # the most that a request may take ("Request timeout", AWS Lambda Developer Guide)
ENDPOINT = "default"
# A revision becomes active even if its server does not start; this line of Lambda's own says that it did not.
START_FAILURES = '{ $.type = "platform.initReport" && $.record.status = "failure" }'


class WebFunctionRelay(Construct):
    """Function, revision and endpoint, the bucket of the code, the role. `package` is the zip that is deployed."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, package: Path) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self.function_name = Names(settings.name).across_regions("relay", settings.region)
        name = f"/{settings.name}/relay"
        self._log_group = log_group(self, "Log", name, settings.retention.logs)
        # Lambda writes the lines of the region that served a request to a second group, with this suffix.
        self._local_log_group = log_group(self, "LocalLog", f"{name}.local", settings.retention.logs)
        group = self._log_group
        count_lines(
            self, "StartFailureLines", group=group, pattern=START_FAILURES, namespace=settings.name, name=FAULTS
        )
        self.code = CodeBucket(self, "Code", package=package, reader=self._function_arn())
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        for group in (self._log_group, self._local_log_group):
            group.grant_write(self.role)
        self.function, self.revision, self.endpoint = self._deploy()

    @property
    def log_group(self) -> logs.LogGroup:
        return self._log_group

    def start(self, environment: Mapping[str, str], statements: Sequence[iam.PolicyStatement]) -> None:
        """Give the revision its variables and the role its permissions."""
        for statement in statements:
            self.role.add_to_policy(statement)
        self.revision.add_property_override("ServiceConfig.EnvironmentVariables", dict(environment))

    def origin(self, id: str, secret: SecretHeaders) -> Origin:
        return https_origin(id, self.endpoint.attr_domain_name, RESPONSE_SECONDS, secret)

    def alarms(self) -> Sequence[AlarmRule]:
        failures = metric("AWS/Lambda/Web", "HTTPResponseStatusClass5XX", {"FunctionName": self.function_name})
        return (AlarmRule("RelayFailures", failures, 5, "The relay responds with 5xx: see its log"),)

    def _deploy(
        self,
    ) -> tuple[lambda_.CfnWebFunction, lambda_.CfnWebFunctionRevision, lambda_.CfnWebFunctionEndpoint]:
        """Create the function, a revision, and the endpoint that routes all requests to that revision.

        All three are given the bare function name: with an ARN, CloudFormation cannot read the endpoint's domain name.
        A name is not a reference, so the order is declared.
        """
        function = lambda_.CfnWebFunction(self, "Function", function_name=self.function_name)
        revision = self._revision()
        revision.add_resource_dependency(function)
        endpoint = lambda_.CfnWebFunctionEndpoint(
            self,
            "Endpoint",
            function_name=self.function_name,
            endpoint_name=ENDPOINT,
            endpoint_type="HomeRegion",
            auth_type="ApplicationManaged",
            description="The relay of a registry: chunked uploads, by CloudFront only",
            revision_weights=[
                lambda_.CfnWebFunctionEndpoint.RevisionWeightProperty(revision_id=revision.attr_revision_id, weight=100)
            ],
            throttle_config=lambda_.CfnWebFunctionEndpoint.ThrottleConfigProperty(rate_limit=self._settings.relay.rate),
        )
        endpoint.add_resource_dependency(function)
        return function, revision, endpoint

    def _revision(self) -> lambda_.CfnWebFunctionRevision:
        """A revision is immutable. The one before it is kept, so that an operator can route requests back to it."""
        config = lambda_.CfnWebFunctionRevision
        revision = config(
            self,
            "Revision",
            function_name=self.function_name,
            build_config=config.BuildConfigProperty(
                code_config=config.CodeConfigProperty(
                    s3_object=config.S3ObjectProperty(
                        bucket=self.code.bucket.bucket_name, key=self.code.key, version_id=self.code.version_id
                    )
                ),
                runtime_config=config.RuntimeConfigProperty(runtime=RUNTIME),
            ),
            service_config=config.ServiceConfigProperty(
                execution_role_arn=self.role.role_arn,
                max_concurrency_per_environment=self._settings.relay.uploads,
                timeout_seconds=REQUEST_SECONDS,
                telemetry_config=config.TelemetryConfigProperty(
                    logging_config=config.LoggingConfigProperty(log_group=self._log_group.log_group_name)
                ),
            ),
        )
        revision.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        revision.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
        for group in (self._log_group, self._local_log_group):
            revision.add_resource_dependency(beneath(group, logs.CfnLogGroup))
        revision.node.add_dependency(self.role, self.code)
        return revision

    def _function_arn(self) -> str:
        return cdk.Stack.of(self).format_arn(
            service="lambda", resource="web-function", resource_name=f"{self.function_name}/*"
        )
