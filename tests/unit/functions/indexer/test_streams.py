"""Batches of the index table's stream at the indexer: settled once, begun again at what failed, poison put away."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from functions.indexer.services import IndexerServices
from functions.indexer.streams import process
from roadstead.catalog.indexing import Target
from roadstead.digest import Digest
from roadstead.names import ProjectName, RepositoryName
from roadstead.trail.entries import Operation
from tests.unit.functions.webhook.parts import event, item_of, record

SHIPS = RepositoryName("acme/ships")
ONE, TWO = Digest.of(b"1"), Digest.of(b"2")


class Noting:
    """An indexer that notes what it is asked to settle, and raises `error` at `broken`."""

    def __init__(self, broken: Collection[Digest | None] = (), error: type[Exception] = RuntimeError) -> None:
        self.settled: list[Target] = []
        self.blobs: list[tuple[ProjectName, list[Digest]]] = []
        self.times: list[int] = []
        self._broken, self._error = broken, error

    def settle(self, target: Target, *, at: int = 0) -> None:
        if target.digest in self._broken:
            raise self._error("broken")
        self.settled.append(target)
        self.times.append(at)

    def settle_blobs(self, project: ProjectName, digests: Collection[Digest]) -> None:
        if set(digests).intersection(self._broken):
            raise self._error("broken")
        self.blobs.append((project, list(digests)))


class Looking:
    """Notes whose quotas are looked at, and fails at `broken`."""

    def __init__(self, broken: str = "") -> None:
        self.seen: list[str] = []
        self._broken = broken

    def look(self, repository: RepositoryName) -> None:
        if repository.project == self._broken:
            raise RuntimeError("broken")
        self.seen.append(repository)


class Letters:
    def __init__(self) -> None:
        self.bodies: list[Mapping[str, Any]] = []
        self.broken = False

    def send(self, bodies: Sequence[str]) -> None:
        if self.broken:
            raise RuntimeError("broken")
        self.bodies += [json.loads(body) for body in bodies]


def run(
    indexer: Noting,
    *records: Mapping[str, Any],
    letters: Letters | None = None,
    quotas: Looking | None = None,
) -> list[str]:
    """The identifiers of the records to begin again at."""
    services = IndexerServices(indexer, quotas or Looking(), letters or Letters())  # type: ignore[arg-type]
    result = process(services, json.loads(json.dumps(records)))
    return [one["itemIdentifier"].lstrip("0") for one in result["batchItemFailures"]]


def told(number: int, operation: Operation, digest: Digest, repository: str = SHIPS) -> dict[str, Any]:
    return record(item_of(event(f"e{number}", operation, repository=repository, digest=digest)), number)


def test_what_many_events_name_is_settled_once_and_repositories_last() -> None:
    indexer = Noting()
    assert (
        run(
            indexer,
            told(1, Operation.PUSH, ONE),
            told(2, Operation.PUSH, TWO),
            told(3, Operation.TAG, ONE),
            told(4, Operation.DELETE_MANIFEST, TWO),
        )
        == []
    )
    assert indexer.settled == [Target(SHIPS, ONE), Target(SHIPS, TWO), Target(SHIPS)]


def test_blobs_of_a_project_are_settled_together() -> None:
    indexer = Noting()
    run(
        indexer,
        told(1, Operation.DELETE_BLOB, ONE),
        told(2, Operation.DELETE_BLOB, TWO, "acme/boats"),
        told(3, Operation.DELETE_BLOB, TWO, "cargo/tea"),
    )
    assert indexer.blobs == [(ProjectName("acme"), [ONE, TWO]), (ProjectName("cargo"), [TWO])]


def test_the_quota_of_each_project_is_looked_at_once_a_batch() -> None:
    quotas = Looking()
    records = [
        told(1, Operation.PUSH, ONE),
        told(2, Operation.DELETE_MANIFEST, TWO, "acme/boats"),
        told(3, Operation.PUSH, TWO, "cargo/tea"),
    ]
    assert run(Noting(), *records, quotas=quotas) == []
    assert quotas.seen == ["acme/boats", "cargo/tea"]
    assert run(Noting(), *records, quotas=Looking(broken="cargo")) == ["3"]


def test_a_batch_begins_again_at_the_first_record_whose_target_failed() -> None:
    indexer = Noting(broken={TWO})
    batch = [told(1, Operation.PUSH, ONE), told(2, Operation.PUSH, TWO), told(3, Operation.DELETE_BLOB, TWO)]
    assert run(indexer, *batch) == ["2"]
    assert Target(SHIPS, ONE) in indexer.settled
    assert run(Noting(broken={None}), *batch) == ["1"]


def test_a_record_that_cannot_be_read_becomes_a_dead_letter_and_holds_nothing_up() -> None:
    indexer, letters = Noting(), Letters()
    poison = record({"pk": "event#00", "sk": "x", "id": 1}, 1)
    keyless = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "2"}}
    hostile = told(3, Operation.PUSH, ONE, repository="../../etc")
    assert run(indexer, poison, keyless, hostile, told(4, Operation.PUSH, ONE), letters=letters) == []
    assert [body["record"]["dynamodb"]["SequenceNumber"].lstrip("0") for body in letters.bodies] == ["1", "2", "3"]
    assert indexer.settled == [Target(SHIPS, ONE), Target(SHIPS)]


@pytest.mark.parametrize("error", [ValueError, RecursionError, OverflowError, KeyError])
def test_what_no_attempt_can_derive_becomes_a_dead_letter_and_holds_nothing_up(error: type[Exception]) -> None:
    """Or whoever may push could keep the pages of all projects from changing, for as long as the stream tries again."""
    indexer, letters = Noting({ONE}, error), Letters()
    batch = [told(1, Operation.PUSH, ONE), told(2, Operation.PUSH, TWO), told(3, Operation.DELETE_BLOB, ONE)]
    assert run(indexer, *batch, letters=letters) == []
    assert [body["record"]["dynamodb"]["SequenceNumber"].lstrip("0") for body in letters.bodies] == ["1", "3"]
    assert letters.bodies[0]["reason"] == f"cannot be derived: {error('broken')!r}"
    assert indexer.settled == [Target(SHIPS, TWO), Target(SHIPS)]


def test_what_may_pass_is_tried_again_although_something_else_is_hopeless() -> None:
    letters = Letters()
    quotas = Looking(broken="acme")
    assert run(Noting({ONE}, ValueError), told(1, Operation.PUSH, ONE), letters=letters, quotas=quotas) == ["1"]
    assert letters.bodies == []


def test_a_dead_letter_that_cannot_be_kept_comes_again() -> None:
    letters = Letters()
    letters.broken = True
    poison = record({"pk": "event#00", "sk": "x"}, 1)
    assert run(Noting(), poison, told(2, Operation.PUSH, ONE), letters=letters) == ["1"]


def test_what_is_not_a_new_event_is_left_alone() -> None:
    indexer = Noting()
    other = {"pk": "repo#acme/ships", "sk": "tag#1"}
    removed = record(item_of(event("e")), 2, name="REMOVE")
    assert run(indexer, record(other, 1), removed) == []
    assert indexer.settled == []
