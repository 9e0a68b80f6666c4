"""The token function's entry point."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.hosting import metrics, tracing
from functions.hosting.boundary import lambda_response
from functions.token.application import respond
from functions.token.composition import build
from functions.token.services import TokenServices
from functions.token.settings import Settings


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Handle one payload 1.0 event of the HTTP API; return the payload 1.0 response."""
    return lambda_response(event, lambda request: respond(services(), request), function="token")


@cache
def services() -> TokenServices:
    """Return this process's services. They are built on first use, and again after a failure."""
    return build(Settings.from_environ(os.environ))


def prepare() -> None:
    """Do what can be done before the first request: read the settings, create the clients, start tracing."""
    settings = Settings.from_environ(os.environ)
    tracing.start(settings.tracing)
    metrics.start(settings.metrics)
    services()
