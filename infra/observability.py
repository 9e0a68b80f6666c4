"""What an operator looks at, and what calls one: dashboard, saved queries, alarms to one SNS topic."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.api import Api
from infra.audit import Audit
from infra.functions import Functions
from infra.names import Names
from infra.relay import Relay
from infra.settings import Settings
from observability import dashboard
from observability.queries import AUDIT, QUERIES

# In the traceback of a log line (functions/hosting/lines.py): KMS refusals as botocore and aws/kms.py word them.
SIGNING_ERRORS = '{ $.error = "*calling the Sign operation*" || $.error = "*UnusableKey*" }'
_FIVE_MINUTES = cdk.Duration.minutes(5)


class Observability(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        api: Api,
        functions: Functions,
        audit: Audit,
        relay: Relay | None,
    ) -> None:
        super().__init__(scope, id)
        self._name = settings.name
        self.topic = self._topic(settings.alarm_email)
        region = cdk.Stack.of(self).region
        body = dashboard.body(region=region, audit_log_group=Names(settings.name).audit_log_group)
        cloudwatch.CfnDashboard(
            self, "Dashboard", dashboard_name=settings.name, dashboard_body=cdk.Stack.of(self).to_json_string(body)
        )
        self._queries(functions, audit)
        self._of_api(api)
        self._of_functions(functions, settings)
        self._of_audit(audit)
        if relay is not None:
            self._of_relay(relay)

    def _topic(self, email: str) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", topic_name=f"{self._name}-alarms", enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic

    def _queries(self, functions: Functions, audit: Audit) -> None:
        of_functions = [group.log_group_name for group in functions.log_groups.values()]
        for number, query in enumerate(QUERIES):
            logs.CfnQueryDefinition(
                self,
                f"Query{number}",
                name=query.name.replace("roadstead/", f"{self._name}/", 1),
                query_string=query.text,
                log_group_names=[audit.log_group.log_group_name] if query.groups == AUDIT else of_functions,
            )

    def _of_api(self, api: Api) -> None:
        dimensions = {"ApiId": api.http_api.api_id}
        failures = _metric("AWS/ApiGateway", "5xx", dimensions)
        self._alarm("ApiFailures", failures, 5, "The API answers 5xx: see the query 'errors', and X-Ray")
        waits = _metric("AWS/ApiGateway", "Latency", dimensions, "p99")
        self._alarm("ApiSlow", waits, 10_000, "One request in a hundred takes over 10 s", periods=3)

    def _of_functions(self, functions: Functions, settings: Settings) -> None:
        for name in functions.functions:
            dimensions = {"FunctionName": Names(settings.name).function(name)}
            title = name.capitalize()
            errors = _metric("AWS/Lambda", "Errors", dimensions)
            self._alarm(f"{title}Errors", errors, 1, f"The {name} function fails or runs out of time")
            throttles = _metric("AWS/Lambda", "Throttles", dimensions)
            self._alarm(
                f"{title}Throttles", throttles, 1, "Lambda refuses executions: ask for a higher concurrency quota"
            )
        faults = _metric("Roadstead", "Faults", {"function": "token"})
        self._alarm("TokenFaults", faults, 1, "Logins fail: a table cannot be read, or KMS does not sign")
        self._signing(functions.log_groups["token"])

    def _signing(self, group: logs.LogGroup) -> None:
        """KMS counts no errors of a key, so they are counted in the log of whoever signs."""
        logs.CfnMetricFilter(
            self,
            "SigningErrorLines",
            log_group_name=group.log_group_name,
            filter_pattern=SIGNING_ERRORS,
            metric_transformations=[
                logs.CfnMetricFilter.MetricTransformationProperty(
                    metric_namespace=self._name, metric_name="SigningErrors", metric_value="1"
                )
            ],
        )
        errors = _metric(self._name, "SigningErrors", {})
        self._alarm("SigningErrors", errors, 1, "KMS does not sign: is the key enabled, and the request quota not met?")

    def _of_audit(self, audit: Audit) -> None:
        for id, queue, sentence in (
            ("AuditDeadLetters", audit.dead_letters, "Something is missing from the audit trail until it is looked at"),
            ("NotificationDeadLetters", audit.notification_dead_letters, "Notifications were given up"),
        ):
            waiting = queue.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES, statistic="Maximum")
            self._alarm(id, waiting, 1, sentence)
        late = _metric("AWS/Lambda", "IteratorAge", {"FunctionName": Names(self._name).function("webhook")}, "Maximum")
        self._alarm("AuditLate", late, 3_600_000, "The audit trail is an hour behind; after a day events are lost")

    def _of_relay(self, relay: Relay) -> None:
        balancer = {"LoadBalancer": relay.load_balancer.load_balancer_full_name}
        healthy = relay.targets.metrics.healthy_host_count(period=cdk.Duration.minutes(1), statistic="Minimum")
        self._alarm("RelayUnhealthy", healthy, 1, "No relay is healthy: chunked uploads fail", periods=3, below=True)
        failures = _metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", balancer)
        self._alarm("RelayFailures", failures, 5, "The relay answers 5xx")
        gateway = _metric("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", balancer)
        self._alarm("RelayUnreachable", gateway, 5, "The relay's load balancer reaches no task")
        busy = relay.service.metric_cpu_utilization(period=_FIVE_MINUTES)
        self._alarm("RelayBusy", busy, 85, "The relay is at its limit: raise relay.most_tasks", periods=3)

    def _alarm(
        self,
        id: str,
        metric: cloudwatch.Metric,
        threshold: float,
        sentence: str,
        *,
        periods: int = 1,
        below: bool = False,
    ) -> None:
        compare = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            id,
            alarm_name=f"{self._name}-{id}",
            alarm_description=sentence,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=(compare.LESS_THAN_THRESHOLD if below else compare.GREATER_THAN_OR_EQUAL_TO_THRESHOLD),
            treat_missing_data=(
                cloudwatch.TreatMissingData.BREACHING if below else cloudwatch.TreatMissingData.NOT_BREACHING
            ),
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))


def _metric(namespace: str, name: str, dimensions: dict[str, str], statistic: str = "Sum") -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=_FIVE_MINUTES
    )
