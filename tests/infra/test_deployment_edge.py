"""The distribution, as edge/README.md has it."""

from __future__ import annotations

import json
import re
from graphlib import TopologicalSorter
from typing import Any

import pytest

from edge import build
from tests.infra.templates import Deployment, text


def test_nothing_is_compressed_and_no_error_is_kept(everything: Deployment) -> None:
    configuration = everything.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    behaviours = [configuration["DefaultCacheBehavior"], *configuration["CacheBehaviors"]]
    assert [one["Compress"] for one in behaviours] == [False] * 4
    codes = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
    assert configuration["CustomErrorResponses"] == [{"ErrorCode": code, "ErrorCachingMinTTL": 0} for code in codes]
    key = cache_key(everything, "by-key")
    assert key["EnableAcceptEncodingGzip"] is key["EnableAcceptEncodingBrotli"] is False


def cache_key(deployment: Deployment, name: str) -> dict[str, Any]:
    """What the cache policy whose name ends so keeps apart, and lets through to the origin."""
    policies = [one["CachePolicyConfig"] for one in deployment.of("AWS::CloudFront::CachePolicy")]
    (policy,) = [one for one in policies if one["Name"].endswith(name)]
    key: dict[str, Any] = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    return key


def test_the_consoles_files_are_cached_by_path_and_coding_alone(everything: Deployment, least: Deployment) -> None:
    key = cache_key(everything, "by-path")
    assert key["EnableAcceptEncodingGzip"] is key["EnableAcceptEncodingBrotli"] is True
    parts = ("CookiesConfig", "HeadersConfig", "QueryStringsConfig")
    assert {next(iter(key[part].values())) for part in parts} == {"none"}
    behaviours = everything.one("AWS::CloudFront::Distribution")["DistributionConfig"]["CacheBehaviors"]
    (assets,) = [one for one in behaviours if one["PathPattern"] == "/assets/*"]
    assert "OriginRequestPolicyId" not in assets
    assert "/assets/*" not in json.dumps(least.template)


def test_behaviours_are_as_the_edges_readme_has_them(everything: Deployment) -> None:
    configuration = everything.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    found = {
        behaviour.get("PathPattern", "*"): (
            behaviour["TargetOriginId"],
            len(behaviour["AllowedMethods"]),
            [one["EventType"] for one in behaviour.get("FunctionAssociations", [])],
            [one["EventType"] for one in behaviour.get("LambdaFunctionAssociations", [])],
            behaviour["ViewerProtocolPolicy"],
            "TrustedKeyGroups" in behaviour,
        )
        for behaviour in [configuration["DefaultCacheBehavior"], *configuration["CacheBehaviors"]]
    }
    both = ["viewer-request", "viewer-response"]
    assert found == {
        "*": ("api", 7, ["viewer-request"], [], "https-only", False),
        "/v2/*/blobs/uploads/*": ("api", 7, both, [], "https-only", False),
        "/blobs/*": ("blobs", 2, ["viewer-response"], [], "https-only", True),
        "/assets/*": ("api", 2, [], [], "https-only", False),
    }


def test_requests_to_the_api_are_never_cached_and_lose_only_their_host(everything: Deployment) -> None:
    configuration = everything.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    uploads, pulls, _ = configuration["CacheBehaviors"]
    for behaviour in (configuration["DefaultCacheBehavior"], uploads):
        assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
        assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader
    assert "OriginRequestPolicyId" not in pulls


def test_origins_are_those_that_the_function_selects(default: Deployment) -> None:
    origins = {one["Id"]: one for one in default.one("AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]}
    assert set(origins) == {"api", "blobs", "relay", "registry", "token"}
    assert {f"const {name.upper()} = '{name}'" in build.built("request") for name in ("blobs", "relay")} == {True}
    assert origins["blobs"]["S3OriginConfig"] == {"OriginAccessIdentity": "", "OriginReadTimeout": 120}
    assert all(f"'{name}'" in build.built("request") for name in ("registry", "token", "api"))
    controls = [one["OriginAccessControlConfig"] for one in default.of("AWS::CloudFront::OriginAccessControl")]
    assert {one["OriginAccessControlOriginType"] for one in controls} == {"s3", "lambda"}
    assert {(one["SigningBehavior"], one["SigningProtocol"]) for one in controls} == {("always", "sigv4")}
    assert origins["api"]["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert origins["relay"]["CustomOriginConfig"]["OriginReadTimeout"] == 120


def test_a_relay_on_fargate_is_a_vpc_origin(fargate: Deployment) -> None:
    origins = {one["Id"]: one for one in fargate.one("AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]}
    assert origins["relay"]["VpcOriginConfig"]["OriginReadTimeout"] == 120


def test_api_and_relay_know_the_distribution_by_a_secret_that_no_template_tells(
    default: Deployment, everything: Deployment
) -> None:
    for deployment, version in ((default, ""), (everything, "::0123456789abcdef0123456789abcdef")):
        for origin in deployment.one("AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]:
            headers = origin.get("OriginCustomHeaders", [])
            if origin["Id"] == "blobs":
                assert headers == []
                continue
            (header,) = headers
            assert header["HeaderName"] == "x-roadstead-secret"
            pattern = rf"{{{{resolve:secretsmanager:<KeysEdgeSecret\w+>:SecretString:current{version}}}}}"
            assert re.fullmatch(pattern, text(header["HeaderValue"]))
    secret = default.one("AWS::SecretsManager::Secret")
    assert secret["GenerateSecretString"]["SecretStringTemplate"] == "{}"
    assert secret["GenerateSecretString"]["PasswordLength"] >= 32


def test_the_functions_are_the_built_ones_and_the_store_is_empty(default: Deployment) -> None:
    functions = {one["Name"]: one for one in default.of("AWS::CloudFront::Function")}
    assert functions["roadstead-us-east-1-request"]["FunctionCode"] == build.built("request")
    assert functions["roadstead-us-east-1-response"]["FunctionCode"] == build.built("response")
    assert {one["FunctionConfig"]["Runtime"] for one in functions.values()} == {"cloudfront-js-2.0"}
    assert "KeyValueStoreAssociations" in functions["roadstead-us-east-1-request"]["FunctionConfig"]
    assert "ImportSource" not in default.one("AWS::CloudFront::KeyValueStore")


def test_no_lambda_is_where_a_request_may_go_to_a_vpc_origin(fargate: Deployment, everything: Deployment) -> None:
    """CloudFront's VPC origins take no origin-response triggers."""
    for deployment in (fargate, everything):
        assert deployment.of("AWS::CloudFront::VpcOrigin") != []
        assert "LambdaFunctionAssociations" not in json.dumps(deployment.template)


def test_without_one_s3s_errors_become_readable_on_uploads_alone(
    default: Deployment, least: Deployment, public_relay: Deployment
) -> None:
    for deployment in (default, least, public_relay):
        configuration = deployment.one("AWS::CloudFront::Distribution")["DistributionConfig"]
        uploads = configuration["CacheBehaviors"][0]
        assert [one["EventType"] for one in uploads["LambdaFunctionAssociations"]] == ["origin-response"]
        assert "LambdaFunctionAssociations" not in configuration["DefaultCacheBehavior"]


def test_the_function_of_errors_stands_in_us_east_1_wherever_the_rest_is(
    least: Deployment, public_relay: Deployment
) -> None:
    handlers = [one["Handler"] for one in least.of("AWS::Lambda::Function") if "ZipFile" not in one["Code"]]
    assert handlers == ["origin_response.handler"]
    manifest = json.loads((public_relay.directory / "manifest.json").read_text())["artifacts"]
    environments = {
        name: one["environment"] for name, one in manifest.items() if one["type"] == "aws:cloudformation:stack"
    }
    (edge,) = [name for name in environments if name.startswith("edge-lambda-stack")]
    assert environments[edge] == "aws://111122223333/us-east-1"
    assert environments["Roadstead"] == "aws://111122223333/eu-central-1"
    template = json.loads((public_relay.directory / f"{edge}.template.json").read_text())
    (function,) = [one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    assert function["Properties"]["Handler"] == "origin_response.handler"
    assert "Environment" not in function["Properties"]


def test_it_has_the_operators_name(everything: Deployment) -> None:
    configuration = everything.one("AWS::CloudFront::Distribution")["DistributionConfig"]
    assert configuration["Aliases"] == ["registry.example.com"]
    assert configuration["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert configuration["WebACLId"].endswith("webacl/office/1")


@pytest.mark.parametrize("name", ["default", "everything", "fargate", "least", "public_relay"])
def test_no_secret_is_in_any_template(name: str, request: pytest.FixtureRequest) -> None:
    deployment: Deployment = request.getfixturevalue(name)
    for template in deployment.texts():
        assert "PRIVATE KEY" not in template
        assert not re.search(r'"[A-Za-z0-9+/]{43}="', template)  # 32 bytes in base64: a key of upload tokens
        for resource in json.loads(template)["Resources"].values():
            if resource["Type"] == "AWS::SecretsManager::Secret":
                assert "SecretString" not in resource["Properties"]  # it is generated
            if resource["Type"] == "AWS::SSM::Parameter":
                assert "EdgeFunctionArn" in resource["Properties"]["Name"]


WORDS = {"ForgedUploadTokens": '"forged-upload-token"', "ExpiredAccessTokens": '"expired-access-token"'}


def counted(template: dict[str, Any], group: str) -> dict[str, str]:
    """The patterns that are counted of a log group's lines, by metric."""
    resources = template["Resources"]
    return {
        one["Properties"]["MetricTransformations"][0]["MetricName"]: one["Properties"]["FilterPattern"]
        for one in resources.values()
        if one["Type"] == "AWS::Logs::MetricFilter"
        and resources[one["Properties"]["LogGroupName"]["Ref"]]["Properties"]["LogGroupName"] == group
    }


def test_what_the_edge_answers_itself_is_counted_where_cloudfront_writes_it(
    default: Deployment, everything: Deployment
) -> None:
    assert counted(default.template, "/aws/cloudfront/function/roadstead-us-east-1-request") == WORDS
    (file,) = everything.directory.glob("*EdgeLog.template.json")
    assert counted(json.loads(file.read_text()), "/aws/cloudfront/function/harbour-2-eu-central-1-request") == WORDS
    manifest = json.loads((everything.directory / "manifest.json").read_text())["artifacts"]
    assert manifest["Harbour2EdgeLog"]["environment"].endswith("/us-east-1")
    assert "Harbour2EdgeLog" in manifest["Harbour2"]["dependencies"]


def test_no_alarm_watches_what_the_edge_answers_itself(default: Deployment) -> None:
    watched = {alarm.get("MetricName") for alarm in default.of("AWS::CloudWatch::Alarm")}
    assert not watched & set(WORDS)


def test_its_lines_are_kept_as_long_as_others(default: Deployment) -> None:
    (group,) = [one for one in default.of("AWS::Logs::LogGroup") if "cloudfront" in str(one.get("LogGroupName"))]
    assert group["RetentionInDays"] == 30


def test_reads_go_to_urls_of_two_functions_that_iam_guards(default: Deployment, everything: Deployment) -> None:
    for deployment in (default, everything):
        urls = deployment.of("AWS::Lambda::Url")
        assert {(one["AuthType"], one["InvokeMode"]) for one in urls} == {("AWS_IAM", "BUFFERED")}
        assert {text(one["TargetFunctionArn"]) for one in urls} == {"<Registry.Arn>", "<Token.Arn>"}
        assert all("Cors" not in one for one in urls)
        origins = {
            one["Id"]: one for one in deployment.one("AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]
        }
        for name in ("registry", "token"):
            origin = origins[name]
            assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
            control = deployment.resources[origin["OriginAccessControlId"]["Fn::GetAtt"][0]]["Properties"]
            assert control["OriginAccessControlConfig"]["OriginAccessControlOriginType"] == "lambda"
            (url,) = re.findall(r'"Fn::GetAtt": \["(\w+)", "FunctionUrl"\]', json.dumps(origin["DomainName"]))
            assert text(deployment.resources[url]["Properties"]["TargetFunctionArn"]) == f"<{name.capitalize()}.Arn>"


def test_the_distribution_alone_may_invoke_a_url_and_by_the_url_alone(default: Deployment) -> None:
    """Two permissions for each: a URL that was made since October 2025 needs both."""
    given = [one for one in default.of("AWS::Lambda::Permission") if one["Principal"] == "cloudfront.amazonaws.com"]
    assert sorted((text(one["FunctionName"]), one["Action"]) for one in given) == [
        ("<Registry.Arn>", "lambda:InvokeFunction"),
        ("<Registry.Arn>", "lambda:InvokeFunctionUrl"),
        ("<Token.Arn>", "lambda:InvokeFunction"),
        ("<Token.Arn>", "lambda:InvokeFunctionUrl"),
    ]
    for one in given:
        assert re.fullmatch(r"arn:.*:cloudfront::<AWS::AccountId>:distribution/<\w+\.Id>", text(one["SourceArn"]))
        by_url = one["Action"] == "lambda:InvokeFunctionUrl"
        assert one.get("FunctionUrlAuthType") == ("AWS_IAM" if by_url else None)
        assert one.get("InvokedViaFunctionUrl") == (None if by_url else True)


def test_reads_by_the_api_need_no_url(least: Deployment) -> None:
    assert least.of("AWS::Lambda::Url") == []
    assert "cloudfront.amazonaws.com" not in {one["Principal"] for one in least.of("AWS::Lambda::Permission")}
    origins = least.one("AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]
    assert [one["Id"] for one in origins] == ["api", "blobs"]
    (function,) = [one for one in least.of("AWS::CloudFront::Function") if one["Name"].endswith("-request")]
    assert function["FunctionCode"] == build.built("request", reads="api")


def test_no_resource_needs_itself(default: Deployment, everything: Deployment) -> None:
    """The distribution needs the functions' URLs, so these functions must not need the distribution."""
    for deployment in (default, everything):
        needs = {
            name: set(re.findall(r'(?:"Ref": "|"Fn::GetAtt": \["|\$\{)(\w+)', json.dumps(one)))
            | set(one.get("DependsOn", []) if isinstance(one.get("DependsOn", []), list) else [one["DependsOn"]])
            for name, one in deployment.resources.items()
        }
        tuple(TopologicalSorter(needs).static_order())  # raises CycleError


def test_the_apis_stage_tells_the_registry_the_distributions_url(default: Deployment, everything: Deployment) -> None:
    for deployment, url in ((default, r"https://<\w+.DomainName>"), (everything, "https://registry.example.com")):
        (stage,) = deployment.of("AWS::ApiGatewayV2::Stage")
        assert re.fullmatch(url, text(stage["StageVariables"]["distribution"]))
