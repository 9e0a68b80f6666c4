"""`CommitRules`: a project's policy, applied to what is about to change."""

from __future__ import annotations

from collections.abc import Collection

from roadstead.content.commit_rules import ImmutableTag, Proposed
from roadstead.content.governing import Governing
from roadstead.lifecycle.immutability import rule_for
from roadstead.lifecycle.policy import Policy
from roadstead.names import RepositoryName, Tag


class PolicyRules:
    """Reads nothing: the rules come along with what the commit has read."""

    def check_commit(self, proposed: Proposed) -> None:
        _check(
            proposed.repository,
            proposed.moved,
            proposed.governing,
            "keeps it from being moved to another image: push under another tag",
        )

    def check_removal(self, repository: RepositoryName, tags: Collection[Tag], governing: Governing) -> None:
        _check(repository, tags, governing, "keeps it, and the image that it points to, from being deleted")


def _check(repository: RepositoryName, tags: Collection[Tag], governing: Governing, consequence: str) -> None:
    if not tags or not governing.rules:
        return
    rules = Policy.parse(governing.rules).immutable
    for tag in tags:
        rule = rule_for(rules, repository, tag)
        if rule is not None:
            message = f"the tag {repository}:{tag} is immutable: {rule} {consequence}"
            raise ImmutableTag(message, tag=str(tag), rule=rule.id)
