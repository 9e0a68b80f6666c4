"""`Repositories` on the index table."""

from __future__ import annotations

from roadstead.aws.index_items import event_write
from roadstead.aws.table import Table, TransactionFailed, update
from roadstead.content.repositories import UnknownRepository
from roadstead.names import RepositoryName
from roadstead.trail.entries import Event


class DynamoRepositories:
    def __init__(self, table: Table) -> None:
        self._table = table

    def describe(self, repository: RepositoryName, description: str, *, event: Event) -> None:
        listed = ("catalog", repository)
        change = update(listed, "SET description = :description", "attribute_exists(pk)", {":description": description})
        try:
            self._table.transact([change, event_write(event)])
        except TransactionFailed as error:
            raise UnknownRepository(repository) from error
