"""The CloudFormation resource beneath a construct, for properties that the construct does not offer."""

from __future__ import annotations

from typing import TypeVar

from constructs import IConstruct

R = TypeVar("R")


def beneath(construct: IConstruct, kind: type[R]) -> R:
    """Return it. Raises TypeError if it is of another kind, as it may be in another version of the CDK."""
    resource = construct.node.default_child
    if not isinstance(resource, kind):
        raise TypeError(f"{construct.node.path} is {type(resource).__name__}, not {kind.__name__}")
    return resource
