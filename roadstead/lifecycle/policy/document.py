"""A project's policy: the rules that its commits keep to, as one document (`roadstead.content.governing`)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Self

from roadstead.documents import compact
from roadstead.lifecycle.policy.immutability import ImmutableRule
from roadstead.lifecycle.policy.quotas import Quota


@dataclass(frozen=True, slots=True)
class Policy:
    immutable: tuple[ImmutableRule, ...] = ()
    quota: Quota = field(default_factory=Quota)

    def document(self) -> str:
        document: dict[str, Any] = {}
        if self.immutable:
            document["immutable"] = [rule.as_json() for rule in self.immutable]
        if limits := self.quota.as_json():
            document["quota"] = limits
        return compact(document)

    @classmethod
    def parse(cls, document: str) -> Self:
        """Parse what `document` returned; an empty text is a project without rules."""
        fields = json.loads(document) if document else {}
        return cls(
            tuple(map(ImmutableRule.from_json, fields.get("immutable", ()))), Quota.from_json(fields.get("quota", {}))
        )
