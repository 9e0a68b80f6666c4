"""cdk-nag's rules for AWS solutions, and the reason for each finding that is accepted.

A reason is for one rule on one construct; in policies, for each resource with a wildcard. Synthesis fails until a new
finding is fixed, or accepted here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from infra.beneath import beneath
from infra.policies import Statement, function_policy, relay_statements
from infra.relays.fargate import FargateRelay
from infra.relays.web_function import WebFunctionRelay
from infra.stack import RoadsteadStack

_ROUTE = "AWS::ApiGatewayV2::Route"
_OWN_RULES = "The registry's own tokens decide: clients expect the 401 challenge of the distribution specification"
_TOKENS_IN_URLS = "Its lines would hold URLs with what authorises them: upload tokens, signatures"
# Why a statement of the policy files names more than one resource at once.
_WILDCARDS = {
    "Objects": "Keys of objects are made of digests and upload ids; the prefixes are all that can be named",
    "Chunks": "The bucket is one; the prefix is an upload's, and a condition could name nothing narrower",
    "UploadObjects": "Keys of objects are made of upload ids; the prefix is all that can be named",
    "FinishedObjects": "Keys of objects are made of digests and upload ids; the prefix is all that can be named",
    "Uploads": "Keys of objects are made of digests and upload ids; the prefix is all that can be named",
    "TrustedKeys": "Which keys is said by the condition on their aliases: a key's id is not known before it is made",
    "Sign": "Which keys is said by the condition on their aliases, and by each key's own policy",
    "Logs": "Streams are named by Lambda; the group is the function's own",
    "AuditTrail": "The function makes a stream for each day and process, in the one group of the trail",
    "Stream": "A stream's name is the time of its making; the table is named",
    "Content": "Keys of objects are made of digests and upload ids; the prefixes are all that can be named",
    "Extracted": "Keys of objects are made of digests; the prefix is all that can be named",
    "Streams": "A stream's name is the time of its making; the table is named",
    "Traces": "X-Ray knows no resources",
    "EdgeSecretItself": "Secrets Manager appends six random characters to a secret's name",
    "ConfigurationSecrets": "One parameter for each value of a secret of the configuration, below one path",
    "LdapPassword": "Each value of a secret has a parameter of its own, below one path",
    "OidcSecret": "The same",
    "Vpc": "A network interface is not known before it exists, and Lambda asks for all of them",
    "WebhookSecrets": "One parameter for each webhook that projects have, below one path",
    "ScaleInProtection": "A task's id is not known before it runs; the cluster is the relay's own",
}


def check_app(app: cdk.App, stack: RoadsteadStack) -> None:
    """Have synthesis fail on findings that are not accepted."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    _acknowledge(stack.storage.bucket, {"S1": "The audit trail tells who stored and fetched what; " + _TOKENS_IN_URLS})
    _acknowledge(
        stack.keys.edge_secret,
        {"SMG4": "A new value has to reach CloudFront's origins by a deployment, too (adr/0005)"},
    )
    if not stack.settings.api.access_log:
        _acknowledge(
            stack.api.stage, {"APIG1": "Each function logs each request; api.access_log adds the API's own line"}
        )
    for route in _routes(stack):
        _acknowledge(route, {"APIG4": _OWN_RULES})
    _acknowledge(
        stack.edge.distribution,
        {
            "CFR1": "Where its own people are is the operator's to know; nothing is served without a token",
            "CFR2": "distribution.web_acl takes one; the API is throttled, and uploads need a signed token",
            "CFR3": _TOKENS_IN_URLS,
            "CFR4": "CloudFront's own name allows no other setting; with distribution.domain it is TLSv1.2_2021",
        },
    )
    _acknowledge(
        stack.indexing.dead_letters, {"SQS3": "It is a dead-letter queue itself: that of an event source mapping"}
    )
    _argue_policies(stack)
    if isinstance(stack.relay, FargateRelay):
        _accept_fargate(stack, stack.relay)
    if isinstance(stack.relay, WebFunctionRelay):
        _accept_web_function(stack, stack.relay)


def _argue_policies(stack: RoadsteadStack) -> None:
    for name in stack.functions.functions:
        role = stack.functions.included.get_resource(f"{name.capitalize()}Role")
        _acknowledge(role, dict(_wildcards(function_policy(name, stack.settings)["Statement"])))
    if stack.edge.errors_function is not None:
        managed = "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
        _acknowledge(
            stack.edge.errors_function,
            {managed: "Lambda@Edge writes to groups in whichever region it ran: that policy says so"},
        )


def _accept_fargate(stack: RoadsteadStack, relay: FargateRelay) -> None:
    _acknowledge(relay.cluster, {"ECS4": "Container Insights are billed as custom metrics; alarms use free metrics"})
    _acknowledge(relay.task, {"ECS2": "The variables hold names, no secret: docs/settings.md"})
    _acknowledge(relay.load_balancer, {"ELB2": _TOKENS_IN_URLS})
    _acknowledge(
        relay.network.load_balancer_group,
        {
            "EC23": "relay.fargate.public_domain asks for a public relay; HTTPS only"
            if stack.settings.relay.public_domain
            else "The load balancer is internal, alone in its VPC; cloudfront_prefix_list narrows the rule"
        },
    )
    own = stack.resolve(relay.protection.to_statement_json())
    _acknowledge(relay.task.task_role, dict(_wildcards([*relay_statements(stack.settings), own])))
    if relay.task.execution_role is not None:
        _acknowledge(
            relay.task.execution_role,
            {"IAM5[Resource::*]": "ecr:GetAuthorizationToken takes no resource; the CDK's own"},
        )


def _accept_web_function(stack: RoadsteadStack, relay: WebFunctionRelay) -> None:
    _acknowledge(relay.role, dict(_wildcards(relay_statements(stack.settings))))
    _acknowledge(relay.code.bucket, {"S1": "It holds the relay's package, which Lambda alone reads"})
    bucket = stack.get_logical_id(beneath(relay.code.bucket, s3.CfnBucket))
    _acknowledge(
        relay.code.role, {f"IAM5[Resource::<{bucket}.Arn>/*]": "It empties the bucket of the package, its own"}
    )
    for resource in (relay.function, relay.revision, relay.endpoint):
        unknown = cdk.Acknowledgment(
            id="CloudFormation-Validate::F3006", reason="The validator's list of resource types is older than the type"
        )
        cdk.Validations.of(resource).acknowledge(unknown)


def _wildcards(statements: Iterable[Statement]) -> Iterator[tuple[str, str]]:
    """A rule's id for each resource with a wildcard, in the form in which cdk-nag names it, and the argument."""
    for statement in statements:
        listed = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for resource in listed:
            named = _named(resource)
            if "*" in named and statement["Sid"] in _WILDCARDS:
                yield f"IAM5[Resource::{named}]", _WILDCARDS[statement["Sid"]]


def _named(resource: object) -> str:
    if isinstance(resource, str):
        return resource
    if isinstance(resource, dict) and "Fn::Sub" in resource:
        return re.sub(r"\$\{([^}]+)\}", r"<\1>", resource["Fn::Sub"])
    if isinstance(resource, dict) and "Fn::Join" in resource:
        return "".join(f"<{part['Ref']}>" if isinstance(part, dict) else part for part in resource["Fn::Join"][1])
    raise TypeError(f"a resource of a form that is not known: {json.dumps(resource)}")


def _routes(stack: RoadsteadStack) -> list[IConstruct]:
    return [one for one in stack.api.node.find_all() if getattr(one, "cfn_resource_type", "") == _ROUTE]


def _acknowledge(construct: IConstruct, rules: dict[str, str]) -> None:
    cdk.Validations.of(construct).acknowledge(
        *(cdk.Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason) for rule, reason in rules.items())
    )
