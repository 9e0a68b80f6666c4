"""cdk-nag's rules for AWS solutions, and an argument for each finding that stands.

An argument is for one rule on one construct; of policies, for each resource with a wildcard by itself. What is new is
argued here or put right: until then nothing is synthesised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from infra.policies import Statement, function_policy, relay_statements
from infra.stack import RoadsteadStack

_ROUTE = "AWS::ApiGatewayV2::Route"
_OWN_RULES = "The registry's own tokens decide: clients expect the 401 challenge of the distribution specification"
_TOKENS_IN_URLS = "Its lines would hold URLs with what authorises them: upload tokens, signatures"
# Why a statement of the policy files names more than one resource at once.
_WILDCARDS = {
    "Objects": "Keys of objects are made of digests and upload ids; the prefixes are all that can be named",
    "Uploads": "Keys of objects are made of digests and upload ids; the prefix is all that can be named",
    "TrustedKeys": "Which keys is said by the condition on their aliases: a key's id is not known before it is made",
    "Sign": "Which keys is said by the condition on their aliases, and by each key's own policy",
    "Logs": "Streams are named by Lambda; the group is the function's own",
    "AuditTrail": "The function makes a stream for each day and process, in the one group of the trail",
    "Streams": "A stream's name is the time of its making; the table is named",
    "Traces": "X-Ray knows no resources",
    "EdgeSecretItself": "Secrets Manager appends six random characters to a secret's name",
    "WebhookSecrets": "One parameter for each webhook that projects have, below one path",
    "ScaleInProtection": "A task's id is not known before it runs; the cluster is the relay's own",
}


def check_app(app: cdk.App, stack: RoadsteadStack) -> None:
    """Have the synthesis fail on whatever is not argued."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    _acknowledge(stack.storage.bucket, {"S1": "The audit trail tells who stored and fetched what; " + _TOKENS_IN_URLS})
    _acknowledge(
        stack.keys.edge_secret,
        {"SMG4": "A new value has to reach CloudFront's origins by a deployment, too (adr/0005)"},
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
    _argue_policies(stack)
    if stack.relay is not None:
        _acknowledge(stack.relay.task, {"ECS2": "The variables hold names, no secret: docs/settings.md"})
        _acknowledge(stack.relay.load_balancer, {"ELB2": _TOKENS_IN_URLS})
        _acknowledge(
            stack.relay.network.load_balancer_group,
            {
                "EC23": "relay.public_domain asks for a public relay; HTTPS alone"
                if stack.settings.relay.public_domain
                else "The load balancer is internal, alone in its VPC; relay.cloudfront_prefix_list narrows the rule"
            },
        )


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
    if stack.relay is None:
        return
    own = stack.resolve(stack.relay.protection.to_statement_json())
    _acknowledge(stack.relay.task.task_role, dict(_wildcards([*relay_statements(stack.settings), own])))
    if stack.relay.task.execution_role is not None:
        everything = "IAM5[Resource::*]"
        _acknowledge(
            stack.relay.task.execution_role, {everything: "ecr:GetAuthorizationToken knows no resources; the CDK's own"}
        )


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
