"""The indexer's entry point."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.hosting import metrics, tracing
from functions.hosting.observation import observed
from functions.indexer.composition import build
from functions.indexer.services import IndexerServices
from functions.indexer.settings import Settings
from functions.indexer.streams import process


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of the index table's stream; return the record to begin again at, if there is one."""
    with observed(str(getattr(context, "aws_request_id", ""))):
        return process(services(), event.get("Records") or [])


@cache
def services() -> IndexerServices:
    """Return this process's services. They are built on first use, and again after a failure."""
    return build(Settings.from_environ(os.environ))


def prepare() -> None:
    """Do what can be done before the first event: read the settings, create the clients, start tracing."""
    settings = Settings.from_environ(os.environ)
    tracing.start(settings.tracing)
    metrics.start(settings.metrics)
    services()
