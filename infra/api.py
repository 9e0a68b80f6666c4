"""The HTTP API: a route for each function, payload format 1.0, served at the root of its host name."""

from __future__ import annotations

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from functions.api import ROUTES
from functions.distribution.application import CHALLENGE_COPY
from functions.distribution.settings import STAGE_VARIABLE
from infra.beneath import beneath
from infra.configuration.settings import Settings
from infra.watching.logs import log_group

# Without the query string: an upload's holds its token.
_LOG_FORMAT = {
    "time": "$context.requestTimeEpoch",
    "request": "$context.requestId",
    "source": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "route": "$context.routeKey",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "functionMilliseconds": "$context.integrationLatency",
    "error": "$context.error.message",
    "functionError": "$context.integrationErrorMessage",
}
FALLBACK = "registry"


class Api(Construct):
    """Uses payload format 1.0: 2.0 can neither repeat a response header nor separate repeated query parameters.

    Its routes are the local gateway's except `/v2/` and `/ui/`, since API Gateway takes no route that ends in a slash
    but `/` itself. Those paths and all others go to the registry by the `$default` route, which redirects `/ui/` and
    responds with an OCI error if need be.
    """

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, functions: Mapping[str, lambda_.IFunction]
    ) -> None:
        super().__init__(scope, id)
        self.http_api = apigateway.HttpApi(
            self, "HttpApi", api_name=settings.name, create_default_stage=False, description="An OCI registry"
        )
        wired = {
            name: integrations.HttpLambdaIntegration(
                name.capitalize(),
                functions[name],
                payload_format_version=apigateway.PayloadFormatVersion.VERSION_1_0,
                timeout=cdk.Duration.seconds(settings.functions[name].timeout),
            )
            for name in {FALLBACK, *(route.function for route in ROUTES)}
        }
        for route in ROUTES:
            if route.path == "/" or not route.path.endswith("/"):
                self.http_api.add_routes(
                    path=route.path, methods=[apigateway.HttpMethod.ANY], integration=wired[route.function]
                )
        apigateway.HttpRoute(
            self,
            "Default",
            http_api=self.http_api,
            route_key=apigateway.HttpRouteKey.DEFAULT,
            integration=wired[FALLBACK],
        )
        if settings.api.challenge == "mapped":
            self._map_challenge()
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=self.http_api,
            stage_name="$default",
            auto_deploy=True,
            detailed_metrics_enabled=False,  # they are billed as custom metrics
            throttle=apigateway.ThrottleSettings(rate_limit=settings.api.rate, burst_limit=settings.api.burst),
            domain_mapping=self._domain(settings),
        )
        self.stage = stage
        if settings.api.access_log:
            group = log_group(self, "AccessLog", f"/{settings.name}/api", settings.retention.logs)
            beneath(stage, apigateway.CfnStage).access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=group.log_group_arn, format=json.dumps(_LOG_FORMAT)
            )

    def _map_challenge(self) -> None:
        """Make `WWW-Authenticate` of the registry's copy; the token function's 401 has none.

        Source: "Transform API requests and responses for HTTP APIs", which does not list it as reserved.
        """
        for construct in self.node.find_all():
            if isinstance(construct, apigateway.HttpIntegration) and construct.node.id == FALLBACK.capitalize():
                beneath(construct, apigateway.CfnIntegration).response_parameters = {
                    "401": {
                        "ResponseParameters": [
                            {
                                "Destination": "overwrite:header.WWW-Authenticate",
                                "Source": f"$response.header.{CHALLENGE_COPY}",
                            },
                            {"Destination": f"remove:header.{CHALLENGE_COPY}", "Source": "''"},
                        ]
                    }
                }

    def tell_distribution(self, host: str) -> None:
        """Tell the registry function the distribution's URL, by a variable of the stage.

        The function's own variables cannot: its URL is an origin of the distribution, which must exist before it.
        """
        beneath(self.stage, apigateway.CfnStage).stage_variables = {STAGE_VARIABLE: f"https://{host}"}

    @property
    def host(self) -> str:
        """The host name by which CloudFront reaches it: always the API's own."""
        stack = cdk.Stack.of(self)
        return f"{self.http_api.api_id}.execute-api.{stack.region}.{stack.url_suffix}"

    def _domain(self, settings: Settings) -> apigateway.DomainMappingOptions | None:
        if not settings.api.domain:
            return None
        self.domain = apigateway.DomainName(
            self,
            "Domain",
            domain_name=settings.api.domain,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", settings.api.certificate),
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        return apigateway.DomainMappingOptions(domain_name=self.domain)
