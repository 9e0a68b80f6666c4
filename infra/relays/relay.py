"""What every kind of relay offers to the rest of the stack: an origin for CloudFront, a log group, alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from infra.watching.alarms import AlarmRule

Origin = cloudfront.CfnDistribution.OriginProperty
SecretHeaders = Sequence[cloudfront.CfnDistribution.OriginCustomHeaderProperty]

RESPONSE_SECONDS = 120  # the most that CloudFront waits for a response without a raised quota


class Relay(Protocol):
    """Implemented by `web_function.WebFunctionRelay` and `fargate.FargateRelay`."""

    @property
    def log_group(self) -> logs.LogGroup: ...

    def start(self, environment: Mapping[str, str], statements: Sequence[iam.PolicyStatement]) -> None:
        """Run the relay with these variables and permissions. Called once, before any other method."""
        ...

    def origin(self, id: str, secret: SecretHeaders) -> Origin:
        """Return the origin by which CloudFront reaches the relay, sending `secret` along."""
        ...

    def alarms(self) -> Sequence[AlarmRule]: ...


def https_origin(id: str, domain: str, seconds: int, secret: SecretHeaders, access: str | None = None) -> Origin:
    """Return an origin that CloudFront reaches by TLS 1.2, waiting `seconds` for its response.

    `access` is the id of an origin access control, by which CloudFront signs what it sends there.
    """
    return Origin(
        id=id,
        domain_name=domain,
        origin_custom_headers=secret,
        origin_access_control_id=access,
        custom_origin_config=cloudfront.CfnDistribution.CustomOriginConfigProperty(
            origin_protocol_policy="https-only",
            origin_ssl_protocols=["TLSv1.2"],
            origin_read_timeout=seconds,
            origin_keepalive_timeout=60,
        ),
    )
