"""`ProjectRules` in memory, over a `MemoryIndex`, whose commits read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from roadstead.conflicts import Conflict
from roadstead.content.governing import MAX_RULES, Governing, Rules, RulesTooLarge
from roadstead.names import ProjectName
from roadstead.trail.entries import Event
from tests.memory.index import MemoryIndex


class MemoryProjectRules:
    def __init__(self, index: MemoryIndex) -> None:
        self._index = index

    def find_rules(self, project: ProjectName) -> Rules | None:
        return self._index.rules.get(project)

    def read_governing(self, projects: Collection[ProjectName]) -> Mapping[ProjectName, Governing]:
        return {project: self._index.governing(project) for project in projects}

    def put_rules(self, project: ProjectName, document: str, *, replaces: int, event: Event) -> Rules:
        if len(document.encode()) > MAX_RULES:
            raise RulesTooLarge(project)
        found = self._index.rules.get(project)
        if (found.version if found else 0) != replaces:
            raise Conflict(project)
        self._index.events.append(event)
        self._index.rules[project] = Rules(document, replaces + 1)
        return self._index.rules[project]
