"""The Lambda functions, packaged by Chalice from a clean copy, with the roles that it creates from the policy files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from aws_cdk.cloudformation_include import CfnInclude
from chalice.api import package_app
from constructs import Construct

from infra.beneath import beneath
from infra.configuration.names import Names
from infra.configuration.settings import Settings
from infra.packaging.bytecode import BytecodeError, compile_all, compiler_on_this_machine
from infra.packaging.console import copy_built
from infra.packaging.interpreter import lambda_compiler
from infra.packaging.package import write
from infra.packaging.packages import lay_out
from infra.packaging.source import ROOT, chalice_project, configured_functions
from infra.packaging.wheels import wheels
from infra.policies import function_policy
from infra.watching.logs import log_group


class Functions(Construct):
    """`functions`, `roles` and `log_groups` by the functions' names. `console` has the console's built files."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, console: Path | None = None) -> None:
        super().__init__(scope, id)
        self._console = console
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
        # The CDK copies zips as assets, so nothing that is written here is needed afterwards.
        with tempfile.TemporaryDirectory() as temporary:
            source, out = Path(temporary, "source"), Path(temporary, "out")
            stage = self.to_string()
            chalice_project(source, stage, functions, policies)
            os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # Chalice needs one, although it makes no call
            package_app(str(source), str(out), stage)
            return self._included(out)

    def _included(self, out: Path) -> CfnInclude:
        """Include Chalice's template, with a package of its own for each function (docs/adr/0010)."""
        version = self._settings.python
        template = json.loads((out / "sam.json").read_text())
        for name in configured_functions():
            directory, package = out / name, out / f"{name}.zip"
            kept = wheels(ROOT / "requirements" / f"{name}.txt", python=version)
            lay_out(name, out / "deployment.zip", kept, directory)
            if name == "management" and self._console is not None:
                copy_built(self._console, directory)
            self._compile(directory)
            write(directory, package)
            asset = assets.Asset(self, f"{name.capitalize()}Code", path=str(package))
            code = {"Bucket": asset.s3_bucket_name, "Key": asset.s3_object_key}
            template["Resources"][name.capitalize()]["Properties"]["CodeUri"] = code
        completed = out / "template.json"
        completed.write_text(json.dumps(template))
        return CfnInclude(self, "Package", template_file=str(completed))

    def _compile(self, directory: Path) -> None:
        """Compile with a Python of the functions' version: this machine's, or that of AWS's image."""
        version = self._settings.python
        local, docker = compiler_on_this_machine(version), shutil.which("docker")
        try:
            if local is not None:
                compile_all(directory, local)
            elif docker is not None:
                command, seen_at = lambda_compiler(docker, version, directory)
                compile_all(directory, command, seen_at=seen_at)
            else:
                raise BytecodeError(f"there is neither Python {version} nor Docker to compile bytecode with")
        except BytecodeError as error:
            cdk.Annotations.of(self).add_warning_v2(
                "roadstead:bytecode",
                f"The functions start three times as slowly: {error}. Install Python (`uv python install {version}`).",
            )

    def _complete(self, name: str) -> None:
        """Set what Chalice cannot: name, runtime, log group, reserved concurrency."""
        resource = self._resource(name)
        function_name = self._names.function(name)
        resource.add_property_override("FunctionName", function_name)
        resource.add_property_override("Runtime", f"python{self._settings.python}")
        if not self._settings.lambda_lines:
            # Each request has a line of the function's own; Lambda's START, END and REPORT are twice as many bytes.
            resource.add_property_override("LoggingConfig", {"LogFormat": "JSON", "SystemLogLevel": "WARN"})
        reserved = self._settings.functions[name].reserved
        if reserved is not None:
            resource.add_property_override("ReservedConcurrentExecutions", reserved)
        network = self._settings.ldap
        if name == "ldap" and network.subnets:
            at = {"SubnetIds": [*network.subnets], "SecurityGroupIds": [*network.security_groups]}
            resource.add_property_override("VpcConfig", at)
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
