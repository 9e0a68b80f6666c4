"""The CloudFront distribution: one host name for everything (edge/README.md).

It is an L1 construct: the CDK's Distribution drops origins that no behavior names, and the edge function selects ours.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from edge import build
from edge.build import READS
from edge.names import API, BLOBS, RELAY, SECRET_HEADER
from infra.configuration.names import Names
from infra.configuration.settings import Settings
from infra.packaging.source import ROOT
from infra.readers import Readers
from infra.relays.relay import Origin, Relay, https_origin
from infra.watching.edge_log import REGION as EDGE_REGION
from infra.watching.edge_log import EdgeLog

# Every code of "HTTP status codes that CloudFront caches" that a distribution can be told about.
ERROR_CODES = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
UPLOADS, PULLS, ASSETS = "/v2/*/blobs/uploads/*", "/blobs/*", "/assets/*"
API_SECONDS = 30
STORAGE_SECONDS = 120  # the most that CloudFront waits for a response without a raised quota
_ALL_BUT_HOST = cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER
_ALL_METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]

Behavior = cloudfront.CfnDistribution.CacheBehaviorProperty


class Edge(Construct):
    """`host` is the registry's public name; the operator's command fills `store`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        api_host: str,
        bucket_domain: str,
        secret: str,
        relay: Relay | None,
        functions: Mapping[str, lambda_.IFunction],
    ) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self._names = Names(settings.name)
        self._secret = [
            cloudfront.CfnDistribution.OriginCustomHeaderProperty(header_name=SECRET_HEADER, header_value=secret)
        ]
        self.store = cloudfront.KeyValueStore(
            self,
            "Store",
            key_value_store_name=self._name("edge"),
            comment="upload-keys and relay; `roadstead keys` fills it",
        )
        self.readers = (
            Readers(self, "Readers", functions=functions, access_name=self._name("readers"))
            if settings.distribution.reads == READS[0]
            else None
        )
        self.functions = {name: self._function(name) for name in build.FUNCTIONS}
        if settings.region == EDGE_REGION:
            self.functions[build.REQUEST].node.add_dependency(EdgeLog(self, "Log", settings=settings))
        self.errors_function = self._errors() if settings.distribution.readable_errors else None
        self.key_group, self.blob_url_key_id = self._blob_keys()
        origins = [
            self._api(api_host),
            self._blobs(bucket_domain),
            *([relay.origin(RELAY, self._secret)] if relay else []),
            *(self.readers.origins(API_SECONDS, self._secret) if self.readers else []),
        ]
        self.distribution = cloudfront.CfnDistribution(
            self, "Distribution", distribution_config=self._configuration(origins)
        )
        if self.readers:
            self.readers.let_distribution(self.distribution_arn)
        self.host = settings.distribution.domain or self.distribution.attr_domain_name

    @property
    def distribution_arn(self) -> str:
        return cdk.Stack.of(self).format_arn(
            service="cloudfront", region="", resource="distribution", resource_name=self.distribution.attr_id
        )

    def _configuration(self, origins: list[Origin]) -> cloudfront.CfnDistribution.DistributionConfigProperty:
        distribution = self._settings.distribution
        return cloudfront.CfnDistribution.DistributionConfigProperty(
            enabled=True,
            comment=f"{self._settings.name}: the registry",
            http_version="http2",
            ipv6_enabled=True,
            price_class=distribution.prices,
            web_acl_id=distribution.web_acl or None,
            aliases=[distribution.domain] if distribution.domain else None,
            viewer_certificate=self._certificate(),
            origins=origins,
            default_cache_behavior=cloudfront.CfnDistribution.DefaultCacheBehaviorProperty(
                **self._to_api(build.REQUEST)
            ),
            cache_behaviors=[
                Behavior(
                    path_pattern=UPLOADS,
                    **self._to_api(build.REQUEST, build.RESPONSE),
                    lambda_function_associations=self._on_errors(),
                ),
                *([self._pulls()] if self.key_group else []),
                *([self._assets()] if self._settings.console else []),
            ],
            # By default CloudFront caches errors for 10 s: Docker's HEAD after a PUT would get the 404 from before it.
            custom_error_responses=[
                cloudfront.CfnDistribution.CustomErrorResponseProperty(error_code=code, error_caching_min_ttl=0)
                for code in ERROR_CODES
            ],
        )

    def _to_api(self, *functions: str) -> dict[str, Any]:
        """A behavior that caches nothing and goes to the API, unless the function selects another origin."""
        return {
            "target_origin_id": API,
            "viewer_protocol_policy": "https-only",
            "allowed_methods": _ALL_METHODS,
            "cached_methods": ["GET", "HEAD"],
            "compress": False,
            "cache_policy_id": cloudfront.CachePolicy.CACHING_DISABLED.cache_policy_id,
            "origin_request_policy_id": _ALL_BUT_HOST.origin_request_policy_id,
            "function_associations": [self._association(name) for name in functions],
        }

    def _pulls(self) -> Behavior:
        """Blobs by signed URL, cached by key, since objects never change. S3 gets no header of the viewer, above all
        no Authorization."""
        if self.key_group is None:
            raise ValueError("there is no key group for signed URLs")
        by_key = cloudfront.CachePolicy(
            self,
            "ByKey",
            cache_policy_name=self._name("by-key"),
            comment="Blobs by their keys alone, as they are stored",
            enable_accept_encoding_brotli=False,
            enable_accept_encoding_gzip=False,
        )
        return Behavior(
            path_pattern=PULLS,
            target_origin_id=BLOBS,
            viewer_protocol_policy="https-only",
            allowed_methods=["GET", "HEAD"],
            cached_methods=["GET", "HEAD"],
            compress=False,
            cache_policy_id=by_key.cache_policy_id,
            trusted_key_groups=[self.key_group.key_group_id],
            function_associations=[self._association(build.RESPONSE)],
        )

    def _assets(self) -> Behavior:
        """The console's files, whose names change with their content. They are cached by path and coding: nothing of
        the viewer's reaches the API, so one copy serves everybody."""
        by_path = cloudfront.CachePolicy(
            self,
            "ByPath",
            cache_policy_name=self._name("by-path"),
            comment="The console's files by their paths alone, compressed by the function",
            enable_accept_encoding_brotli=True,
            enable_accept_encoding_gzip=True,
        )
        return Behavior(
            path_pattern=ASSETS,
            target_origin_id=API,
            viewer_protocol_policy="https-only",
            allowed_methods=["GET", "HEAD"],
            cached_methods=["GET", "HEAD"],
            compress=False,
            cache_policy_id=by_path.cache_policy_id,
        )

    def _api(self, host: str) -> Origin:
        return https_origin(API, host, API_SECONDS, self._secret)

    def _blobs(self, domain: str) -> Origin:
        """The bucket. CloudFront signs every request to it, and waits long enough for S3 to store 5 GB."""
        access = cloudfront.CfnOriginAccessControl(
            self,
            "Access",
            origin_access_control_config=cloudfront.CfnOriginAccessControl.OriginAccessControlConfigProperty(
                name=self._name("blobs"),
                origin_access_control_origin_type="s3",
                signing_behavior="always",
                signing_protocol="sigv4",
            ),
        )
        return Origin(
            id=BLOBS,
            domain_name=domain,
            origin_access_control_id=access.attr_id,
            s3_origin_config=cloudfront.CfnDistribution.S3OriginConfigProperty(
                origin_access_identity="", origin_read_timeout=STORAGE_SECONDS
            ),
        )

    def _function(self, name: str) -> cloudfront.Function:
        return cloudfront.Function(
            self,
            f"{name.capitalize()}Function",
            function_name=self._name(name),
            comment=f"edge/{name}.js",
            code=cloudfront.FunctionCode.from_inline(build.built(name, reads=self._settings.distribution.reads)),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            key_value_store=self.store if name == build.REQUEST else None,
        )

    def _association(self, name: str) -> cloudfront.CfnDistribution.FunctionAssociationProperty:
        return cloudfront.CfnDistribution.FunctionAssociationProperty(
            event_type=f"viewer-{name}", function_arn=self.functions[name].function_arn
        )

    def _errors(self) -> lambda_.IFunction:
        """The Lambda@Edge function. It is in us-east-1, in a stack of its own if the deployment is elsewhere; the CDK
        passes its version by a parameter. Lambda@Edge requires x86 and no environment variables."""
        with tempfile.TemporaryDirectory() as directory:
            source = (ROOT / "edge" / "origin_response.py").read_bytes()
            Path(directory, "origin_response.py").write_bytes(source)
            function = cloudfront.experimental.EdgeFunction(
                self,
                "Errors",
                code=lambda_.Code.from_asset(directory),
                handler="origin_response.handler",
                runtime=lambda_.Runtime.PYTHON_3_14,
                memory_size=128,
                timeout=cdk.Duration.seconds(5),
                description="Turns S3's errors into OCI errors",
            )
            self._errors_version = function.current_version
            return function.lambda_

    def _on_errors(self) -> list[cloudfront.CfnDistribution.LambdaFunctionAssociationProperty] | None:
        if self.errors_function is None:
            return None
        return [
            cloudfront.CfnDistribution.LambdaFunctionAssociationProperty(
                event_type="origin-response", lambda_function_arn=self._errors_version.function_arn, include_body=False
            )
        ]

    def _blob_keys(self) -> tuple[cloudfront.KeyGroup | None, str]:
        pem = self._settings.distribution.blob_url_public_key
        if not pem:
            return None, ""
        key = cloudfront.PublicKey(self, "BlobUrlKey", encoded_key=pem, public_key_name=self._name("blob-url"))
        group = cloudfront.KeyGroup(self, "BlobUrlKeys", items=[key], key_group_name=self._name("blob-urls"))
        return group, key.public_key_id

    def _certificate(self) -> cloudfront.CfnDistribution.ViewerCertificateProperty | None:
        if not self._settings.distribution.domain:
            return None
        return cloudfront.CfnDistribution.ViewerCertificateProperty(
            acm_certificate_arn=self._settings.distribution.certificate,
            minimum_protocol_version="TLSv1.2_2021",
            ssl_support_method="sni-only",
        )

    def _name(self, thing: str) -> str:
        """CloudFront's names are global to the account: two deployments in two regions must not collide."""
        return self._names.across_regions(thing, self._settings.region)
