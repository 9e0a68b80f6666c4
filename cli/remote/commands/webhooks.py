"""Webhooks and their deliveries."""

from __future__ import annotations

from typing import Any

from cli.remote.shapes import (
    OF_PROJECT,
    OF_WEBHOOK,
    OWN_OF_PROJECT,
    PROJECT,
    WEBHOOK,
    Argument,
    Command,
    Given,
    Option,
    deleting,
    listing,
)


def _webhook(given: Given) -> dict[str, Any]:
    target = {"type": "http", "address": given["address"]}
    return {"name": given["name"], "enabled": True, "event_types": given["event"], "targets": [target]}


COMMANDS: tuple[Command, ...] = (
    listing(
        "webhook",
        "list a project's webhooks",
        f"{OF_PROJECT}/webhook/policies",
        {"NAME": "name", "ID": "id", "ENABLED": "enabled", "URL": "targets.address", "EVENTS": "event_types"},
        PROJECT,
    ),
    Command(
        "webhook",
        "create",
        "create a webhook",
        "POST",
        f"{OF_PROJECT}/webhook/policies",
        (PROJECT, Argument("name"), Argument("address", "the URL to send to")),
        (Option("event", "an event to send; may be repeated", kind="list", required=True),),
        _webhook,
    ),
    listing(
        "webhook",
        "list a webhook's deliveries",
        f"{OF_WEBHOOK}/executions",
        {
            "ID": "id",
            "STATUS": "status",
            "EVENT": "extra_attrs.event_type",
            "STARTED": "start_time",
            "SAID": "status_message",
        },
        PROJECT,
        WEBHOOK,
        name="deliveries",
        options=(),
    ),
    Command(
        "webhook",
        "test",
        "send an example",
        "POST",
        f"{OWN_OF_PROJECT}/webhook/policies/{{webhook}}/test",
        (PROJECT, WEBHOOK),
    ),
    Command(
        "webhook",
        "redeliver",
        "send a delivery once more",
        "POST",
        f"{OWN_OF_PROJECT}/webhook/policies/{{webhook}}/executions/{{delivery}}/redeliver",
        (PROJECT, WEBHOOK, Argument("delivery", "the delivery's id")),
    ),
    deleting("webhook", "remove a webhook", OF_WEBHOOK, PROJECT, WEBHOOK),
)
