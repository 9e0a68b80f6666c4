"""What an operator looks at and is called by: dashboard, saved queries, alarms that notify one SNS topic."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from edge.names import REGISTRY, TOKEN
from infra.api import Api
from infra.configuration.names import Names
from infra.configuration.settings import Settings
from infra.functions import Functions
from infra.indexing import Indexing
from infra.readers import Readers
from infra.relays.relay import Relay
from infra.watching.alarms import FAULTS, FIVE_MINUTES, AlarmRule, count_lines, metric
from infra.watching.audit import Audit
from observability import dashboard
from observability.queries import AUDIT, QUERIES

# In lines of functions/hosting/metrics.py.
# Lambda's own line about an invocation that did not end well: the function ran out of time or memory, or crashed.
_UNFINISHED = '($.type = "platform.report" && $.record.status != "success")'
TOKEN_FAULTS = f"{{ $.status >= 500 || {_UNFINISHED} }}"
REGISTRY_FAULTS = f"{{ $.status = 500 || {_UNFINISHED} }}"  # 503 is for clients to repeat
BUCKET_STRANGE = (
    '{ $.function = "collector" && ($.UnexplainedObjects > 0 || $.MissingObjects > 0 || $.MiscountedUsage > 0 '
    "|| $.FailedAudits > 0) }"
)
COLLECTION_ON_TIME = '{ $.function = "collector" && $.collection = "on time" }'


class Observability(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        api: Api,
        functions: Functions,
        readers: Readers | None,
        audit: Audit,
        indexing: Indexing,
        relay: Relay | None,
    ) -> None:
        super().__init__(scope, id)
        self._name = settings.name
        self.topic = self._topic(settings.alarm_email)
        region = cdk.Stack.of(self).region
        body = dashboard.body(
            region=region,
            audit_log_group=Names(settings.name).audit_log_group,
            log_groups=[f"/aws/lambda/{Names(settings.name).function(name)}" for name in functions.log_groups],
            metrics=settings.metrics,
        )
        # Dashboards are global to the account ("PutDashboard").
        dashboard_name = Names(settings.name).across_regions("registry", region)
        cloudwatch.CfnDashboard(
            self, "Dashboard", dashboard_name=dashboard_name, dashboard_body=cdk.Stack.of(self).to_json_string(body)
        )
        self._queries(functions, audit)
        rules = [
            *self._of_api(api, readers),
            *self._of_functions(functions),
            *self._of_audit(audit),
            *indexing.alarms(),
        ]
        if settings.all_alarms:
            rules.append(self._of_bucket(functions))
        rules += [self._of_collector(functions), *(relay.alarms() if relay is not None else ())]
        for rule in rules:
            if settings.all_alarms or not rule.more:
                self._alarm(rule)

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

    def _of_api(self, api: Api, readers: Readers | None) -> list[AlarmRule]:
        """What the registry's URL fails with is in `Faults`, too, by its lines: an alarm of its own would be the
        eleventh."""
        dimensions = {"ApiId": api.http_api.api_id}
        failures = metric("AWS/ApiGateway", "5xx", dimensions)
        waits = metric("AWS/ApiGateway", "Latency", dimensions, "p99")
        return [
            AlarmRule("ApiFailures", failures, 5, "The API responds with 5xx: see the query 'errors', and X-Ray"),
            AlarmRule("ApiSlow", waits, 10_000, "One request in a hundred takes over 10 s", periods=3, more=True),
            *([self._of_url()] if readers else []),
        ]

    def _of_url(self) -> AlarmRule:
        failures = metric("AWS/Lambda", "Url5xxCount", {"FunctionName": Names(self._name).function(REGISTRY)})
        return AlarmRule("ReadFailures", failures, 5, "The registry's URL responds with 5xx: pulls fail", more=True)

    def _of_functions(self, functions: Functions) -> list[AlarmRule]:
        """Nobody waits for the webhook function, so its errors have an alarm; the others' are the API's failures, or
        lines of registry and token function, which reads reach without the API.

        Functions share the account's concurrency, so throttles are counted for all of them.
        """
        webhook = {"FunctionName": Names(self._name).function("webhook")}
        errors = metric("AWS/Lambda", "Errors", webhook)
        throttles = metric("AWS/Lambda", "Throttles", {})
        for id, function, pattern in (
            ("TokenFaultLines", TOKEN, TOKEN_FAULTS),
            ("RegistryFaultLines", REGISTRY, REGISTRY_FAULTS),
        ):
            group = functions.log_groups[function]
            count_lines(self, id, group=group, pattern=pattern, namespace=self._name, name=FAULTS)
        faults = metric(self._name, FAULTS, {})
        return [
            AlarmRule("WebhookErrors", errors, 1, "The webhook function fails or runs out of time"),
            AlarmRule("Throttles", throttles, 1, "Lambda refuses executions: ask for a higher concurrency quota"),
            AlarmRule(
                "Faults",
                faults,
                1,
                "Logins or reads fail (a table cannot be read, KMS does not sign), or the relay does not start",
            ),
        ]

    def _of_collector(self, functions: Functions) -> AlarmRule:
        """Ticks that found no collection late, whatever its schedule. Missing data counts as none, so a tick that
        stands still is noticed, too."""
        name, group = "CollectionOnTime", functions.log_groups["collector"]
        count_lines(self, f"{name}Lines", group=group, pattern=COLLECTION_ON_TIME, namespace=self._name, name=name)
        ticks = metric(self._name, name, {}, period=cdk.Duration.hours(1))
        sentence = "A collection that was due has not succeeded for six hours, or schedules stand still"
        return AlarmRule("CollectorLate", ticks, 1, sentence, periods=6, below=True)

    def _of_bucket(self, functions: Functions) -> AlarmRule:
        """What an audit of bucket and usage found. The metric is made only where the alarm is, which has a price."""
        name, group = "BucketStrange", functions.log_groups["collector"]
        count_lines(self, f"{name}Lines", group=group, pattern=BUCKET_STRANGE, namespace=self._name, name=name)
        found = metric(self._name, name, {}, period=cdk.Duration.hours(1))
        sentence = "An audit found objects that nothing explains or that are missing, or wrong usage, or did not end"
        return AlarmRule(name, found, 1, sentence, more=True)

    def _of_audit(self, audit: Audit) -> list[AlarmRule]:
        late = metric("AWS/Lambda", "IteratorAge", {}, "Maximum")  # of whoever reads a stream: the indexer, too
        return [
            *(
                AlarmRule(
                    id,
                    queue.metric_approximate_number_of_messages_visible(period=FIVE_MINUTES, statistic="Maximum"),
                    1,
                    sentence,
                )
                for id, queue, sentence in (
                    ("AuditDeadLetters", audit.dead_letters, "The audit trail is incomplete until somebody looks"),
                    ("NotificationDeadLetters", audit.notification_dead_letters, "Notifications were given up"),
                )
            ),
            AlarmRule("AuditLate", late, 3_600_000, "Audit trail or index is an hour behind; events live a day"),
        ]

    def _alarm(self, rule: AlarmRule) -> None:
        compare = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            rule.id,
            alarm_name=f"{self._name}-{rule.id}",
            alarm_description=rule.sentence,
            metric=rule.metric,
            threshold=rule.threshold,
            evaluation_periods=rule.periods,
            comparison_operator=(
                compare.LESS_THAN_THRESHOLD if rule.below else compare.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            treat_missing_data=(
                cloudwatch.TreatMissingData.BREACHING if rule.below else cloudwatch.TreatMissingData.NOT_BREACHING
            ),
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
