"""The Lambda functions, packaged by Chalice from a clean copy, with the roles that it creates from the policy files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.cloudformation_include import CfnInclude
from chalice.cdk import Chalice
from constructs import Construct

from infra.beneath import beneath
from infra.logs import log_group
from infra.names import Names
from infra.policies import function_policy
from infra.settings import Settings
from infra.source import ROOT, chalice_project, configured_functions, keep_package
from infra.wheels import install


class Functions(Construct):
    """`functions`, `roles` and `log_groups` by the functions' names."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        self._names = Names(settings.name)
        self._settings = settings
        self.included = self._package()
        self.roles: dict[str, iam.IRole] = {}
        self.functions: dict[str, lambda_.IFunction] = {}
        self.log_groups: dict[str, logs.LogGroup] = {}
        for name in configured_functions():
            self._complete(name)

    def set_environment(self, environments: Mapping[str, Mapping[str, str]]) -> None:
        """Give each function its variables, which name resources that are created after the functions."""
        for name, variables in environments.items():
            self._resource(name).add_property_override("Environment", {"Variables": dict(variables)})

    def set_failure_destination(self, name: str, arn: str) -> None:
        """Send asynchronous events that failed three times to `arn`. The function's role must allow it."""
        invoke = {"DestinationConfig": {"OnFailure": {"Type": "SQS", "Destination": arn}}, "MaximumRetryAttempts": 2}
        self._resource(name).add_property_override("EventInvokeConfig", invoke)

    def _package(self) -> CfnInclude:
        """Include the SAM template's resources in this stack, under their own names (Registry, RegistryRole, …)."""
        functions = {
            name: {
                **configuration,
                "lambda_memory_size": self._settings.functions[name].memory,
                "lambda_timeout": self._settings.functions[name].timeout,
                "environment_variables": {},
            }
            for name, configuration in configured_functions().items()
        }
        policies = {name: function_policy(name, self._settings) for name in functions}
        # The CDK copies the zip as an asset, so Chalice's files are not needed afterwards.
        with tempfile.TemporaryDirectory() as temporary, _chalice_ground(Path(temporary) / "out"):
            wheels = Path(temporary) / "wheels"
            install(ROOT / "requirements.txt", wheels, python=self._settings.python)
            source = chalice_project(Path(temporary) / "source", self.to_string(), functions, policies, wheels)
            packaged = Chalice(self, "Package", source_dir=str(source))
            keep_package(source)
            return packaged.sam_template

    def _complete(self, name: str) -> None:
        """Set what Chalice cannot: name, runtime, log group, reserved concurrency."""
        resource = self._resource(name)
        function_name = self._names.function(name)
        resource.add_property_override("FunctionName", function_name)
        resource.add_property_override("Runtime", f"python{self._settings.python}")
        reserved = self._settings.functions[name].reserved
        if reserved is not None:
            resource.add_property_override("ReservedConcurrentExecutions", reserved)
        group = log_group(
            self, f"{name.capitalize()}Log", f"/aws/lambda/{function_name}", self._settings.retention.logs
        )
        resource.add_resource_dependency(beneath(group, logs.CfnLogGroup))
        self.log_groups[name] = group
        role_arn = self.included.get_resource(f"{name.capitalize()}Role").get_att("Arn").to_string()
        self.roles[name] = iam.Role.from_role_arn(self, f"{name.capitalize()}Principal", role_arn)
        # from_function_arn would add no permission to invoke: the CDK must know that the function is in this account.
        self.functions[name] = lambda_.Function.from_function_attributes(
            self,
            name.capitalize(),
            function_arn=resource.get_att("Arn").to_string(),
            role=self.roles[name],
            same_environment=True,
        )

    def _resource(self, name: str) -> cdk.CfnResource:
        return self.included.get_resource(name.capitalize())


@contextmanager
def _chalice_ground(directory: Path) -> Iterator[None]:
    """Chalice writes to the working directory, and needs a region although it makes no call."""
    directory.mkdir()
    before = Path.cwd()
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(before)
