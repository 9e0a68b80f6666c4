"""Webhooks and their deliveries."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    array,
    created,
    flag,
    number,
    obj,
    one_of,
    page_of,
    ref,
    text,
    time,
)
from roadstead.notifications.stores import Outcome, PayloadFormat

_OUTCOME = one_of(*map(str, Outcome))
_FORMAT = one_of(*map(str, PayloadFormat))

SCHEMAS: Mapping[str, Schema] = {
    "WebhookPolicy": obj(
        {
            "id": number(),
            "name": text(),
            "description": text(),
            "project_id": number(),
            "targets": array(ref("WebhookTarget")),
            "event_types": array(text()),
            "creator": text(),
            "creation_time": time(),
            "update_time": time(),
            "enabled": flag(),
        }
    ),
    "WebhookTarget": obj(
        {
            "type": one_of("http"),
            "address": text("the URL"),
            "skip_cert_verify": flag("is stored, and changes nothing: certificates are always verified"),
            "payload_format": _FORMAT,
        },
        {"auth_header": text("the Authorization header, for who may change it")},
    ),
    "WebhookPolicyChange": obj(
        {
            "targets": array(
                obj(
                    {"address": text()},
                    {
                        "type": one_of("http"),
                        "auth_header": text(),
                        "payload_format": _FORMAT,
                        "skip_cert_verify": flag(),
                    },
                ),
                "exactly one",
            ),
            "event_types": array(text()),
        },
        {"name": text(maxLength=100), "description": text(), "enabled": flag()},
    ),
    "WebhookEventTypes": obj(
        {
            "event_type": array(text()),
            "notify_type": array(text()),
            "payload_formats": array(obj({"notify_type": text(), "formats": array(text())})),
        }
    ),
    "WebhookLastTrigger": obj(
        {
            "policy_name": text(),
            "event_type": text(),
            "enabled": flag(),
            "creation_time": time(),
            "last_trigger_time": time("the year 1 for never"),
        }
    ),
    "WebhookJob": obj(
        {
            "id": number(),
            "policy_id": number(),
            "event_type": text(),
            "notify_type": text(),
            "status": _OUTCOME,
            "job_detail": text("the payload that was sent"),
            "creation_time": time(),
            "update_time": time(),
        }
    ),
    "WebhookExecution": obj(
        {
            "id": number(),
            "vendor_type": text(),
            "vendor_id": number("the policy's id"),
            "status": _OUTCOME,
            "status_message": text(),
            "metrics": obj({"task_count": number()}),
            "trigger": one_of("EVENT", "MANUAL"),
            "extra_attrs": obj({"event_type": text(), "delivery": text(), "payload": text()}),
            "start_time": time(),
            "end_time": time("the year 1 while another attempt will follow"),
        }
    ),
    "WebhookTask": obj(
        {
            "id": number(),
            "execution_id": number(),
            "status": _OUTCOME,
            "status_message": text(),
            "run_count": number("attempts"),
            "extra_attrs": obj({"event_type": text(), "delivery": text()}),
            "creation_time": time(),
            "start_time": time(),
            "update_time": time(),
            "end_time": time(),
        }
    ),
}

OPERATIONS: Mapping[str, Described] = {
    "ListWebhookPoliciesOfProject": page_of("List a project's webhooks", ref("WebhookPolicy")),
    "CreateWebhookPolicyOfProject": created("Create a webhook", ref("WebhookPolicyChange")),
    "GetWebhookPolicyOfProject": Described("A webhook", ref("WebhookPolicy")),
    "UpdateWebhookPolicyOfProject": Described(
        "Replace a webhook; its signing secret stays", body=ref("WebhookPolicyChange"), also=(409,)
    ),
    "DeleteWebhookPolicyOfProject": Described("Remove a webhook"),
    "GetSupportedEventTypes": Described("The events that are sent", ref("WebhookEventTypes")),
    "LastTrigger": Described("When each event was last sent to each webhook", array(ref("WebhookLastTrigger"))),
    "ListWebhookJobs": page_of(
        "List the deliveries of a webhook",
        ref("WebhookJob"),
        Parameter("policy_id", text(), required=True),
        Parameter("status", _OUTCOME, "among the last 100"),
    ),
    "ListExecutionsOfWebhookPolicy": page_of("List the deliveries of a webhook", ref("WebhookExecution")),
    "ListTasksOfWebhookExecution": page_of("The one task of a delivery", ref("WebhookTask")),
    "GetLogsOfWebhookTask": Described("The outcome of a delivery's last attempt", text(), media_type="text/plain"),
    "sendWebhookDeliveryAgain": Described("Send a delivery once more, with the same id", status=202),
    "sendWebhookTest": Described("Send an example", obj({"delivery": text("its id")}), 202),
}
