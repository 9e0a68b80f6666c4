"""Every function in this process on one embedded AWS, with the events that AWS would send, and what each asks."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from bench.rig import Invocation, Rig, basic, rig
from functions.collector import handler as collector
from functions.indexer import handler as indexer
from functions.management import handler as management
from functions.registry import handler as registry
from functions.token import handler as token
from functions.webhook import handler as webhook
from roadstead.aws import clients
from roadstead.identity.providers.remote_ldap import answer
from tests.memory.ldap import MemoryLdap
from tests.unit.functions.permissions import Called

HARBOR, OWN = "/api/v2.0", "/api/roadstead/v1"
_HANDLERS = {one.__name__.split(".")[1]: one for one in (collector, indexer, management, registry, token, webhook)}


class Context:
    """Of an invocation that has time."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 600_000


@dataclass
class Whole:
    """`asked` are the calls of each function, by its name; "" has what the tests ask."""

    rig: Rig
    people: MemoryLdap = field(default_factory=MemoryLdap)
    asked: dict[str, list[Called]] = field(default_factory=dict)
    _told: set[tuple[str, str]] = field(default_factory=set)
    _asking: str = ""

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Have a function handle an event, as Lambda does."""
        self._asking = name
        try:
            return _HANDLERS[name].handle(json.loads(json.dumps(event)), Context())
        finally:
            self._asking = ""

    def run(self, made: Invocation) -> Any:
        """Send a request; return the JSON of its response. Raises Unexpected."""
        self._asking = made.function
        try:
            answered = made()
        finally:
            self._asking = ""
        return json.loads(answered.body) if answered.body[:1] in (b"{", b"[") else None

    def ask(self, method: str, path: str, document: Any = None, *, expect: int = 200, by: str = "") -> Any:
        """Ask the management API, as the administrator unless told otherwise."""
        headers = {"authorization": by or basic(), "content-type": "application/json", "x-is-resource-name": "true"}
        body = b"" if document is None else json.dumps(document).encode()
        return self.run(self.rig.invocation("management", method, path, body=body, headers=headers, expect=expect))

    def token(self, query: str, *, expect: int = 200, form: str = "", by: str = "") -> Any:
        """Ask for a token, by GET or with a form."""
        headers = {"authorization": by} if by else {}
        if form:
            headers["content-type"] = "application/x-www-form-urlencoded"
        method = "POST" if form else "GET"
        made = self.rig.invocation("token", method, query, body=form.encode(), headers=headers, expect=expect)
        return self.run(made)

    def deliver(self) -> None:
        """Give the events of both tables that are new to the webhook function and to the indexer."""
        client = clients.client("dynamodb")
        for table in ("index", "identity"):
            name, records = getattr(self.rig.resources, f"{table}_table"), []
            for item in self._items(client, name):
                key = (item["pk"]["S"], item["sk"]["S"])
                if key[0].startswith("event#") and key not in self._told:
                    self._told.add(key)
                    records.append(_record(item, name, len(self._told), keys_only=table == "identity"))
            for start in range(0, len(records), 100):
                event = {"Records": records[start : start + 100]}
                self.invoke("webhook", event)
                if table == "index":
                    self.invoke("indexer", event)

    @staticmethod
    def _items(client: Any, table: str) -> Iterator[dict[str, Any]]:
        for page in client.get_paginator("scan").paginate(TableName=table):
            yield from page["Items"]

    def note(self, params: Mapping[str, Any], model: Any) -> None:
        called = (f"{model.service_model.service_name}.{model.name}", dict(params))
        self.asked.setdefault(self._asking, []).append(called)

    def invoked(self, params: Mapping[str, Any], **_: Any) -> Any:
        """The directory's function answers; the collector's is only woken."""
        asked = json.loads(params["body"])
        said = answer(self.people, asked) if "ask" in asked else None
        body = b"" if said is None else json.dumps(said).encode()
        response = AWSResponse(params["url"], 202 if said is None else 200, {}, io.BytesIO(body))
        return response, {"StatusCode": response.status_code, "Payload": io.BytesIO(body)}


def _record(item: Mapping[str, Any], table: str, number: int, *, keys_only: bool) -> dict[str, Any]:
    change = {
        "ApproximateCreationDateTime": 1_795_521_600,
        "Keys": {"pk": item["pk"], "sk": item["sk"]},
        "SequenceNumber": f"{number:021d}",
        **({} if keys_only else {"NewImage": item}),
    }
    return {
        "eventID": f"{number:032x}",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": f"arn:aws:dynamodb:eu-central-1:000000000000:table/{table}/stream/x",
        "dynamodb": change,
    }


@contextlib.contextmanager
def whole() -> Iterator[Whole]:
    """Yield a deployment with an administrator, bench."""
    trial = {"COLLECT_TRIAL": "on", "COLLECT_GRACE": "0", "COLLECT_FENCE": "0", "REFRESH_TOKENS": "on"}
    with rig() as one, pytest.MonkeyPatch.context() as patch:
        for name, value in trial.items():
            patch.setenv(name, value)
        made = Whole(one)
        one.watchers.append(made.note)
        clients.session().register("before-call.lambda.Invoke", made.invoked)
        _forget()
        try:
            yield made
        finally:
            _forget()


def _forget() -> None:
    for handled in (collector, indexer, webhook):
        handled.services.cache_clear()
