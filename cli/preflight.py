"""`roadstead preflight`: whether an account can take a deployment, before the first one.

A deployment that fails takes half an hour to be rolled back. It creates nothing, unless `--try-cloudfront` asks for it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from cli.cloud import Account
from cli.doctor.report import Check, Finding, Note, Skip, State, Wrong, examine
from cli.failures import FAILED, OK, Failure
from cli.output import Output

ENOUGH_CONCURRENCY = 100  # of one registry; a new account has 10
QUOTA = "L-B99A9384"  # "Concurrent executions", Service Quotas
EDGE_REGION = "us-east-1"  # CloudFront's certificates and the Lambda@Edge function are there
RELAY_TYPES = {"web-function": "AWS::Lambda::WebFunction"}
_UNVERIFIED = "must be verified"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be deployed. `account` answers for `region`, `edge` for us-east-1."""

    account: Account
    edge: Account
    region: str
    stack: str
    name: str
    relay: str
    try_cloudfront: bool


def add_parser(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    help_ = "check whether an AWS account can take a first deployment"
    parser = parsers.add_parser("preflight", help=help_, description=help_)
    parser.add_argument("--region", help="the region of the deployment (default: from the AWS configuration)")
    parser.add_argument("--stack", default="Roadstead", metavar="NAME", help="the stack's name (default: %(default)s)")
    parser.add_argument("--name", default="roadstead", help="`name` in roadstead.toml (default: %(default)s)")
    parser.add_argument(
        "--relay",
        default="web-function",
        choices=("web-function", "fargate", "none"),
        help="`relay.kind` in roadstead.toml (default: %(default)s)",
    )
    parser.add_argument(
        "--try-cloudfront",
        action="store_true",
        help="create a disabled distribution and delete it, which takes some minutes: nothing else shows whether "
        "CloudFront wants the account to be verified",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document, for scripts")
    parser.set_defaults(run=None)


def run(options: argparse.Namespace, output: Output, account_of: Callable[[str], Account]) -> int:
    """Run all checks; return FAILED if one failed, or OK. `account_of` takes a region; empty is the default one."""
    account = account_of(options.region or "")
    region = account.region
    if not region:
        raise Failure("Which region? Give --region, or set AWS_REGION.")
    plan = Plan(
        account=account,
        edge=account if region == EDGE_REGION else account_of(EDGE_REGION),
        region=region,
        stack=options.stack,
        name=options.name,
        relay=options.relay,
        try_cloudfront=options.try_cloudfront,
    )
    findings: list[Finding] = []

    def report(finding: Finding) -> None:
        findings.append(finding)
        for line in finding.as_lines():
            output.say(line)

    output.say(f"Checking whether {region} can take the stack {options.stack}")
    examine(CHECKS, plan, report)
    counts = {str(state): sum(finding.state is state for finding in findings) for state in State}
    summary = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    document = {"region": region, "counts": counts, "findings": [finding.as_json() for finding in findings]}
    output.result(document, ["", summary])
    return FAILED if counts[State.FAILED] else OK


def identity(plan: Plan) -> str:
    return plan.account.identity()


def leftovers(plan: Plan) -> str:
    """A stack whose first deployment failed, or what one has left behind: CloudFormation can create neither again."""
    status = plan.account.stack_status(plan.stack)
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"):
        raise Wrong(
            f"the stack {plan.stack} is {status}: it can be deleted, not deployed again",
            f"Run `aws cloudformation delete-stack --stack-name {plan.stack}` first (docs/operations/deploy.md).",
        )
    if status:
        return f"the stack {plan.stack} is {status}"
    found = plan.account.taken(plan.name)
    if found:
        raise Wrong(
            f"there is no stack {plan.stack}, but {', '.join(found)} exist",
            "Delete them if they are left from a deployment that failed, or set another `name` in roadstead.toml.",
        )
    return "no stack, and no resource of that name"


def bootstrap(plan: Plan) -> str:
    regions = {plan.region: plan.account, EDGE_REGION: plan.edge}
    missing = [region for region, account in regions.items() if not account.is_bootstrapped()]
    if missing:
        raise Wrong(
            f"the CDK is not set up in {' and '.join(missing)}",
            "Run `npx aws-cdk bootstrap aws://ACCOUNT/REGION` for each.",
        )
    return " and ".join(regions)


def concurrency(plan: Plan) -> str:
    executions = plan.account.lambda_concurrency()
    if executions < ENOUGH_CONCURRENCY:
        raise Note(
            f"the account may run {executions} executions of Lambda functions at once",
            f"Enough for one person. Request 1,000 for a team: Service Quotas, {QUOTA}.",
        )
    return f"{executions} executions at once"


def relay(plan: Plan) -> str:
    kind = RELAY_TYPES.get(plan.relay)
    if kind is None:
        raise Skip(f"not needed with relay.kind = {plan.relay}")
    if not plan.account.knows_type(kind):
        raise Wrong(
            f"CloudFormation has no {kind} in {plan.region}",
            'Set relay.kind = "fargate" (about USD 49 a month) or "none" in roadstead.toml.',
        )
    return f"CloudFormation has {kind}"


def cloudfront(plan: Plan) -> str:
    """There is no call that says whether an account is verified; one that has a distribution is."""
    existing = plan.account.distributions()
    if existing and not plan.try_cloudfront:
        return f"the account has {existing} distributions already"
    if not plan.try_cloudfront:
        raise Note(
            "the account has no distribution, and CloudFront refuses some accounts until they are verified",
            "Run this again with --try-cloudfront, which creates a distribution and deletes it.",
        )
    refused = plan.account.try_distribution()
    if refused:
        advice = "The deploying role needs cloudfront:CreateDistribution."
        if _UNVERIFIED in refused:
            advice = "Open a case with AWS Support (Account and billing), and wait: the deployment would fail."
        raise Wrong(f"CloudFront refused a distribution: {refused}", advice)
    return "a distribution was created and deleted again"


CHECKS: tuple[Check[Plan], ...] = (
    Check("identity", "AWS accepts the credentials", identity),
    Check("leftovers", "nothing stands in the way", leftovers, ("identity",)),
    Check("bootstrap", "the CDK is set up", bootstrap, ("identity",)),
    Check("concurrency", "Lambda may run enough executions", concurrency, ("identity",)),
    Check("relay", "the region has web functions", relay, ("identity",)),
    Check("cloudfront", "CloudFront takes distributions of the account", cloudfront, ("identity",)),
)
