"""What a deployment is made of, by its templates. Permissions are in test_policies.py."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match

from functions.api import ROUTES
from infra.app import stack_id
from local.cloud.resources import (
    AUDIT_LOG_GROUP,
    IDENTITY_TABLE,
    INDEX_TABLE,
    OBJECT_EVENTS_QUEUE,
    UPLOAD_KEYS_PARAMETER,
)
from observability.queries import QUERIES
from tests.infra.templates import Deployment, lint, listed, text

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["default", "everything", "fargate", "least", "public_relay"])
def test_cfn_lint_finds_nothing(name: str, request: pytest.FixtureRequest) -> None:
    assert lint(request.getfixturevalue(name)) == ""


def test_the_management_function_alone_has_the_console(default: Deployment, least: Deployment) -> None:
    def with_page(deployment: Deployment) -> int:
        """The number of packages with the console's page."""
        files = [zipfile.ZipFile(one).namelist() for one in deployment.directory.glob("asset.*.zip")]
        assert all("app.py" in names for names in files if "console/dist/index.html" in names)
        return sum("console/dist/index.html" in names for names in files)

    assert (with_page(default), with_page(least)) == (1, 0)
    code = default.resources["Management"]["Properties"]["CodeUri"]["Key"]
    names = zipfile.ZipFile(default.directory / f"asset.{code}").namelist()
    assert {"console/dist/index.html", "console/dist/build.txt"} <= set(names)


def test_each_function_has_a_package_of_its_own(default: Deployment) -> None:
    functions = default.of("AWS::Serverless::Function")
    packages = {one["CodeUri"]["Key"] for one in functions}
    assert len(packages) == len(functions) == 7
    assert {f"asset.{name}" for name in packages} <= {file.name for file in default.directory.iterdir()}


def test_names_are_those_of_the_local_cloud(default: Deployment) -> None:
    outputs = {name: one["Value"] for name, one in default.template["Outputs"].items()}
    assert outputs["IndexTable"] == INDEX_TABLE
    assert outputs["IdentityTable"] == IDENTITY_TABLE
    assert outputs["AuditLogGroup"] == AUDIT_LOG_GROUP
    assert outputs["UploadKeysParameter"] == UPLOAD_KEYS_PARAMETER
    assert OBJECT_EVENTS_QUEUE in [queue["QueueName"] for queue in default.of("AWS::SQS::Queue")]


class TestTables:
    def test_they_are_billed_by_request_restorable_and_kept(self, default: Deployment) -> None:
        for table in [one for one in default.resources.values() if one["Type"] == "AWS::DynamoDB::Table"]:
            properties = table["Properties"]
            assert properties["BillingMode"] == "PAY_PER_REQUEST"
            assert properties["PointInTimeRecoverySpecification"] == {
                "PointInTimeRecoveryEnabled": True,
                "RecoveryPeriodInDays": 35,
            }
            assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
            assert [key["AttributeName"] for key in properties["KeySchema"]] == ["pk", "sk"]
            assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")

    def test_no_item_of_the_identity_table_is_in_its_stream(self, default: Deployment) -> None:
        views = {
            one["TableName"]: one["StreamSpecification"]["StreamViewType"] for one in default.of("AWS::DynamoDB::Table")
        }
        assert views == {"roadstead-index": "NEW_IMAGE", "roadstead-identity": "KEYS_ONLY"}


class TestBucket:
    def test_it_is_private_and_encrypted_and_keeps_versions(self, default: Deployment) -> None:
        bucket = blobs(default)["Properties"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}

    def test_old_versions_live_as_long_as_the_tables_can_be_restored(
        self, default: Deployment, everything: Deployment
    ) -> None:
        for deployment, days in ((default, 35), (everything, 14)):
            rules = {one["Id"]: one for one in blobs(deployment)["Properties"]["LifecycleConfiguration"]["Rules"]}
            assert rules["deleted-objects"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": days}
            recovery = deployment.of("AWS::DynamoDB::Table")[0]["PointInTimeRecoverySpecification"]
            assert recovery["RecoveryPeriodInDays"] == days

    def test_nothing_expires_that_is_in_use_and_nothing_is_archived(self, default: Deployment) -> None:
        bucket = blobs(default)["Properties"]
        rules = {one["Id"]: one for one in bucket["LifecycleConfiguration"]["Rules"]}
        assert not [one for one in rules.values() if "ExpirationInDays" in one or "ExpirationDate" in one]
        assert rules["unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 3}
        assert rules["cold-layers"]["Transitions"] == [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 0}]
        assert rules["cold-layers"]["Prefix"] == "blobs/"
        assert "IntelligentTieringConfigurations" not in bucket  # the archive tiers are there

    def test_it_tells_its_queue_of_new_blobs_once_it_may(self, default: Deployment) -> None:
        bucket = blobs(default)
        (name,) = [name for name, one in default.resources.items() if one is bucket]
        (told,) = bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
        assert told["Event"] == "s3:ObjectCreated:*"
        assert told["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": "blobs/"}]}}
        (policy,) = bucket["DependsOn"]
        assert default.resources[policy]["Type"] == "AWS::SQS::QueuePolicy"
        assert name not in json.dumps(default.resources[policy])  # or neither could be made first


class TestFunctions:
    def test_each_has_its_size_time_architecture_and_trace(self, default: Deployment) -> None:
        shapes = {
            one["FunctionName"]: (one["MemorySize"], one["Timeout"], one["Architectures"], one["Tracing"])
            for one in default.of("AWS::Serverless::Function")
        }
        assert shapes == {
            "roadstead-prod-registry": (1024, 29, ["arm64"], "Active"),
            "roadstead-prod-token": (512, 10, ["arm64"], "Active"),
            "roadstead-prod-management": (1024, 29, ["arm64"], "Active"),
            "roadstead-prod-collector": (512, 900, ["arm64"], "Active"),
            "roadstead-prod-webhook": (256, 60, ["arm64"], "Active"),
            "roadstead-prod-indexer": (512, 60, ["arm64"], "Active"),
            "roadstead-prod-ldap": (512, 25, ["arm64"], "Active"),
        }

    def test_the_runtime_is_a_supported_one_whichever_python_synthesises(
        self, default: Deployment, everything: Deployment
    ) -> None:
        for deployment, python in ((default, "3.13"), (everything, "3.14")):
            runtimes = {one["Runtime"] for one in deployment.of("AWS::Serverless::Function")}
            assert runtimes == {f"python{python}"}
            for name in packaged(deployment):
                if name.endswith(".so"):
                    abi = f"cpython-{python.replace('.', '')}-aarch64-linux-gnu"
                    assert abi in name or name.endswith(".abi3.so"), name

    def test_the_package_holds_the_locked_versions(self, default: Deployment) -> None:
        names = packaged(default)
        for line in (ROOT / "requirements.txt").read_text().splitlines():
            if pin := re.match(r"([a-z0-9.-]+)==(\S+)", line):
                assert f"{pin[1].replace('-', '_')}-{pin[2]}.dist-info/METADATA" in names

    def test_concurrency_is_reserved_only_where_a_setting_asks_for_it(
        self, default: Deployment, everything: Deployment
    ) -> None:
        assert "ReservedConcurrentExecutions" not in json.dumps(default.template)
        reserved = {
            one["FunctionName"]: one.get("ReservedConcurrentExecutions")
            for one in everything.of("AWS::Serverless::Function")
        }
        others = {
            f"harbour-2-prod-{name}": None
            for name in ("token", "management", "collector", "webhook", "indexer", "ldap")
        }
        assert reserved == {"harbour-2-prod-registry": 50, **others}

    def test_the_log_group_is_there_before_the_function_and_its_lines_expire(self, default: Deployment) -> None:
        for resource in default.resources.values():
            if resource["Type"] == "AWS::Serverless::Function":
                (before,) = listed(resource["DependsOn"])
                group = default.resources[before]["Properties"]
                assert group["LogGroupName"] == f"/aws/lambda/{resource['Properties']['FunctionName']}"
                assert group["RetentionInDays"] == 30

    def test_they_are_told_what_was_made(self, everything: Deployment) -> None:
        (registry,) = [one for one in everything.of("AWS::Serverless::Function") if one["Handler"] == "app.registry"]
        variables = {name: text(value) for name, value in registry["Environment"]["Variables"].items()}
        assert re.fullmatch(r"<KeysToken2\w+\.Arn>,<KeysToken1\w+\.Arn>", variables.pop("TOKEN_KEYS"))
        assert re.fullmatch(r"<PublicKeysRead\w*\.Keys>", variables.pop("TOKEN_PUBLIC_KEYS"))
        assert re.fullmatch(r"<EdgeBlobUrlKey\w+>", variables.pop("BLOB_URL_KEY_ID"))
        assert re.fullmatch(r"<StorageBucket\w+>", variables.pop("BUCKET"))
        assert variables == {
            "INDEX_TABLE": "harbour-2-index",
            "TOKEN_ISSUER": "roadstead",
            "TOKEN_SERVICE": "roadstead",
            "UPLOAD_KEYS_PARAMETER": "/harbour-2/upload-keys",
            "DISTRIBUTION_URL": "stage",  # it cannot need the distribution, which needs its URL
            "EDGE_SECRET_PARAMETER": "/aws/reference/secretsmanager/harbour-2-edge",
            "CHALLENGE": "mapped",
            "BLOBS_AT": "distribution",
            "BLOB_URL_KEY_PARAMETER": "/harbour-2/blob-url-key",
            "VIA_DISTRIBUTION_ONLY": "off",
            "MAX_BLOB_BYTES": "60000000000",
            "METRICS": "on",
        }

    def test_a_public_relay_is_where_uploads_go_of_clients_of_the_api(self, public_relay: Deployment) -> None:
        (registry,) = [one for one in public_relay.of("AWS::Serverless::Function") if one["Handler"] == "app.registry"]
        variables = {name: text(value) for name, value in registry["Environment"]["Variables"].items()}
        assert variables["UPLOADS_URL"] == "https://relay.example.com"
        # Signed URLs of blobs are the distribution's all the same.
        assert variables["DISTRIBUTION_URL"] == "stage"
        (stage,) = public_relay.of("AWS::ApiGatewayV2::Stage")
        url = text(stage["StageVariables"]["distribution"])
        assert url.startswith("https://") and "relay" not in url


class TestApi:
    def test_its_own_host_can_be_closed_so_that_nobody_passes_by_the_distribution(
        self, default: Deployment, least: Deployment
    ) -> None:
        for deployment, closed in ((default, "off"), (least, "on")):
            for one in deployment.of("AWS::Serverless::Function"):
                if one["Handler"] not in ("app.collector", "app.webhook", "app.indexer", "app.ldap"):
                    assert one["Environment"]["Variables"]["VIA_DISTRIBUTION_ONLY"] == closed

    def test_each_function_has_its_routes_and_the_rest_is_the_registrys(self, default: Deployment) -> None:
        keys = {one["RouteKey"] for one in default.of("AWS::ApiGatewayV2::Route")}
        # API Gateway takes no route that ends in a slash, but for `/`; what has none goes to $default.
        taken = {route.path for route in ROUTES if route.path == "/" or not route.path.endswith("/")}
        assert keys == {f"ANY {path}" for path in taken} | {"$default"}
        assert served(default) == {
            "ANY /v2/{proxy+}": "Registry",
            "ANY /v2": "Registry",
            "ANY /token": "Token",
            "ANY /service/token": "Token",
            "ANY /.well-known/jwks.json": "Token",
            "ANY /api/{proxy+}": "Management",
            "ANY /ui/{proxy+}": "Management",
            "ANY /ui": "Management",
            "ANY /assets/{proxy+}": "Management",
            "ANY /c/{proxy+}": "Management",
            "ANY /": "Management",
            "$default": "Registry",
        }

    def test_the_payload_format_is_the_one_that_can_repeat_a_header(self, default: Deployment) -> None:
        for integration in default.of("AWS::ApiGatewayV2::Integration"):
            assert integration["PayloadFormatVersion"] == "1.0"
            assert integration["TimeoutInMillis"] <= 30_000

    def test_the_challenge_is_mapped_from_a_header_of_ours_where_that_is_set(
        self, default: Deployment, everything: Deployment
    ) -> None:
        assert not [one for one in default.of("AWS::ApiGatewayV2::Integration") if "ResponseParameters" in one]
        (mapped,) = [one for one in everything.of("AWS::ApiGatewayV2::Integration") if "ResponseParameters" in one]
        assert mapped["ResponseParameters"] == {
            "401": {
                "ResponseParameters": [
                    {
                        "Destination": "overwrite:header.WWW-Authenticate",
                        "Source": "$response.header.X-Roadstead-Challenge",
                    },
                    {"Destination": "remove:header.X-Roadstead-Challenge", "Source": "''"},
                ]
            }
        }

    def test_it_is_served_at_the_root_and_throttled(self, default: Deployment) -> None:
        stage = default.one("AWS::ApiGatewayV2::Stage")
        assert stage["StageName"] == "$default"
        assert stage["AutoDeploy"] is True
        assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 1000
        assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 2000

    def test_its_own_lines_have_no_query(self, everything: Deployment) -> None:
        fields = json.loads(everything.one("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"])
        assert {"source", "method", "path", "status", "request"} <= set(fields)
        assert not re.search(r"query|authoriz|header", json.dumps(fields), re.IGNORECASE)

    def test_each_function_may_be_invoked_by_its_routes(self, default: Deployment) -> None:
        default.assertions.has_resource_properties(
            "AWS::Lambda::Permission",
            {
                "Principal": "apigateway.amazonaws.com",
                "Action": "lambda:InvokeFunction",
                "SourceArn": Match.any_value(),
            },
        )
        invoked = [
            one for one in default.of("AWS::Lambda::Permission") if one["Principal"] == "apigateway.amazonaws.com"
        ]
        assert len(invoked) == len(served(default))


class TestAudit:
    def test_both_streams_feed_it_and_lose_nothing_for_a_day(self, default: Deployment) -> None:
        streams = [one for one in default.of("AWS::Lambda::EventSourceMapping") if "StartingPosition" in one]
        assert len(streams) == 3
        indexing = [one for one in streams if "Indexer" in json.dumps(one["FunctionName"])]
        for stream in [one for one in streams if one not in indexing]:
            assert stream["StartingPosition"] == "TRIM_HORIZON"
            assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
            assert stream["BisectBatchOnFunctionError"] is True
            assert not {"MaximumRetryAttempts", "MaximumRecordAgeInSeconds"} & set(stream)  # without end, by default
            (one,) = stream["FilterCriteria"]["Filters"]
            assert json.loads(one["Pattern"])["dynamodb"] == {"Keys": {"pk": {"S": [{"prefix": "event#"}]}}}

    def test_the_indexer_reads_the_index_tables_stream_and_gives_up_what_it_cannot_derive(
        self, default: Deployment
    ) -> None:
        (stream,) = [
            one for one in default.of("AWS::Lambda::EventSourceMapping") if "Indexer" in json.dumps(one["FunctionName"])
        ]
        assert "Index" in json.dumps(stream["EventSourceArn"]) and "StreamArn" in json.dumps(stream["EventSourceArn"])
        assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert stream["BisectBatchOnFunctionError"] is True
        assert stream["MaximumRecordAgeInSeconds"] == 6 * 3_600
        assert "IndexingDeadLetters" in json.dumps(stream["DestinationConfig"]["OnFailure"])
        (one,) = stream["FilterCriteria"]["Filters"]
        assert json.loads(one["Pattern"])["dynamodb"] == {"Keys": {"pk": {"S": [{"prefix": "event#"}]}}}

    def test_lines_of_whoever_serves_are_handed_on(self, default: Deployment) -> None:
        filters = default.of("AWS::Logs::SubscriptionFilter")
        groups = {default.resources[one["LogGroupName"]["Ref"]]["Properties"]["LogGroupName"] for one in filters}
        assert groups == {
            "/aws/lambda/roadstead-prod-registry",
            "/aws/lambda/roadstead-prod-token",
            "/aws/lambda/roadstead-prod-management",
            "/roadstead/relay",
        }
        assert {one["FilterPattern"] for one in filters} == {"{ $.audit.schema = * }"}

    def test_what_fails_for_good_is_kept_where_an_alarm_sees_it(self, default: Deployment) -> None:
        queues = {one["QueueName"]: one for one in default.of("AWS::SQS::Queue")}
        assert set(queues) == {
            "roadstead-audit-dead-letters",
            "roadstead-object-events",
            "roadstead-notifications",
            "roadstead-notifications-dead",
            "roadstead-index-dead-letters",
        }
        for name, receives in (("roadstead-object-events", 5), ("roadstead-notifications", 16)):
            assert queues[name]["RedrivePolicy"]["maxReceiveCount"] == receives
            assert queues[name]["VisibilityTimeout"] >= 6 * 60
        for name in (name for name in queues if "dead" in name):
            assert queues[name]["MessageRetentionPeriod"] == 14 * 86_400
        (webhook,) = [one for one in default.of("AWS::Serverless::Function") if one["Handler"] == "app.webhook"]
        assert webhook["EventInvokeConfig"]["MaximumRetryAttempts"] == 2
        assert "AuditDeadLetters" in json.dumps(webhook["EventInvokeConfig"]["DestinationConfig"]["OnFailure"])


class TestObservability:
    def test_every_alarm_calls_somebody_and_says_what_it_means(self, everything: Deployment) -> None:
        alarms = everything.of("AWS::CloudWatch::Alarm")
        names = {one["AlarmName"].removeprefix("harbour-2-") for one in alarms}
        assert names == {
            "ApiFailures",
            "ReadFailures",
            "ApiSlow",
            "Throttles",
            "Faults",
            "WebhookErrors",
            "AuditDeadLetters",
            "AuditLate",
            "BucketStrange",
            "CollectorLate",
            "IndexDeadLetters",
            "ByPushThrottled",
            "NotificationDeadLetters",
            "RelayUnhealthy",
            "RelayFailures",
            "RelayUnreachable",
            "RelayBusy",
        }
        for alarm in alarms:
            assert alarm["AlarmDescription"]
            assert "Alarms" in json.dumps(alarm["AlarmActions"])
        (subscription,) = everything.of("AWS::SNS::Subscription")
        assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "operator@example.com")

    def test_lines_that_say_that_logins_reads_or_the_relay_are_broken_ring_one_alarm(self, default: Deployment) -> None:
        counted = [
            (default.resources[one["LogGroupName"]["Ref"]]["Properties"]["LogGroupName"], one["FilterPattern"])
            for one in default.of("AWS::Logs::MetricFilter")
            if one["MetricTransformations"][0]["MetricName"] == "Faults"
        ]
        unfinished = '($.type = "platform.report" && $.record.status != "success")'
        assert sorted(counted) == [
            ("/aws/lambda/roadstead-prod-registry", f"{{ $.status = 500 || {unfinished} }}"),
            ("/aws/lambda/roadstead-prod-token", f"{{ $.status >= 500 || {unfinished} }}"),
            ("/roadstead/relay", '{ $.type = "platform.initReport" && $.record.status = "failure" }'),
        ]
        (alarm,) = [one for one in default.of("AWS::CloudWatch::Alarm") if one["AlarmName"] == "roadstead-Faults"]
        assert (alarm["MetricName"], alarm["Namespace"], alarm["Threshold"]) == ("Faults", "roadstead", 1)

    def test_the_collectors_times_are_no_trials(self, default: Deployment, everything: Deployment) -> None:
        """A trial's may be shorter than is safe beside pushes."""
        for deployment in (default, everything):
            (collector,) = [
                one for one in deployment.of("AWS::Serverless::Function") if one["FunctionName"].endswith("-collector")
            ]
            variables = collector["Environment"]["Variables"]
            assert variables["COLLECT_TRIAL"] == "off"
            assert not {"COLLECT_GRACE", "COLLECT_FENCE"} & set(variables)

    def test_a_collector_that_is_late_or_stands_still_is_noticed_by_the_lines_that_are_missing(
        self, default: Deployment
    ) -> None:
        (alarm,) = [one for one in default.of("AWS::CloudWatch::Alarm") if "CollectorLate" in one["AlarmName"]]
        assert (alarm["MetricName"], alarm["TreatMissingData"]) == ("CollectionOnTime", "breaching")
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3_600, 6)
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
        (counted,) = [
            one
            for one in default.of("AWS::Logs::MetricFilter")
            if one["MetricTransformations"][0]["MetricName"] == "CollectionOnTime"
        ]
        assert counted["FilterPattern"] == '{ $.function = "collector" && $.collection = "on time" }'

    def test_what_an_audit_of_the_bucket_finds_is_counted_only_where_somebody_is_called(
        self, default: Deployment, everything: Deployment
    ) -> None:
        counted = [
            one["FilterPattern"]
            for deployment in (default, everything)
            for one in deployment.of("AWS::Logs::MetricFilter")
            if one["MetricTransformations"][0]["MetricName"] == "BucketStrange"
        ]
        assert counted == [
            '{ $.function = "collector" && ($.UnexplainedObjects > 0 || $.MissingObjects > 0 || $.MiscountedUsage > 0 '
            "|| $.FailedAudits > 0) }"
        ]

    def test_functions_make_metrics_of_their_lines_only_if_the_settings_ask_for_it(
        self, default: Deployment, everything: Deployment
    ) -> None:
        for deployment, expected in ((default, "off"), (everything, "on")):
            functions = list(deployment.of("AWS::Serverless::Function"))
            assert {one["Environment"]["Variables"]["METRICS"] for one in functions} == {expected}
        (revision,) = default.of("AWS::Lambda::WebFunctionRevision")
        assert revision["ServiceConfig"]["EnvironmentVariables"]["METRICS"] == "off"

    def test_a_request_is_logged_once_unless_the_settings_ask_for_the_apis_own_line(
        self, default: Deployment, everything: Deployment
    ) -> None:
        assert "AccessLogSettings" not in default.one("AWS::ApiGatewayV2::Stage")
        assert "AccessLogSettings" in everything.one("AWS::ApiGatewayV2::Stage")
        for function in default.of("AWS::Serverless::Function"):
            assert function["LoggingConfig"] == {"LogFormat": "JSON", "SystemLogLevel": "WARN"}
        assert not [one for one in everything.of("AWS::Serverless::Function") if "LoggingConfig" in one]

    def test_two_ticks_are_the_only_schedules(self, default: Deployment) -> None:
        """However many schedules the registry's projects have."""
        rates = {}
        for schedule in default.of("AWS::Scheduler::Schedule"):
            target = schedule["Target"]
            assert json.loads(target["Input"]) == {"tick": True}
            assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
            (function,) = [name for name in ("Collector", "Management") if name in json.dumps(target["Arn"])]
            rates[function] = schedule["ScheduleExpression"]
        assert rates == {"Collector": "rate(5 minutes)", "Management": "rate(1 hour)"}

    def test_there_is_a_dashboard_and_every_saved_query(self, default: Deployment) -> None:
        assert json.loads(default.one("AWS::CloudWatch::Dashboard")["DashboardBody"])["widgets"]
        assert [one["Name"] for one in default.of("AWS::Logs::QueryDefinition")] == [query.name for query in QUERIES]


def test_a_first_deployment_that_failed_can_be_repeated(default: Deployment) -> None:
    """CloudFormation deletes what it created, so that no fixed name is taken, and nothing refuses its deletion."""
    for resource in default.resources.values():
        assert resource.get("DeletionPolicy") != "Retain"
        for refusing in ("DeletionProtectionEnabled", "DeletionProtection"):
            assert not resource["Properties"].get(refusing)
    assert not stack_properties(default).get("terminationProtection")


def test_after_it_everything_can_be_protected_by_a_setting(everything: Deployment) -> None:
    assert {one["DeletionProtectionEnabled"] for one in everything.of("AWS::DynamoDB::Table")} == {True}
    assert stack_properties(everything)["terminationProtection"] is True
    balancer = everything.one("AWS::ElasticLoadBalancingV2::LoadBalancer")["LoadBalancerAttributes"]
    assert {"Key": "deletion_protection.enabled", "Value": "true"} in balancer


def stack_properties(deployment: Deployment) -> dict[str, Any]:
    manifest = json.loads((deployment.directory / "manifest.json").read_text())["artifacts"]
    properties: dict[str, Any] = manifest[stack_id(deployment.settings.name)]["properties"]
    return properties


def test_names_that_are_global_to_the_account_hold_the_region(everything: Deployment) -> None:
    names = {
        *(one["Name"] for one in everything.of("AWS::CloudFront::Function")),
        everything.one("AWS::CloudFront::KeyValueStore")["Name"],
        *(one["OriginAccessControlConfig"]["Name"] for one in everything.of("AWS::CloudFront::OriginAccessControl")),
        *(one["CachePolicyConfig"]["Name"] for one in everything.of("AWS::CloudFront::CachePolicy")),
        everything.one("AWS::CloudFront::PublicKey")["PublicKeyConfig"]["Name"],
        everything.one("AWS::CloudFront::KeyGroup")["KeyGroupConfig"]["Name"],
        everything.one("AWS::CloudFront::VpcOrigin")["VpcOriginEndpointConfig"]["Name"],
        everything.one("AWS::CloudWatch::Dashboard")["DashboardName"],
    }
    assert [name for name in names if not name.startswith("harbour-2-eu-central-1-")] == []
    assert max(map(len, names)) <= 64 - len("abcdefghij") - len("ap-southeast-5") + len("eu-central-1")


def blobs(deployment: Deployment) -> dict[str, Any]:
    """The bucket of blobs and manifests; the other is of the relay's code."""
    kind = "AWS::S3::Bucket"
    found: dict[str, Any]
    (found,) = [
        one for name, one in deployment.resources.items() if name.startswith("StorageBucket") and one["Type"] == kind
    ]
    return found


def packaged(deployment: Deployment) -> list[str]:
    """The names in the zips of the functions."""
    names: list[str] = []
    for function in deployment.of("AWS::Serverless::Function"):
        with zipfile.ZipFile(deployment.directory / f"asset.{function['CodeUri']['Key']}") as archive:
            names += archive.namelist()
    return names


def served(deployment: Deployment) -> dict[str, str]:
    """The function behind each route."""
    found = {}
    for route in deployment.of("AWS::ApiGatewayV2::Route"):
        integration = deployment.resources[route["Target"]["Fn::Join"][1][1]["Ref"]]["Properties"]
        found[route["RouteKey"]] = integration["IntegrationUri"]["Fn::GetAtt"][0]
    return found
