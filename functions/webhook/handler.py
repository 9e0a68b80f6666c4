"""The webhook function's entry point."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.hosting import metrics, tracing
from functions.hosting.observation import observed
from functions.webhook.composition import build
from functions.webhook.dispatch import dispatch
from functions.webhook.services import WebhookServices
from functions.webhook.settings import Settings


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any] | None:
    """Handle one event of a table's stream, a queue or a log subscription; return what its source expects."""
    with observed(str(getattr(context, "aws_request_id", ""))):
        return dispatch(services(), event)


@cache
def services() -> WebhookServices:
    """Return this process's services. They are built on first use, and again after a failure."""
    return build(Settings.from_environ(os.environ))


def prepare() -> None:
    """Do what can be done before the first event: read the settings, create the clients, start tracing."""
    settings = Settings.from_environ(os.environ)
    tracing.start(settings.tracing)
    metrics.start(settings.metrics)
    services()
