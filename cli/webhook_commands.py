"""`roadstead webhook`: endpoints notified of a project's pushes, pulls and deletions (docs/notifications.md)."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace

from cli.composition import Cloud, operator
from cli.failures import Failure
from cli.output import Output
from cli.passwords import read_secret
from cli.subcommands import Subcommands
from roadstead.notifications.stores import SENT, PayloadFormat, Webhook

TEST_SECONDS = 30  # to wait for the result of a test


def add_parsers(commands: Subcommands) -> None:
    webhooks = commands.group("webhook", "manage webhooks: HTTPS endpoints notified of a project's events")
    add = webhooks.add("add", "add a webhook; its signing secret is shown once", add_webhook)
    add.add_argument("project")
    add.add_argument("url")
    add.add_argument(
        "--event",
        action="append",
        choices=[str(event) for event in SENT],
        help="an event to send; may be repeated (default: all)",
    )
    add.add_argument("--payload", choices=[str(one) for one in PayloadFormat], default=str(PayloadFormat.DEFAULT))
    add.add_argument(
        "--repositories", default="**", help="a pattern for names within the project (default: %(default)s)"
    )
    add.add_argument("--tags", default="**", help="a pattern for tags (default: %(default)s)")
    add.add_argument("--name", default="", help="a name for people")
    add.add_argument(
        "--authorization-stdin",
        action="store_true",
        help="read the value of an Authorization header from standard input",
    )
    _internal(add)
    webhooks.add("list", "list a project's webhooks", list_webhooks).add_argument("project")
    for name, help, command in (
        ("remove", "remove a webhook", remove_webhook),
        ("enable", "resume notifications to a webhook", set_enabled),
        ("disable", "stop notifications to a webhook", set_enabled),
        ("test", "send a test notification, and wait for the result", test_webhook),
    ):
        parser = webhooks.add(name, help, command)
        parser.add_argument("project")
        parser.add_argument("id")
        parser.set_defaults(enabled=name == "enable")
        if name == "test":
            _internal(parser)


def add_webhook(options: Namespace, cloud: Cloud, output: Output) -> None:
    authorization = read_secret(sys.stdin, "Authorization header") if options.authorization_stdin else ""
    added = cloud.notifications(internal=options.internal).add(
        options.project,
        options.url,
        options.event or [str(event) for event in SENT],
        created_by=operator(),
        name=options.name,
        payload=options.payload,
        repositories=options.repositories,
        tags=options.tags,
        authorization=authorization,
    )
    output.record({**_record(added.webhook), "secret": added.secret})


def list_webhooks(options: Namespace, cloud: Cloud, output: Output) -> None:
    found = [_record(webhook) for webhook in cloud.notifications().list(options.project)]
    columns = ("id", "enabled", "url", "events", "repositories", "tags", "payload", "name")
    output.records(found, {column.upper(): column for column in columns})


def remove_webhook(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.notifications().remove(options.project, options.id)
    output.result({"removed": options.id}, [f"removed {options.id}"])


def set_enabled(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.notifications().set_enabled(options.project, options.id, options.enabled)
    output.record({"id": options.id, "enabled": options.enabled})


def test_webhook(options: Namespace, cloud: Cloud, output: Output) -> None:
    notifications = cloud.notifications(internal=options.internal)
    delivery = notifications.send_test(options.project, options.id)
    output.progress(f"queued as {delivery}; waiting up to {TEST_SECONDS} s for the result")
    deadline = time.monotonic() + TEST_SECONDS
    while time.monotonic() < deadline:
        last = notifications.last_delivery(options.project, options.id)
        if last is not None and last.delivery == delivery:
            if not last.delivered:
                raise Failure(f"The test was not delivered: {last.detail}")
            output.result({"delivery": delivery, "detail": last.detail}, [f"delivered: {last.detail}"])
            return
        time.sleep(1)
    raise Failure("There is no result yet. Does the webhook function read from the queue?")


def _internal(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--internal",
        action="store_true",
        help="allow plain HTTP, any port and private addresses, where the webhook function's settings do",
    )


def _record(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": sorted(map(str, webhook.events)),
        "payload": str(webhook.payload),
        "repositories": webhook.repositories,
        "tags": webhook.tags,
        "enabled": webhook.enabled,
        "name": webhook.name,
    }
