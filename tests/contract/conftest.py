"""The backends on which every contract suite runs."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.dynamodb_uploads import DynamoUploadSessions
from roadstead.aws.table import Item, Table
from roadstead.content.blob_index import BlobIndex
from roadstead.content.manifest_index import ManifestIndex
from roadstead.content.uploads.sessions import UploadSessions
from tests import aws
from tests.embedded import embedded
from tests.memory.index import MemoryIndex

BACKENDS = ("memory", "moto", "ministack", "embedded")


@dataclass(frozen=True, slots=True)
class Index:
    """The three Protocols on one index, and a look at what the mutations left."""

    blobs: BlobIndex
    manifests: ManifestIndex
    sessions: UploadSessions
    memory: MemoryIndex | None = None
    client: Any = None
    table_name: str = ""

    def events(self) -> list[tuple[str, str]]:
        """Operation and digest of every event, in the order of time and id."""
        if self.memory is not None:
            found = [(event.at, event.id, str(event.operation), str(event.digest)) for event in self.memory.events]
        else:
            items = self._scan("event#")
            found = [(item["at"], item["id"], item["operation"], item["digest"]) for item in items]
        return [(operation, digest) for _, _, operation, digest in sorted(found)]

    def candidates(self) -> list[str]:
        """The kind of every candidate that was left for the collector."""
        if self.memory is not None:
            return sorted(candidate["kind"] for candidate in self.memory.candidates)
        return sorted(item["kind"] for item in self._scan("gc#"))

    def _scan(self, prefix: str) -> list[Item]:
        keys = [
            (item["pk"]["S"], item["sk"]["S"])
            for page in self.client.get_paginator("scan").paginate(TableName=self.table_name)
            for item in page["Items"]
            if item["pk"]["S"].startswith(prefix)
        ]
        return list(Table(self.client, self.table_name).batch_get(keys).values())


@pytest.fixture(scope="session")
def ministack_endpoint() -> Iterator[str]:
    """One ministack for all tests of a process. Tests keep apart by the names of their tables and buckets."""
    with aws.ministack() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def embedded_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One embedded cloud for all tests of a process."""
    with embedded(tmp_path_factory.mktemp("embedded") / "state") as running:
        yield running.endpoint


@pytest.fixture(scope="session")
def busy_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another one, where every fifth write collides with a transaction and every third batch is left half done: a
    single writer would never do that to the stores, and DynamoDB does."""
    faults = {"conflicts": 0.2, "unprocessed": 0.3, "seed": 1}
    with embedded(tmp_path_factory.mktemp("busy") / "state", faults) as running:
        yield running.endpoint


@pytest.fixture(scope="session")
def embedded_dynamodb(embedded_endpoint: str) -> Any:
    return aws.client("dynamodb", embedded_endpoint)


@pytest.fixture(scope="session")
def busy_dynamodb(busy_endpoint: str) -> Any:
    return aws.client("dynamodb", busy_endpoint)


@pytest.fixture(scope="session")
def ministack_dynamodb(ministack_endpoint: str) -> Any:
    return aws.client("dynamodb", ministack_endpoint)


@pytest.fixture(scope="session")
def moto_dynamodb() -> Any:
    """For use inside `mock_aws`: making a client takes longer than most tests."""
    return _one_at_a_time(aws.client("dynamodb"))


@pytest.fixture(params=(*BACKENDS, "busy"))
def index(request: pytest.FixtureRequest) -> Iterator[Index]:
    if request.param == "memory":
        memory = MemoryIndex()
        yield Index(memory, memory, memory, memory=memory)
    elif request.param == "moto":
        with mock_aws():
            yield _dynamo(request.getfixturevalue("moto_dynamodb"))
    else:
        yield _dynamo(request.getfixturevalue(f"{request.param}_dynamodb"))


def _one_at_a_time(client: Any) -> Any:
    """moto answers in the caller's thread, and undoes a refused transaction by putting the whole table back: what
    another thread wrote meanwhile would be gone."""
    make, lock = client._make_api_call, threading.Lock()

    def make_alone(operation: str, parameters: dict[str, Any]) -> Any:
        with lock:
            return make(operation, parameters)

    client._make_api_call = make_alone
    return client


def _dynamo(client: Any) -> Index:
    name = f"index-{uuid.uuid4().hex}"
    aws.make_tables(client, name, f"identity-{uuid.uuid4().hex}")
    table = Table(client, name)
    return Index(
        DynamoBlobIndex(table), DynamoManifestIndex(table), DynamoUploadSessions(table), client=client, table_name=name
    )
