"""The management function's entry."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.hosting import metrics, tracing
from functions.hosting.boundary import lambda_response
from functions.hosting.observation import observed
from functions.management.application import Application
from functions.management.composition import build
from functions.management.services import Services
from functions.management.settings import Settings
from roadstead.identity.robots.expiry import ExpiryWarnings


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Respond to a payload 1.0 event of the HTTP API; or warn of robots that expire soon, for {"tick": true}."""
    if event.get("tick") is True:
        with observed(str(getattr(context, "aws_request_id", ""))):
            return {"warned": _warnings().run()}
    return lambda_response(event, application().respond, function="management", decode_path=False)


@cache
def services() -> Services:
    """Built when first asked for; built again the next time if that failed."""
    return build(Settings.from_environ(os.environ))


@cache
def application() -> Application:
    return Application(services())


def _warnings() -> ExpiryWarnings:
    return ExpiryWarnings(services().directory, services().configuration)


def prepare() -> None:
    """Do what can be done before the first request: read the settings, make the clients, trace them."""
    settings = Settings.from_environ(os.environ)
    tracing.start(settings.tracing)
    metrics.start(settings.metrics)
    application()
