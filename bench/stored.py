"""Many artifacts with tags, repositories, users and entries of the trail, written directly as they are stored."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from roadstead.aws.catalog.dynamodb_pages import repository_summary_key, summary_key
from roadstead.aws.content.counts import ARTIFACTS, TAGS, shard_key
from roadstead.aws.content.index_items import catalog_key, meta_key, pushed_manifest, pushed_tag, repository_pk
from roadstead.aws.identity.identity_items import USERS
from roadstead.aws.table import Key, Table
from roadstead.aws.trail.dynamodb_trail import DynamoTrailPages
from roadstead.catalog.summaries import Summary
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, AuditEntry, Operation

AT = 1_790_000_000_000  # ms: when the first one was pushed; each next one a ms later
_AT_ONCE = 5_000  # items, and entries of the trail

Puts = Iterable[tuple[Key, dict[str, Any]]]


def artifacts(table: Table, repository: RepositoryName, number: int) -> None:
    """A repository of so many artifacts, each with a tag and a summary, and their counts."""
    _write(table, _artifacts(repository, number))
    counted: Counter[Key] = Counter()
    for one in range(number):
        counted[shard_key(repository, TAGS, tag_of(one))] += 1
        counted[shard_key(repository, ARTIFACTS, digest_of(one))] += 1
    _write(table, ((key, {"n": n, "v": "1"}) for key, n in counted.items()))
    _write(table, _repository(repository, number))


def repositories(table: Table, project: str, number: int) -> None:
    """A project of so many repositories with an artifact each, of which only the lists know."""
    _write(table, (put for one in range(number) for put in _repository(RepositoryName(f"{project}/r{one:06d}"), 1)))


def users(table: Table, name: str, number: int) -> None:
    """So many users like `name`, of whom only the lists know."""
    like = next(item for item in table.query(USERS) if item["sk"] == name)
    fields = {key: value for key, value in like.items() if key not in ("pk", "sk")}
    _write(table, (((USERS, f"u{one:06d}"), {**fields, "id": 1_000_000 + one}) for one in range(number)))


def trail(table: Table, project: str, number: int) -> None:
    """So many entries of a project's trail, from now on: those from before the project are another one's."""
    pages, now = DynamoTrailPages(table), int(time.time() * 1000)
    entries = (
        AuditEntry(f"e{one:06d}", now + one, Operation.PUSH, Actor("ada"), project=project, repository=f"{project}/r")
        for one in range(number)
    )
    while batch := list(islice(entries, _AT_ONCE)):
        pages.write(batch)


def tag_of(number: int) -> str:
    return f"v{number:06d}"


def digest_of(number: int) -> Digest:
    return Digest.of(b"%d" % number)


def _artifacts(repository: RepositoryName, number: int) -> Iterator[tuple[Key, dict[str, Any]]]:
    pk = repository_pk(repository)
    for one in range(number):
        digest, tag, at = digest_of(one), tag_of(one), AT + one
        shown = {"type": OCI_MANIFEST, "size": 100, "at": at, "by": "ada"}
        key = f"manifests/{one}"
        yield (pk, f"tag#{tag}"), {"digest": digest, "pushed": pushed_tag(at, tag), **shown}
        yield (pk, f"tagged#{digest}#{tag}"), {"at": at}
        manifest = {"pushed": pushed_manifest(at, digest), "generation": "1", "key": key, "data": b"{}"}
        yield (pk, f"manifest#{digest}"), {**manifest, **shown}
        summary = Summary(digest, "1", key, OCI_MANIFEST, 100, 1_000 + one, at=at)
        yield summary_key(repository, digest), {"document": summary.to_json(), "generation": "1", "bytes": 100}


def _repository(repository: RepositoryName, number: int) -> Iterator[tuple[Key, dict[str, Any]]]:
    yield meta_key(repository), {"at": AT, "by": "ada"}
    yield catalog_key(repository), {"at": AT}
    summary = {"created": AT, "updated": AT + number, "tags": number, "artifacts": number}
    yield repository_summary_key(repository), summary


def _write(table: Table, puts: Puts) -> None:
    rest = iter(puts)
    while batch := list(islice(rest, _AT_ONCE)):
        table.batch_write(puts=batch)
