"""The registry function's entry and composition root: everything is put together once per environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.distribution.application import Application
from functions.distribution.composition import build
from functions.distribution.settings import Settings
from functions.hosting import tracing
from functions.hosting.boundary import lambda_answer


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """API Gateway payload 1.0 in, payload 1.0 out."""
    registry = application()
    return lambda_answer(event, registry.respond, head_bodies=registry.head_bodies, function="registry")


@cache
def application() -> Application:
    """Built when first asked for; anew the next time if that failed."""
    return Application(build(Settings.from_environ(os.environ)))


def prepare() -> None:
    """What can be done before the first request: read the settings, make the clients, trace them."""
    tracing.start(Settings.from_environ(os.environ).tracing)
    application()
