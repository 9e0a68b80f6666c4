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
    changed,
    deleting,
    listing,
    showing,
)

_OWN_WEBHOOK = f"{OWN_OF_PROJECT}/webhook/policies/{{webhook}}"
_FORMAT = Option("format", "of what is sent (default: Default)", choices=("Default", "CloudEvents"))
_STATE = Option("state", "whether it is sent", choices=("enabled", "disabled"))


def _target(given: Given) -> dict[str, Any]:
    """The parts of a target that were given. The header is asked for only where the option says so."""
    return {
        "address": given["address"],
        "auth_header": given["header_stdin"],
        "payload_format": given["format"],
    }


def _webhook(given: Given) -> dict[str, Any]:
    return {
        "name": given["name"],
        "enabled": given["state"] != "disabled",
        "event_types": given["event"],
        "targets": [changed({"type": "http"}, **_target(given))],
    }


def _changed(given: Given) -> dict[str, Any]:
    was = given["was"]
    state = None if given["state"] is None else given["state"] == "enabled"
    target = changed(was["targets"][0], **_target(given))
    return changed(was, name=given["name"], event_types=given["event"], enabled=state, targets=[target])


COMMANDS: tuple[Command, ...] = (
    listing(
        "webhook",
        "list a project's webhooks",
        f"{OF_PROJECT}/webhook/policies",
        {"NAME": "name", "ID": "id", "ENABLED": "enabled", "URL": "targets.address", "EVENTS": "event_types"},
        PROJECT,
    ),
    showing("webhook", "show a webhook", OF_WEBHOOK, PROJECT, WEBHOOK),
    Command(
        "webhook",
        "create",
        "create a webhook",
        "POST",
        f"{OF_PROJECT}/webhook/policies",
        (PROJECT, Argument("name"), Argument("address", "the URL to send to")),
        (
            Option("event", "an event to send; may be repeated", kind="list", required=True),
            _FORMAT,
            Option("header-stdin", "read an Authorization header from standard input", kind="optional-secret"),
            _STATE,
        ),
        _webhook,
    ),
    Command(
        "webhook",
        "set",
        "change a webhook",
        "PUT",
        OF_WEBHOOK,
        (PROJECT, WEBHOOK),
        (
            Option("name", "another name"),
            Option("address", "another URL"),
            Option("event", "all events to send from now on; may be repeated", kind="list"),
            _FORMAT,
            Option("header-stdin", "read the new Authorization header from standard input", kind="optional-secret"),
            _STATE,
        ),
        _changed,
        base=OF_WEBHOOK,
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
    Command("webhook", "test", "send an example", "POST", f"{_OWN_WEBHOOK}/test", (PROJECT, WEBHOOK)),
    Command(
        "webhook",
        "redeliver",
        "send a delivery once more",
        "POST",
        f"{_OWN_WEBHOOK}/executions/{{delivery}}/redeliver",
        (PROJECT, WEBHOOK, Argument("delivery", "the delivery's id")),
    ),
    deleting("webhook", "remove a webhook", OF_WEBHOOK, PROJECT, WEBHOOK),
)
