"""The URLs of the functions that reads go to, which only the distribution may invoke (docs/adr/0028)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from edge.names import REGISTRY, TOKEN
from infra.relays.relay import Origin, SecretHeaders, https_origin

# "Restrict access to an AWS Lambda function URL origin"; since October 2025 a URL needs both.
_PERMISSIONS: Mapping[str, Mapping[str, Any]] = {
    "InvokeFunctionUrl": {"function_url_auth_type": "AWS_IAM"},
    "InvokeFunction": {"invoked_via_function_url": True},
}


class Readers(Construct):
    """`urls` by the functions' names, which are the ids of the distribution's origins."""

    def __init__(
        self, scope: Construct, id: str, *, functions: Mapping[str, lambda_.IFunction], access_name: str
    ) -> None:
        super().__init__(scope, id)
        self._functions = {name: functions[name] for name in (REGISTRY, TOKEN)}
        self.urls = {
            name: lambda_.CfnUrl(
                self,
                f"{name.capitalize()}Url",
                auth_type="AWS_IAM",
                invoke_mode="BUFFERED",
                target_function_arn=function.function_arn,
            )
            for name, function in self._functions.items()
        }
        self._access = cloudfront.CfnOriginAccessControl(
            self,
            "Access",
            origin_access_control_config=cloudfront.CfnOriginAccessControl.OriginAccessControlConfigProperty(
                name=access_name,
                origin_access_control_origin_type="lambda",
                signing_behavior="always",
                signing_protocol="sigv4",
            ),
        )

    def origins(self, seconds: int, secret: SecretHeaders) -> list[Origin]:
        """Return the origins, whose requests CloudFront signs."""
        return [
            https_origin(name, _host(url), seconds, secret, access=self._access.attr_id)
            for name, url in self.urls.items()
        ]

    def let_distribution(self, distribution_arn: str) -> None:
        """Allow this distribution to invoke the functions, by their URLs alone."""
        for name, function in self._functions.items():
            for action, condition in _PERMISSIONS.items():
                lambda_.CfnPermission(
                    self,
                    f"{name.capitalize()}{action}",
                    action=f"lambda:{action}",
                    function_name=function.function_arn,
                    principal="cloudfront.amazonaws.com",
                    source_arn=distribution_arn,
                    **condition,
                )


def _host(url: lambda_.CfnUrl) -> str:
    """Return the host name in `https://<id>.lambda-url.<region>.on.aws/`."""
    return cdk.Fn.select(2, cdk.Fn.split("/", url.attr_function_url))
