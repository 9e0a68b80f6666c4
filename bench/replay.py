"""The requests of an operation, sent again by bare boto3: the least that an operation with these calls costs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

from bench.rig import Rig

_EXPRESSIONS = ("UpdateExpression", "KeyConditionExpression", "FilterExpression", "ProjectionExpression")


@dataclass(frozen=True, slots=True)
class Request:
    service: str
    operation: str
    parameters: Mapping[str, Any]


@contextlib.contextmanager
def kept(rig: Rig) -> Iterator[list[Request]]:
    """Yield a list to which every request is added that the functions make meanwhile."""
    requests: list[Request] = []

    def keep(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        found = Request(model.service_model.service_name, model.name, unconditional(deepcopy(dict(params))))
        requests.append(found)

    rig.watchers.append(keep)
    try:
        yield requests
    finally:
        rig.watchers.remove(keep)


class Replay:
    """Sends requests again, one after the other. Writes have lost their conditions, so that they succeed again."""

    def __init__(self, requests: Sequence[Request]) -> None:
        services = {one.service for one in requests}
        clients = {service: boto3.client(service) for service in services}
        self.number = len(requests)
        self._calls = [
            (getattr(clients[one.service], xform_name(one.operation)), dict(one.parameters)) for one in requests
        ]

    def __call__(self) -> None:
        for call, parameters in self._calls:
            with contextlib.suppress(ClientError):  # a 404 is an answer, too
                answer = call(**parameters)
                if "Body" in answer:
                    answer["Body"].read()


def unconditional(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a request of DynamoDB without its conditions, and without the names and values that only those use."""
    for item in parameters.get("TransactItems", []):
        for kind, inner in item.items():
            if kind != "ConditionCheck":
                unconditional(inner)
    parameters.pop("ClientRequestToken", None)
    if parameters.pop("ConditionExpression", None) is None:
        return parameters
    used = " ".join(str(parameters[name]) for name in _EXPRESSIONS if name in parameters)
    for field in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        left = {name: value for name, value in parameters.pop(field, {}).items() if name in used}
        if left:
            parameters[field] = left
    return parameters
