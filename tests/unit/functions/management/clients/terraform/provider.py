"""What Terraform's provider for Harbor sends for each of its resources, and what it reads: call by call.

Source: goharbor/terraform-provider-harbor, client/*.go, models/*.go and provider/resource_*.go. A call without a
payload has the body `null`; zero values are left out where a field says `omitempty`, but never a struct. Status codes
are compared, and an answer of another type than its model's is an error.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from roadstead.http import Request
from tests.unit.functions.management.client import PASSWORD, Desk, check

Model = Mapping[str, Any]  # by the names of members: a type of Go's, a list of one, a model
State = dict[str, Any]

ZERO_TIME = "0001-01-01T00:00:00Z"
SCHEDULES = {"": "", "Daily": "0 0 0 * * *", "Weekly": "0 0 0 * * 0", "Hourly": "0 0 * * * *"}
INT, INT32, STRING, BOOL, TIME = "int", "int32", "string", "bool", "time"
_MOST = {INT: 2**63 - 1, INT32: 2**31 - 1}


class ProviderError(Exception):
    """What the provider would tell its user."""


def decoded(model: Any, value: Any, where: str = "answer") -> Any:
    """Return a document as Go's json.Unmarshal fills a model: unknown members are ignored, absent ones stay zero."""
    if isinstance(model, Mapping):
        document = {} if value is None else value
        if not isinstance(document, dict):
            raise ProviderError(f"{where}: cannot unmarshal {type(value).__name__} into a struct")
        return {name: decoded(kind, document.get(name), f"{where}.{name}") for name, kind in model.items()}
    if isinstance(model, list):
        if value is not None and not isinstance(value, list):
            raise ProviderError(f"{where}: cannot unmarshal {type(value).__name__} into a slice")
        return [decoded(model[0], one, where) for one in value or []]
    if value is None:
        return {INT: 0, INT32: 0, STRING: "", BOOL: False, TIME: ZERO_TIME}[model]
    kinds: dict[str, type] = {INT: int, INT32: int, STRING: str, BOOL: bool, TIME: str}
    if not isinstance(value, kinds[model]) or isinstance(value, bool) is not (model == BOOL):
        raise ProviderError(f"{where}: cannot unmarshal {value!r} into {model}")
    number: Any = value
    if model in _MOST and abs(number) > _MOST[model]:
        raise ProviderError(f"{where}: {value} overflows {model}")
    if model == TIME:
        datetime.fromisoformat(str(value))
        assert str(value).endswith("Z"), f"{where}: {value}"
    return value


@dataclass
class Provider:
    """The provider's client, as the system administrator `ada`."""

    desk: Desk
    calls: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, payload: Any, status: int) -> tuple[str, dict[str, str]]:
        """Return the body and the headers. Raises ProviderError for another status; 0 is any."""
        self.calls.append(f"{method} {path}")
        target, _, query = f"/api/v2.0{path}".partition("?")
        headers = {
            "authorization": "Basic " + base64.b64encode(f"ada:{PASSWORD}".encode()).decode(),
            "content-type": "application/json",
            "user-agent": "Go-http-client/1.1",
            "accept-encoding": "gzip",
        }
        pairs = tuple(tuple(one.split("=", 1)) for one in query.split("&") if one)
        request = Request(
            method,
            target,
            pairs,  # type: ignore[arg-type]
            tuple(headers.items()),
            json.dumps(payload, separators=(",", ":")).encode() + b"\n",
            host="registry.example",
            scheme="https",
            source_ip="192.0.2.7",
        )
        response = self.desk.ask(request)
        check(request, response)
        if status and response.status != status:
            raise ProviderError(f"{method} {path}: got {response.status}, expected {status}: {response.body.decode()}")
        return response.body.decode(), dict(response.headers)

    def get(self, path: str, model: Any, status: int = 200) -> Any:
        return decoded(model, json.loads(self.send("GET", path, None, status)[0]))

    def made(self, path: str, payload: Any) -> str:
        """Create, and return the id that GetID makes of the Location."""
        _, headers = self.send("POST", path, payload, 201)
        return headers["Location"].replace("/api", "").replace("/v2.0", "")


@dataclass(frozen=True)
class Resource:
    """`config` is what a user writes, with the provider's defaults; a read has to return it.

    `destroy` returns whether the resource is gone then, and not only without effect.
    """

    name: str
    config: Callable[[Provider], State]
    create: Callable[[Provider, State], str]
    read: Callable[[Provider, str, State], State]
    update: Callable[[Provider, str, State], object]
    destroy: Callable[[Provider, str], object]
    changed: State = field(default_factory=dict)  # what an update changes
    remains: bool = False


def delete(provider: Provider, id_: str) -> None:
    provider.send("DELETE", id_, None, 200)
