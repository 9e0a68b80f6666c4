"""`roadstead webhook`: what is notified of a project's pushes, pulls and deletions (docs/notifications.md)."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace

from cli.composition import Cloud, operator
from cli.failures import Failure
from cli.output import Output, fields, table
from cli.passwords import read_secret
from cli.subcommands import Subcommands
from roadstead.notifications.stores import EventType, PayloadFormat, Webhook

TEST_SECONDS = 30  # within which a test is delivered, or was tried


def add_parsers(commands: Subcommands) -> None:
    webhooks = commands.group("webhook", "HTTPS endpoints that are told of what happens in a project")
    add = webhooks.add("add", "a new webhook; its signing secret is shown once", add_webhook)
    add.add_argument("project")
    add.add_argument("url")
    add.add_argument(
        "--event", action="append", choices=[str(event) for event in EventType], help="repeat it; default: all"
    )
    add.add_argument("--payload", choices=[str(one) for one in PayloadFormat], default=str(PayloadFormat.DEFAULT))
    add.add_argument(
        "--repositories", default="**", help="a pattern of names within the project (default: %(default)s)"
    )
    add.add_argument("--tags", default="**", help="a pattern (default: %(default)s)")
    add.add_argument("--name", default="", help="for people")
    add.add_argument("--authorization-stdin", action="store_true", help="read an Authorization header's value")
    _internal(add)
    webhooks.add("list", "those of a project", list_webhooks).add_argument("project")
    for name, help, command in (
        ("remove", "remove one", remove_webhook),
        ("enable", "have one told again", enable_webhook),
        ("disable", "have one told of nothing", disable_webhook),
        ("test", "send a test, and tell how it went", test_webhook),
    ):
        parser = webhooks.add(name, help, command)
        parser.add_argument("project")
        parser.add_argument("id")
        if name == "test":
            _internal(parser)


def add_webhook(options: Namespace, cloud: Cloud, output: Output) -> None:
    authorization = read_secret(sys.stdin, "Authorization header") if options.authorization_stdin else ""
    added = cloud.notifications(internal=options.internal).add(
        options.project,
        options.url,
        options.event or [str(event) for event in EventType],
        created_by=operator(),
        name=options.name,
        payload=options.payload,
        repositories=options.repositories,
        tags=options.tags,
        authorization=authorization,
    )
    record = {**_record(added.webhook), "secret": added.secret}
    output.result(record, fields(record))


def list_webhooks(options: Namespace, cloud: Cloud, output: Output) -> None:
    found = [_record(webhook) for webhook in cloud.notifications().list(options.project)]
    columns = ("id", "enabled", "url", "events", "repositories", "tags", "payload", "name")
    rows = [[column.upper() for column in columns]]
    rows += [[_cell(one[column]) for column in columns] for one in found]
    output.result(found, table(rows))


def remove_webhook(options: Namespace, cloud: Cloud, output: Output) -> None:
    cloud.notifications().remove(options.project, options.id)
    output.result({"removed": options.id}, [f"removed {options.id}"])


def enable_webhook(options: Namespace, cloud: Cloud, output: Output) -> None:
    _set_enabled(options, cloud, output, True)


def disable_webhook(options: Namespace, cloud: Cloud, output: Output) -> None:
    _set_enabled(options, cloud, output, False)


def test_webhook(options: Namespace, cloud: Cloud, output: Output) -> None:
    notifications = cloud.notifications(internal=options.internal)
    delivery = notifications.send_test(options.project, options.id)
    output.progress(f"sent to the queue as {delivery}; waiting up to {TEST_SECONDS} s for how it goes")
    deadline = time.monotonic() + TEST_SECONDS
    while time.monotonic() < deadline:
        last = notifications.last_delivery(options.project, options.id)
        if last is not None and last.delivery == delivery:
            if not last.delivered:
                raise Failure(f"The test was not delivered: {last.detail}")
            output.result({"delivery": delivery, "detail": last.detail}, [f"delivered: {last.detail}"])
            return
        time.sleep(1)
    raise Failure("Nothing is known of the test yet. Is the webhook function told of the queue?")


def _set_enabled(options: Namespace, cloud: Cloud, output: Output, enabled: bool) -> None:
    cloud.notifications().set_enabled(options.project, options.id, enabled)
    record = {"id": options.id, "enabled": enabled}
    output.result(record, fields(record))


def _internal(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--internal",
        action="store_true",
        help="plain HTTP, any port, private addresses: where the webhook function's settings let them pass",
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


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
