"""The default relay, a Lambda web function: its resources, their order, and the bucket of its code."""

from __future__ import annotations

import json
from typing import Any

from tests.infra.templates import Deployment, listed, text

FUNCTION = "AWS::Lambda::WebFunction"
NAME = "roadstead-us-east-1-relay"


def resource(deployment: Deployment, kind: str) -> tuple[str, dict[str, Any]]:
    (found,) = [(name, one) for name, one in deployment.resources.items() if one["Type"] == kind]
    return found


def test_function_revision_and_endpoint_have_the_bare_name_which_is_unique_across_regions(default: Deployment) -> None:
    """With an ARN in its place CloudFormation cannot read the endpoint's domain name."""
    for kind in (FUNCTION, f"{FUNCTION}Revision", f"{FUNCTION}Endpoint"):
        assert default.one(kind)["FunctionName"] == NAME


def test_they_are_created_in_order_although_a_name_is_not_a_reference(default: Deployment) -> None:
    function, _ = resource(default, FUNCTION)
    revision, of_revision = resource(default, f"{FUNCTION}Revision")
    _, of_endpoint = resource(default, f"{FUNCTION}Endpoint")
    assert function in of_revision["DependsOn"]
    assert function in listed(of_endpoint["DependsOn"])
    assert of_endpoint["Properties"]["RevisionWeights"] == [
        {"RevisionId": {"Fn::GetAtt": [revision, "RevisionId"]}, "Weight": 100}
    ]
    kinds = {default.resources[name]["Type"] for name in of_revision["DependsOn"]}
    # Lambda reads the code and assumes the role while the revision is created.
    assert {"AWS::S3::BucketPolicy", "AWS::IAM::Policy", "AWS::Logs::LogGroup"} <= kinds


def test_a_request_may_take_as_long_as_a_web_function_lets_it(default: Deployment) -> None:
    service = default.one(f"{FUNCTION}Revision")["ServiceConfig"]
    assert service["TimeoutSeconds"] == 900


def test_lambda_sends_an_environment_no_more_requests_than_the_relay_takes(default: Deployment) -> None:
    service = default.one(f"{FUNCTION}Revision")["ServiceConfig"]
    uploads = int(service["EnvironmentVariables"]["RELAY_UPLOADS"])
    assert service["MaxConcurrencyPerEnvironment"] == uploads
    assert 256 + uploads * 40 <= 2048  # MiB of an environment


def test_environments_are_not_bounded_but_the_rate_of_requests_is(default: Deployment) -> None:
    """With all of them busy, Lambda would refuse requests at once instead of queueing them."""
    endpoint = default.one(f"{FUNCTION}Endpoint")
    assert "ScalingConfig" not in endpoint
    assert endpoint["ThrottleConfig"] == {"RateLimit": 1000}


def test_the_endpoint_is_public_and_the_relay_refuses_what_cloudfront_did_not_send(default: Deployment) -> None:
    """A signed request would need the hash of its body, which a chunked one cannot have."""
    assert default.one(f"{FUNCTION}Endpoint")["AuthType"] == "ApplicationManaged"
    variables = default.one(f"{FUNCTION}Revision")["ServiceConfig"]["EnvironmentVariables"]
    assert variables["VIA_DISTRIBUTION_ONLY"] == "on"
    assert variables["EDGE_SECRET_PARAMETER"]
    origins = {one["Id"]: one for one in default.one("AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]}
    relay = origins["relay"]
    endpoint, _ = resource(default, f"{FUNCTION}Endpoint")
    assert relay["DomainName"] == {"Fn::GetAtt": [endpoint, "DomainName"]}
    assert [one["HeaderName"] for one in relay["OriginCustomHeaders"]] == ["x-roadstead-secret"]
    assert relay["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert relay["CustomOriginConfig"]["OriginReadTimeout"] == 120


def test_no_variable_is_one_that_lambda_reserves_or_a_secret(default: Deployment) -> None:
    variables = default.one(f"{FUNCTION}Revision")["ServiceConfig"]["EnvironmentVariables"]
    assert not [name for name in variables if name.startswith("AWS_")]
    assert "resolve:secretsmanager" not in json.dumps(variables)


def test_the_code_is_in_a_private_versioned_bucket_that_lambda_may_read_for_this_function(default: Deployment) -> None:
    s3_object = default.one(f"{FUNCTION}Revision")["BuildConfig"]["CodeConfig"]["S3Object"]
    name = s3_object["Bucket"]["Ref"]
    bucket = default.resources[name]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (policy,) = [one for one in default.of("AWS::S3::BucketPolicy") if one["Bucket"] == {"Ref": name}]
    (allowed,) = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert allowed["Action"] == ["s3:GetObject", "s3:GetObjectVersion"]
    # The source of the read is the revision, not the function: a pattern without `/*` matches nothing.
    assert text(allowed["Condition"]["ArnLike"]["aws:SourceArn"]).endswith(f":web-function/{NAME}/*")
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_changed_code_is_another_key_and_its_version_comes_from_the_copy(default: Deployment) -> None:
    """With the same key CloudFormation would see no change to deploy."""
    s3_object = default.one(f"{FUNCTION}Revision")["BuildConfig"]["CodeConfig"]["S3Object"]
    (copy, custom), *others = [
        (name, one)
        for name, one in default.resources.items()
        if one["Type"] == "AWS::CloudFormation::CustomResource" and "SourceKey" in one["Properties"]
    ]
    assert not others
    assert s3_object["VersionId"] == {"Fn::GetAtt": [copy, "VersionId"]}
    assert s3_object["Key"] == custom["Properties"]["Key"]
    assets = json.loads((default.directory / "Roadstead.assets.json").read_text())["files"]
    assert s3_object["Key"].removesuffix(".zip") in assets


def test_the_copier_fits_into_a_template(default: Deployment) -> None:
    inline = [one["Code"]["ZipFile"] for one in default.of("AWS::Lambda::Function") if "ZipFile" in one["Code"]]
    assert len(inline) == 2  # and the reader of public keys
    assert max(map(len, inline)) <= 4096


def test_the_revision_before_is_kept_to_roll_back_to(default: Deployment) -> None:
    _, revision = resource(default, f"{FUNCTION}Revision")
    assert revision["UpdateReplacePolicy"] == "Retain"
    assert revision["DeletionPolicy"] == "Delete"


def test_its_lines_go_where_those_of_a_relay_on_fargate_go_and_expire(default: Deployment, fargate: Deployment) -> None:
    groups = {one.get("LogGroupName"): one["RetentionInDays"] for one in default.of("AWS::Logs::LogGroup")}
    assert groups["/roadstead/relay"] == groups["/roadstead/relay.local"] == 30
    assert "/roadstead/relay" in [one.get("LogGroupName") for one in fargate.of("AWS::Logs::LogGroup")]
    logging = default.one(f"{FUNCTION}Revision")["ServiceConfig"]["TelemetryConfig"]["LoggingConfig"]
    assert default.resources[logging["LogGroup"]["Ref"]]["Properties"]["LogGroupName"] == "/roadstead/relay"


def test_the_operators_command_learns_where_it_is(default: Deployment, fargate: Deployment, least: Deployment) -> None:
    kinds = [one.template["Outputs"]["RelayKind"]["Value"] for one in (default, fargate, least)]
    assert kinds == ["web-function", "fargate", "none"]
    assert default.template["Outputs"]["RelayFunction"]["Value"] == NAME
    assert "RelayUrl" not in fargate.template["Outputs"]
