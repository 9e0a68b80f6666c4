"""The registry function's entry point and composition root. Everything is built once per environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.distribution.application import Application
from functions.distribution.composition import build
from functions.distribution.settings import Settings
from functions.hosting import metrics, tracing
from functions.hosting.boundary import lambda_response
from roadstead.http import Request, Response


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Respond to an API Gateway event, payload 1.0 in both directions."""
    registry = application()
    return lambda_response(event, _respond, head_bodies=registry.head_bodies, function="registry")


def _respond(request: Request) -> Response:
    """API Gateway has no route for the console's address with a slash at its end, so it comes here (infra/api.py)."""
    if request.path == "/ui/":
        return Response(308, (("Location", "/ui"), ("Cache-Control", "no-store")))
    return application().respond(request)


@cache
def application() -> Application:
    """Return the application, built on first use; a failed attempt is repeated on the next."""
    return Application(build(Settings.from_environ(os.environ)))


def prepare() -> None:
    """Do what can be done before the first request: read the settings, create the clients, start tracing."""
    settings = Settings.from_environ(os.environ)
    tracing.start(settings.tracing)
    metrics.start(settings.metrics)
    application()
