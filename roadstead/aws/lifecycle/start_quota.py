"""Gives projects that the token function creates their quota, for which it knows nothing else of policies."""

from __future__ import annotations

from roadstead.aws.content.dynamodb_rules import DynamoProjectRules
from roadstead.aws.table import Table
from roadstead.lifecycle.policy.changes import Policies
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor
from roadstead.trail.events import EventMaker


def start_quota(index: Table, project: ProjectName, storage: int, actor: Actor) -> None:
    """Give a project that has no policy yet a quota of `storage` bytes."""
    Policies(DynamoProjectRules(index), EventMaker()).start_quota(project, storage, actor)
