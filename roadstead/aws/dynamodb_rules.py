"""`ProjectRules` on the index table, where commits read them: `rules#<project>` / `rules`: document, version."""

from __future__ import annotations

from roadstead.aws.index_items import rules_key
from roadstead.aws.table import Table, put
from roadstead.content.governing import MAX_RULES, Rules
from roadstead.names import ProjectName


class DynamoProjectRules:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_rules(self, project: ProjectName) -> Rules | None:
        item = self._table.get(rules_key(project))
        return Rules(item["document"], item["version"]) if item else None

    def put_rules(self, project: ProjectName, document: str, *, replaces: int) -> Rules:
        if len(document.encode()) > MAX_RULES:
            raise ValueError(f"the rules of {project} take more than {MAX_RULES} bytes")
        item = {"document": document, "version": replaces + 1}
        condition = "version = :old" if replaces else "attribute_not_exists(pk)"
        self._table.write(put(rules_key(project), item, condition, {":old": replaces} if replaces else {}))
        return Rules(document, replaces + 1)
