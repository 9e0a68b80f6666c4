"""The trash on the intercepted cloud: deletions that fill it, and executions that restore it or empty it."""

from __future__ import annotations

from collections.abc import Mapping

from roadstead.aws.catalog.dynamodb_repositories import DynamoRepositories
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.lifecycle.dynamodb_executions import DynamoExecutions
from roadstead.aws.lifecycle.dynamodb_trash import DynamoTrash
from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.deletion.repositories import RepositoryDeletion, Swept
from roadstead.content.deletion.trash import Unit
from roadstead.content.manifests import Manifests
from roadstead.lifecycle.deletion.restoration import RESTORE, RestoreWork
from roadstead.lifecycle.deletion.trash import EMPTY, EmptyWork, Trash
from roadstead.lifecycle.executions.executions import Execution, Work
from roadstead.lifecycle.executions.runner import Runner
from roadstead.lifecycle.executions.starter import Starter
from roadstead.names import Reference, RepositoryName
from tests.invariants.cloud import Cloud
from tests.invariants.registry import ALICE, BOB, SHIPS, Registry

PROJECT = SHIPS.project


class Bin:
    """A process of the registry and of the collector function; it knows nothing but what is stored."""

    def __init__(self, cloud: Cloud) -> None:
        self.registry = registry = Registry(cloud)
        self.store = DynamoTrash(registry.table)
        self.trash = Trash(self.store, registry.events)
        self.manifests = Manifests(
            manifests=DynamoManifestIndex(registry.table),
            blobs=registry.links,
            objects=registry.objects,
            events=registry.events,
        )
        self.repositories = DynamoRepositories(registry.table)
        self.executions = DynamoExecutions(registry.table)
        self._works: dict[str, Work] = {
            EMPTY: EmptyWork(self.store, registry.events),
            RESTORE: RestoreWork(
                self.store,
                registry.pushes,
                registry.index,
                self.repositories,
                registry.objects,
                registry.events,
            ),
        }

    def delete(self, reference: Reference, repository: RepositoryName = SHIPS) -> None:
        self.manifests.delete(repository, reference, BOB)

    def delete_artifact(self, reference: Reference) -> None:
        Deletion(self.manifests, self.registry.index, self.registry.objects).delete(SHIPS, reference, BOB)

    def delete_repository(self, repository: RepositoryName = SHIPS) -> Swept:
        """Until it is done, as the management API and its execution do."""
        deletion = RepositoryDeletion(self.repositories, self.manifests, self.registry.index, self.registry.events)
        mark = deletion.begin(repository, BOB)
        return deletion.sweep(repository, mark, BOB, go_on=lambda: True)

    def units(self) -> list[Unit]:
        return list(self.trash.list(PROJECT))

    def start(self, kind: str, unit: Unit | None, tags: Mapping[str, str] | None = None) -> Execution:
        parameters = {**({"unit": unit.id} if unit is not None else {}), "tags": dict(tags or {})}
        return Starter(self.executions, self.registry.events).start(kind, PROJECT, parameters, actor=ALICE)

    def run_due(self) -> None:
        Runner(self.executions, self._works, self.registry.events).run_due(lambda: 900.0)

    def restore(self, unit: Unit, tags: Mapping[str, str] | None = None) -> Execution:
        """Restore a unit, and return what came of it."""
        return self._done(self.start(RESTORE, unit, tags))

    def empty(self, unit: Unit | None = None) -> Execution:
        return self._done(self.start(EMPTY, unit))

    def _done(self, started: Execution) -> Execution:
        self.run_due()
        found = self.executions.find(started.id)
        assert found is not None
        return found
