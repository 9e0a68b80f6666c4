"""`roadstead status`: where a registry's parts are, and whether they work."""

from __future__ import annotations

import time
from argparse import Namespace

from cli.cloud import TableState
from cli.composition import Cloud
from cli.doctor.entrance import MADE_UP
from cli.doctor.wire import NoResponse, send
from cli.failures import Failure
from cli.output import Output
from cli.rotation import Rotation
from cli.subcommands import Subcommands


def add_parsers(commands: Subcommands) -> None:
    commands.add("status", "show where the registry's parts are, and whether they work", status)


def status(_: Namespace, cloud: Cloud, output: Output) -> None:
    """Print the status. Exit code 1 if the registry does not respond."""
    target = cloud.target
    responding = _responds(target.registry_url or target.api_url)
    tables = [cloud.inspector.table(name) for name in (target.index_table, target.identity_table)]
    record: dict[str, object] = {
        "target": target.name,
        "registry": target.registry_url or "unknown",
        "responds": responding,
        "api": target.api_url or "unknown",
        "bucket": target.bucket,
        "index": _table(tables[0]),
        "identity": _table(tables[1]),
        "token keys": ", ".join(_key(cloud, key) for key in target.token_keys),
        "upload keys": _uploads(cloud),
        "alarms": _alarms(cloud),
    }
    output.record(record)
    if responding != "yes" and target.registry_url:
        raise Failure(f"{target.registry_url} does not respond as a registry does; run `roadstead doctor` for more.")


def _responds(url: str) -> str:
    if not url:
        return "unknown: the URL is not known"
    began = time.monotonic()
    try:
        # With a token: a request without one is answered by the edge function, even if the registry is down.
        reply = send("GET", f"{url}/v2/", {"Authorization": f"Bearer {MADE_UP}"}, timeout=15)
    except NoResponse as error:
        return f"no: {error}"
    if reply.status != 401:
        return f"no: {reply.status}"
    return "yes" if time.monotonic() - began < 5 else "yes, slowly"


def _table(state: TableState) -> str:
    return f"{state.name}, {state.status}, about {state.items} items"


def _key(cloud: Cloud, key: str) -> str:
    described = cloud.signing_keys.describe(key)
    return f"{key} ({described.state})"


def _uploads(cloud: Cloud) -> str:
    found = cloud.parameters.find(cloud.target.upload_keys_parameter)
    if found is None:
        return "none: run `roadstead keys init`"
    rotation = Rotation.from_json(found.value)
    return f"{len(rotation.keys)}, {rotation.stage}"


def _alarms(cloud: Cloud) -> str:
    if not cloud.target.alarm_prefix:
        return "none configured"
    return ", ".join(cloud.inspector.alarms(cloud.target.alarm_prefix)) or "none active"
