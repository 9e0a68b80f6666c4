"""What each role of a deployment may do, and what nobody may."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.stack import _statement
from tests.infra.templates import Deployment, grants, listed, roles, short, statements, text

INDEX, IDENTITY = "dynamodb:::table/roadstead-index", "dynamodb:::table/roadstead-identity"
BUCKET, BLOBS = "s3:::roadstead--", "s3:::roadstead--/blobs/*"
_OBJECTS = "s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:PutObject"
_LINES = "logs:CreateLogStream logs:PutLogEvents"
_STREAM = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams"
_TRACES = {"*": "xray:PutTelemetryRecords xray:PutTraceSegments"}
_EDGE_SECRET = {
    "secretsmanager:::secret:roadstead-edge-??????": "secretsmanager:GetSecretValue",
    "ssm:::parameter/aws/reference/secretsmanager/roadstead-edge": "ssm:GetParameter",
}

# Asking the function that asks directories, and what it has to be told.
_LDAP = {
    "lambda:::function:roadstead-prod-ldap": "lambda:InvokeFunction",
    "ssm:::parameter/roadstead/configuration/ldap_search_password/*": "ssm:GetParameter",
}

GRANTS = {
    "RegistryRole": {
        INDEX: "dynamodb:BatchGetItem dynamodb:BatchWriteItem dynamodb:ConditionCheckItem dynamodb:DeleteItem "
        "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        BUCKET: "s3:ListBucket",
        BLOBS: _OBJECTS,
        "s3:::roadstead--/manifests/*": _OBJECTS,
        "kms:::key/*": "kms:GetPublicKey",
        "ssm:::parameter/roadstead/upload-keys": "ssm:GetParameter",
        "logs:::log-group:/aws/lambda/roadstead-*-registry:*": _LINES,
        **_EDGE_SECRET,
        **_TRACES,
    },
    "TokenRole": {
        INDEX: "dynamodb:GetItem dynamodb:PutItem",  # of the policies of projects, below
        IDENTITY: "dynamodb:BatchGetItem dynamodb:BatchWriteItem dynamodb:ConditionCheckItem dynamodb:GetItem "
        "dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        "kms:::key/*": "kms:GetPublicKey kms:Sign",
        "logs:::log-group:/aws/lambda/roadstead-*-token:*": _LINES,
        **_LDAP,
        **_EDGE_SECRET,
        **_TRACES,
    },
    "ManagementRole": {
        INDEX: "dynamodb:BatchGetItem dynamodb:BatchWriteItem dynamodb:ConditionCheckItem dynamodb:DeleteItem "
        "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        f"{INDEX}/index/by-push": "dynamodb:BatchGetItem dynamodb:Query",
        "lambda:::function:roadstead-prod-collector": "lambda:InvokeFunction",
        **_LDAP,
        "ssm:::parameter/roadstead/configuration/oidc_client_secret/*": "ssm:GetParameter",
        BUCKET: "s3:ListBucket",
        "s3:::roadstead--/manifests/*": "s3:GetObject s3:PutObject",
        "s3:::roadstead--/derived/*": "s3:GetObject",
        IDENTITY: "dynamodb:BatchGetItem dynamodb:ConditionCheckItem dynamodb:DeleteItem dynamodb:GetItem "
        "dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        "ssm:::parameter/roadstead/configuration/*": "ssm:DeleteParameter ssm:PutParameter",
        "ssm:::parameter/roadstead/webhooks/*": "ssm:DeleteParameter ssm:GetParameter ssm:GetParametersByPath "
        "ssm:PutParameter",
        "sqs:::roadstead-notifications": "sqs:SendMessage",
        "logs:::log-group:/aws/lambda/roadstead-*-management:*": _LINES,
        **_EDGE_SECRET,
        **_TRACES,
    },
    "CollectorRole": {
        INDEX: "dynamodb:BatchGetItem dynamodb:BatchWriteItem dynamodb:ConditionCheckItem dynamodb:DeleteItem "
        "dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        f"{INDEX}/index/by-push": "dynamodb:Query",
        IDENTITY: "dynamodb:Query",
        BUCKET: "s3:ListBucket",
        BLOBS: "s3:DeleteObject s3:GetObject",
        "s3:::roadstead--/derived/*": "s3:DeleteObject s3:GetObject s3:PutObject",
        "s3:::roadstead--/manifests/*": "s3:DeleteObject s3:GetObject s3:PutObject",
        "logs:::log-group:/aws/lambda/roadstead-*-collector:*": _LINES,
        **_TRACES,
    },
    "CollectionRole": {"<Collector.Arn>": "lambda:InvokeFunction"},
    "WarningsRole": {"<Management.Arn>": "lambda:InvokeFunction"},
    "WebhookRole": {
        INDEX: "dynamodb:BatchGetItem dynamodb:BatchWriteItem dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem",
        IDENTITY: "dynamodb:BatchGetItem dynamodb:GetItem dynamodb:Query",
        f"{INDEX}/stream/*": _STREAM,
        f"{IDENTITY}/stream/*": _STREAM,
        BUCKET: "s3:ListBucket",
        BLOBS: "s3:DeleteObject s3:GetObject",
        "sqs:::roadstead-object-events": "sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage",
        "sqs:::roadstead-audit-dead-letters": "sqs:SendMessage",
        "sqs:::roadstead-notifications": "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes "
        "sqs:ReceiveMessage sqs:SendMessage",
        "sqs:::roadstead-notifications-dead": "sqs:SendMessage",
        "ssm:::parameter/roadstead/webhooks/*": "ssm:GetParameter",
        "logs:::log-group:/roadstead/audit:*": _LINES,
        "logs:::log-group:/aws/lambda/roadstead-*-webhook:*": _LINES,
        **_TRACES,
    },
    "LdapRole": {"logs:::log-group:/aws/lambda/roadstead-*-ldap:*": _LINES, **_TRACES},
    "IndexerRole": {
        INDEX: "dynamodb:BatchGetItem dynamodb:ConditionCheckItem dynamodb:DeleteItem dynamodb:GetItem "
        "dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        f"{INDEX}/stream/*": _STREAM,
        BUCKET: "s3:ListBucket",
        BLOBS: "s3:GetObject",
        "s3:::roadstead--/manifests/*": "s3:GetObject",
        "s3:::roadstead--/derived/*": "s3:DeleteObject s3:PutObject",
        "sqs:::roadstead-index-dead-letters": "sqs:SendMessage",
        "logs:::log-group:/aws/lambda/roadstead-*-indexer:*": _LINES,
        **_TRACES,
    },
    "PublicKeysReaderRole": {
        "<KeysToken1.Arn>": "kms:GetPublicKey",
        "<PublicKeysReaderLog.Arn>": _LINES,
    },
    "RelayRole": {
        INDEX: "dynamodb:GetItem dynamodb:PutItem dynamodb:Query",
        BUCKET: "s3:ListBucket",
        BLOBS: "s3:PutObject",
        "s3:::roadstead--/blobs/uploads/*": "s3:AbortMultipartUpload s3:DeleteObject s3:GetObject",
        "ssm:::parameter/roadstead/upload-keys": "ssm:GetParameter",
        "<RelayLog.Arn>": _LINES,
        "<RelayLocalLog.Arn>": _LINES,
        **_EDGE_SECRET,
    },
    "RelayCodeCopierRole": {
        "s3:::cdk-hnb659fds-assets--/<hash>.zip": "s3:GetObject",
        "<RelayCodeBucket.Arn>": "s3:ListBucketVersions",
        "<RelayCodeBucket.Arn>/*": "s3:DeleteObject s3:DeleteObjectVersion s3:PutObject",
        "<RelayCodeCopierLog.Arn>": _LINES,
    },
}
FARGATE_GRANTS = {
    "RelayTaskTaskRole": {
        INDEX: "dynamodb:GetItem dynamodb:PutItem dynamodb:Query",
        BUCKET: "s3:ListBucket",
        BLOBS: "s3:PutObject",
        "s3:::roadstead--/blobs/uploads/*": "s3:AbortMultipartUpload s3:DeleteObject s3:GetObject",
        "ssm:::parameter/roadstead/upload-keys": "ssm:GetParameter",
        "ecs:::task/roadstead-relay/*": "ecs:GetTaskProtection ecs:UpdateTaskProtection",
        **_EDGE_SECRET,
    },
    "RelayTaskExecutionRole": {
        "*": "ecr:GetAuthorizationToken",
        "ecr:::repository/cdk-hnb659fds-container-assets--": "ecr:BatchCheckLayerAvailability ecr:BatchGetImage "
        "ecr:GetDownloadUrlForLayer",
        "<RelayLog.Arn>": _LINES,
    },
    "RelayNetworkVpcRejectedIAMRole": {
        "<RelayNetworkFlowLog.Arn>": "logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents",
    },
}


# The Lambda@Edge function, whose role has no policy but AWS's own: see below.
_EDGE_ROLE = "EdgeErrorsFnServiceRole"


@pytest.mark.parametrize("role", GRANTS)
def test_a_role_may_do_exactly_this(default: Deployment, role: str) -> None:
    assert granted(default, role) == GRANTS[role]


@pytest.mark.parametrize("role", FARGATE_GRANTS)
def test_a_role_of_a_relay_on_fargate_may_do_exactly_this(fargate: Deployment, role: str) -> None:
    assert granted(fargate, role) == FARGATE_GRANTS[role]


def granted(deployment: Deployment, role: str) -> dict[str, str]:
    found = {re.sub(r"[0-9A-F]{8}\.Arn", ".Arn", where): what for where, what in grants(deployment, role).items()}
    return {re.sub(r"[0-9a-f]{64}", "<hash>", where): what for where, what in found.items()}


def test_there_is_no_other_role(default: Deployment, fargate: Deployment) -> None:
    functions = {
        "RegistryRole",
        "TokenRole",
        "ManagementRole",
        "CollectorRole",
        "CollectionRole",
        "WebhookRole",
        "IndexerRole",
        "LdapRole",
        "PublicKeysReaderRole",
        "WarningsRole",
    }
    assert named(roles(default)) == {*GRANTS, _EDGE_ROLE}
    assert named(roles(fargate)) == {*functions, *FARGATE_GRANTS}


def named(logical_ids: list[str]) -> set[str]:
    return {re.sub(r"[0-9A-F]{8}$", "", name) for name in logical_ids}


def test_the_function_at_the_edge_may_write_log_lines_and_no_more(least: Deployment) -> None:
    (role,) = [name for name in roles(least) if name.startswith("EdgeErrors")]
    assert statements(least, role) == []
    policies = [text(arn) for arn in least.resources[role]["Properties"]["ManagedPolicyArns"]]
    assert policies == ["arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]


def test_what_a_setting_adds_is_one_permission(everything: Deployment, default: Deployment) -> None:
    found = {where.replace(f"eu-central-1:{_ACCOUNT}", ":") for where in grants(everything, "RegistryRole")}
    theirs = {where.replace("roadstead", "harbour-2") for where in GRANTS["RegistryRole"]}
    assert found - theirs == {"ssm:::parameter/harbour-2/blob-url-key"}
    assert theirs - found == set()


_ACCOUNT = "111122223333"


def test_the_registry_and_the_relay_cannot_reach_the_identity_table(default: Deployment, fargate: Deployment) -> None:
    for deployment, role in ((default, "RegistryRole"), (default, "RelayRole"), (fargate, "RelayTaskTaskRole")):
        said = json.dumps(statements(deployment, role))
        assert "identity" not in said.lower()


def test_the_token_function_reaches_the_policies_of_projects_in_the_index_and_no_content(default: Deployment) -> None:
    assert keys_read(default, "TokenRole", INDEX) == {"rules#*", "event#*"}


def test_the_collector_reads_the_list_of_projects_in_the_identity_table_and_nothing_else(default: Deployment) -> None:
    assert keys_read(default, "CollectorRole", IDENTITY) == {"projects"}


def test_the_webhook_function_reads_events_and_webhooks_of_the_identity_table_and_no_user(default: Deployment) -> None:
    assert keys_read(default, "WebhookRole", IDENTITY) == {"event#*", "project#*"}
    pulls = {"pulls#*", "pullers#*", "pullsum#*"}
    assert keys_read(default, "WebhookRole", INDEX) == pulls | {
        "trail#*", "gc#*", "repo#*", "webhook#*", "upload#*", "blob#*",
    }  # fmt: skip


def test_the_relay_writes_sessions_and_candidates_and_nothing_that_a_repository_serves(
    default: Deployment, fargate: Deployment
) -> None:
    for deployment, kind in ((default, "RelayRole"), (fargate, "RelayTaskTaskRole")):
        (role,) = [one for one in roles(deployment) if one.startswith(kind)]
        assert keys_read(deployment, role, INDEX) == {"upload#*", "gc#*"}
        for statement in statements(deployment, role):
            if "gc#*" in json.dumps(statement):
                assert statement["Action"] == "dynamodb:PutItem"


def test_a_statement_keeps_its_condition_and_one_that_says_more_is_refused() -> None:
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["upload#*"]}}
    said = {"Sid": "A", "Effect": "Allow", "Action": "a:B", "Resource": {"Fn::Sub": "arn:c"}, "Condition": condition}
    assert _statement(said).to_statement_json()["Condition"] == condition
    for more in ({"Effect": "Deny"}, {"NotAction": "a:C"}):
        with pytest.raises(ValueError, match="says more"):
            _statement({**said, **more})


def keys_read(deployment: Deployment, role: str, table: str, action: str = "") -> set[str]:
    """The partitions to which a role is held on a table, for `action` or any. Fails on a statement that holds it to
    none."""
    found: set[str] = set()
    for statement in statements(deployment, role):
        tables = [short(text(resource)) for resource in listed(statement["Resource"])]
        if table in tables and (not action or action in listed(statement["Action"])):
            found |= set(statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
    return found


def test_only_the_token_functions_role_can_sign_and_only_as_tokens_are_signed(everything: Deployment) -> None:
    for key in everything.of("AWS::KMS::Key"):
        signing = [one for one in key["KeyPolicy"]["Statement"] if "kms:Sign" in listed(one["Action"])]
        assert signing == [
            {
                "Sid": "Sign",
                "Effect": "Allow",
                "Principal": {"AWS": {"Fn::GetAtt": ["TokenRole", "Arn"]}},
                "Action": "kms:Sign",
                "Resource": "*",
                "Condition": {"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256", "kms:MessageType": "RAW"}},
            }
        ]
    signers = [role for role in roles(everything) if "kms:Sign" in json.dumps(statements(everything, role))]
    assert signers == ["TokenRole"]


def test_whoever_administers_a_key_can_neither_use_it_nor_let_others(default: Deployment) -> None:
    (administration,) = [
        one for one in default.one("AWS::KMS::Key")["KeyPolicy"]["Statement"] if one["Sid"] == "Administration"
    ]
    actions = set(administration["Action"])
    assert not [action for action in actions if "*" in action]
    assert not actions & {"kms:Sign", "kms:Verify", "kms:CreateGrant"}
    assert {"kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey"} <= actions


def test_keys_of_every_generation_are_trusted_and_no_other_key(everything: Deployment) -> None:
    for role in ("RegistryRole", "TokenRole"):
        (statement,) = [one for one in statements(everything, role) if "kms:GetPublicKey" in listed(one["Action"])]
        aliases = ["alias/harbour-2-token-2", "alias/harbour-2-token-1"]
        assert statement["Condition"] == {"ForAnyValue:StringEquals": {"kms:ResourceAliases": aliases}}


def test_only_uploads_put_blobs(default: Deployment, fargate: Deployment) -> None:
    """The two that serve uploads, and the distribution; nobody else, by whichever policy."""
    for deployment, relay in ((default, "RelayRole"), (fargate, "RelayTaskTaskRole")):
        putting = [role for role in roles(deployment) if BLOBS in str(objects_put(deployment, role))]
        assert named(putting) == {"RegistryRole", relay}
    (distribution,) = [
        one
        for policy in default.of("AWS::S3::BucketPolicy")
        for one in policy["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow" and "s3:PutObject" in one["Action"]
    ]
    assert distribution["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert distribution["Action"] == ["s3:GetObject", "s3:PutObject"]
    assert text(distribution["Resource"]).endswith(".Arn>/blobs/*")
    source = text(distribution["Condition"]["StringEquals"]["AWS:SourceArn"])
    assert re.fullmatch(
        r"arn:<AWS::Partition>:cloudfront::<AWS::AccountId>:distribution/<EdgeDistribution\w+\.Id>", source
    )


def objects_put(deployment: Deployment, role: str) -> list[str]:
    putting = [one for one in statements(deployment, role) if "s3:PutObject" in listed(one["Action"])]
    return [short(text(resource)) for one in putting for resource in listed(one["Resource"])]


def test_no_bucket_answers_plain_http(default: Deployment) -> None:
    policies = default.of("AWS::S3::BucketPolicy")
    assert len(policies) == len(default.of("AWS::S3::Bucket"))
    for policy in policies:
        denied = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Deny"]
        assert {json.dumps(one["Condition"], sort_keys=True) for one in denied} == {
            '{"Bool": {"aws:SecureTransport": "false"}}',
            '{"NumericLessThan": {"s3:TlsVersion": 1.2}}',
        }
        assert all(one["Action"] == "s3:*" and one["Principal"] == {"AWS": "*"} for one in denied)


def test_nobody_deletes_or_shortens_the_audit_trail(default: Deployment, everything: Deployment) -> None:
    for deployment in (default, everything):
        for role in roles(deployment):
            for statement in statements(deployment, role):
                logs = [action for action in listed(statement["Action"]) if action.startswith("logs:")]
                assert set(logs) <= {"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}
                assert not [action for action in listed(statement["Action"]) if action in ("*", "logs:*")]
    name = "/roadstead/audit"
    (trail,) = [one for one in default.resources.values() if one["Properties"].get("LogGroupName") == name]
    assert "DeletionProtectionEnabled" not in trail["Properties"]
    assert (trail["DeletionPolicy"], trail["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    (protected,) = [
        one for one in everything.of("AWS::Logs::LogGroup") if one.get("LogGroupName") == "/harbour-2/audit"
    ]
    assert protected["DeletionProtectionEnabled"] is True


def test_only_the_webhook_function_writes_the_audit_trail(default: Deployment) -> None:
    writing = [role for role in roles(default) if "/roadstead/audit" in json.dumps(statements(default, role))]
    assert writing == ["WebhookRole"]


def test_no_policy_allows_whole_services(default: Deployment, everything: Deployment, public_relay: Deployment) -> None:
    for deployment in (default, everything, public_relay):
        for role in roles(deployment):
            for statement in statements(deployment, role):
                assert not [action for action in listed(statement["Action"]) if "*" in action]


def test_a_queue_takes_messages_by_tls_and_of_the_bucket_alone(default: Deployment) -> None:
    senders: list[Any] = []
    for policy in default.of("AWS::SQS::QueuePolicy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                senders.append(statement)
            else:
                assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (bucket,) = senders
    assert bucket["Principal"] == {"Service": "s3.amazonaws.com"}
    assert bucket["Action"] == "sqs:SendMessage"
    where = text(bucket["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert short(where) == "s3:::roadstead--"


def test_the_management_function_reads_what_lists_show_and_changes_content_and_executions(default: Deployment) -> None:
    labels = {"id#label", "labelled#*", "labels#*"}
    policies = {"rules#*", "usage#*", "event#*"}
    schedules = {"retention#*", "schedule#*", "schedules"}
    changed = {"repo#*", "blob#*", "count#*", "catalog", "gc#*", "event#*", "trash#*", "deleting#*", "reserved#*"}
    changed |= labels | schedules | {"closed#*", "deleted#*", "policy#*", "pullsum#*", "rules#*", "usage#*"}
    executions = {"execution#*", "executions#*", "due", "event#*", "policy#*", "trash#*"} | schedules
    assert keys_read(default, "ManagementRole", INDEX, "dynamodb:PutItem") == executions | changed | policies
    assert keys_read(default, "ManagementRole", INDEX) == executions | changed | policies | {
        *("artifact#*", "own#*", "pullers#*", "pulls#*", "pullsum#*", "reposum#*", "trail#*", "webhook#*", "where#*")
    }
    for statement in statements(default, "ManagementRole"):
        if "dynamodb:DeleteItem" in statement["Action"] and "artifact" not in json.dumps(statement):
            keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
            assert keys is None or set(keys) == changed
    said = json.dumps(statements(default, "ManagementRole"))
    for denied in ("kms:", "s3:DeleteObject", "/blobs/"):
        assert denied not in said
