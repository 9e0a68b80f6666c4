"""The Lambda functions, as Chalice packages them. Their handlers are in `functions/`; here is nothing else.

Lambda names the handler in `_HANDLER` before it imports this module, so a function imports what it needs, no more, and
makes its clients while it is initialised: there CPU is plenty. Chalice itself imports this module without `_HANDLER`.
"""

import importlib
import os
from typing import Any

from chalice.app import Chalice

app = Chalice(app_name="roadstead", configure_logs=False)  # or it takes over the logger of that name


def _handle(function: str, event: dict[str, Any], context: Any) -> Any:
    return importlib.import_module(f"functions.{function}.handler").handle(event, context)


@app.lambda_function(name="registry")
def registry(event: dict[str, Any], context: Any) -> Any:
    """The OCI Distribution API."""
    return _handle("registry", event, context)


@app.lambda_function(name="token")
def token(event: dict[str, Any], context: Any) -> Any:
    """The token endpoint, and the public keys."""
    return _handle("token", event, context)


@app.lambda_function(name="management")
def management(event: dict[str, Any], context: Any) -> Any:
    """The management API and the console."""
    return _handle("management", event, context)


@app.lambda_function(name="collector")
def collector(event: dict[str, Any], context: Any) -> Any:
    """Frees what nothing needs any more, once an hour."""
    return _handle("collector", event, context)


@app.lambda_function(name="webhook")
def webhook(event: dict[str, Any], context: Any) -> Any:
    """The audit trail and the outgoing notifications."""
    return _handle("webhook", event, context)


@app.lambda_function(name="indexer")
def indexer(event: dict[str, Any], context: Any) -> Any:
    """What pages show, derived from the index table's stream."""
    return _handle("indexer", event, context)


@app.lambda_function(name="ldap")
def ldap(event: dict[str, Any], context: Any) -> Any:
    """Asks LDAP directories, for the token and the management function."""
    return _handle("ldap", event, context)


if os.environ.get("_HANDLER", "").startswith("app."):
    importlib.import_module("functions.hosting.lines").configure()
    importlib.import_module(f"functions.{os.environ['_HANDLER'].removeprefix('app.')}.handler").prepare()
