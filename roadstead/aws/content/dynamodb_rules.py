"""`ProjectRules` on the index table, where commits read them: `rules#<project>` / `rules`: document, version."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from roadstead.aws.content.index_items import event_write, rules_key, usage_key
from roadstead.aws.table import Table, put
from roadstead.content.governing import MAX_RULES, Governing, Rules, RulesTooLarge
from roadstead.names import ProjectName
from roadstead.trail.entries import Event


class DynamoProjectRules:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_rules(self, project: ProjectName) -> Rules | None:
        item = self._table.get(rules_key(project))
        return Rules(item["document"], item["version"]) if item else None

    def read_governing(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, Governing]:
        found = self._table.batch_get([key(project) for project in projects for key in (rules_key, usage_key)])
        return {
            project: Governing(
                found.get(rules_key(project), {}).get("document", ""), found.get(usage_key(project), {}).get("bytes", 0)
            )
            for project in projects
        }

    def put_rules(self, project: ProjectName, document: str, *, replaces: int, event: Event) -> Rules:
        if len(document.encode()) > MAX_RULES:
            raise RulesTooLarge(project)
        item = {"document": document, "version": replaces + 1}
        condition = "version = :old" if replaces else "attribute_not_exists(pk)"
        rules = put(rules_key(project), item, condition, {":old": replaces} if replaces else {})
        self._table.transact([rules, event_write(event)])
        return Rules(document, replaces + 1)
