"""`ConfigurationStore` on the identity table: `configuration` / `values`: values, version."""

from __future__ import annotations

from collections.abc import Mapping

from roadstead.aws.identity.identity_items import told
from roadstead.aws.table import Table, put
from roadstead.identity.configuration import Stored
from roadstead.identity.configuration_keys import Value
from roadstead.trail.entries import Event

_KEY = ("configuration", "values")


class DynamoConfiguration:
    def __init__(self, table: Table) -> None:
        self._table = table

    def find_configuration(self) -> Stored:
        item = self._table.get(_KEY)
        return Stored(item["values"], item["version"]) if item else Stored({}, 0)

    def put_configuration(self, values: Mapping[str, Value], *, replaces: int, event: Event) -> None:
        item = {"values": dict(values), "version": replaces + 1}
        condition = "version = :old" if replaces else "attribute_not_exists(pk)"
        own = put(_KEY, item, condition, {":old": replaces} if replaces else {})
        self._table.transact([own, *told(event)])
