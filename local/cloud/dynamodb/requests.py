"""What requests may say: a parameter that is not known here is refused, so that nothing is silently left undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.cloud.errors import AwsError, validation

# Of no consequence here.
_IGNORED = frozenset({"ReturnItemCollectionMetrics", "ReturnConsumedCapacity"})


def check(request: Mapping[str, Any], *known: str) -> None:
    """Raises AwsError for a parameter that is not among `known`."""
    for name in request.keys() - {*known} - _IGNORED:
        raise validation(f"The embedded DynamoDB does not have the parameter {name} here.")
    for name in _IGNORED & request.keys():
        if request[name] != "NONE":
            raise validation(f"The embedded DynamoDB has {name}=NONE only.")


def choice(request: Mapping[str, Any], name: str, *choices: str) -> str:
    """A parameter that is one of `choices`, the first by default. Raises AwsError."""
    value = request.get(name, choices[0])
    if value not in choices:
        raise validation(f"{name} must be one of {', '.join(choices)}; it is {value!r}")
    return str(value)


def mapping(request: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A parameter that has to be there. Raises AwsError."""
    value = request.get(name)
    if not isinstance(value, dict):
        raise AwsError("ValidationException", f"{name} is missing, or not a map.")
    return value
