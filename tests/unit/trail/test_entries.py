"""Entries of the audit trail, and their JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.printable import printable
from roadstead.trail.entries import Actor, ActorKind, AuditEntry, Event, Operation, Outcome, rfc3339

NOON = 1_795_521_600_123
ACTOR = Actor("ada", ActorKind.USER, "token-1", "192.0.2.7", "docker/28.5", "request-1", "1-abc-def")
FULL = AuditEntry(
    id="e1",
    at=NOON,
    operation=Operation.PUSH,
    actor=ACTOR,
    outcome=Outcome.SUCCESS,
    project="acme",
    repository="acme/ships",
    reference="1,latest",
    digest="sha256:" + "0" * 64,
    media_type="application/vnd.oci.image.manifest.v1+json",
    size=1234,
    source_repository="acme/boats",
    user="bob",
    detail="role=guest",
)
TEXT = st.text(max_size=40)


def test_an_entry_is_what_the_documentation_shows() -> None:
    assert FULL.as_json() == {
        "schema": 1,
        "id": "e1",
        "time": "2026-11-24T12:00:00.123Z",
        "operation": "push",
        "outcome": "success",
        "actor": {"name": "ada", "kind": "user"},
        "token_id": "token-1",
        "source_address": "192.0.2.7",
        "user_agent": "docker/28.5",
        "request_id": "request-1",
        "trace_id": "1-abc-def",
        "project": "acme",
        "repository": "acme/ships",
        "reference": "1,latest",
        "digest": "sha256:" + "0" * 64,
        "media_type": "application/vnd.oci.image.manifest.v1+json",
        "bytes": 1234,
        "source_repository": "acme/boats",
        "user": "bob",
        "detail": "role=guest",
    }


def test_what_is_empty_is_left_out() -> None:
    entry = AuditEntry("e1", NOON, Operation.LOGIN, Actor("", ActorKind.ANONYMOUS), Outcome.FAILURE)
    assert set(entry.as_json()) == {"schema", "id", "time", "operation", "outcome", "actor"}


@given(
    at=st.integers(0, 4_000_000_000_000),
    operation=st.sampled_from(Operation),
    outcome=st.sampled_from(Outcome),
    kind=st.sampled_from(ActorKind),
    texts=st.lists(TEXT.map(printable), min_size=14, max_size=14),
    size=st.integers(0, 10**13),
    actor_id=st.integers(0, 2**31),
)
def test_an_entry_comes_back_from_its_json(
    at: int, operation: Operation, outcome: Outcome, kind: ActorKind, texts: list[str], size: int, actor_id: int
) -> None:
    actor = Actor(texts[0], kind, texts[1], texts[2], texts[3], texts[4], texts[5], actor_id)
    project, repository, reference, digest, media_type, source, user, detail = texts[6:]
    entry = AuditEntry(
        "id", at, operation, actor, outcome, project, repository, reference, digest, media_type, size, source, user,
        detail,
    )  # fmt: skip
    assert AuditEntry.from_json(json.loads(json.dumps(entry.as_json()))) == entry


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"schema": None},
        {"id": ""},
        {"id": 7},
        {"time": "yesterday"},
        {"time": 7},
        {"operation": "dance"},
        {"outcome": "perhaps"},
        {"actor": None},
        {"actor": {"name": "ada", "kind": "ghost"}},
        {"actor": {"name": ["ada"], "kind": "user"}},
        {"bytes": "many"},
        {"bytes": None},
        {"repository": {"a": 1}},
    ],
    ids=str,
)
def test_what_is_no_entry_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        AuditEntry.from_json({**FULL.as_json(), **change})


@pytest.mark.parametrize("missing", ["schema", "id", "time", "operation", "outcome", "actor"])
def test_what_lacks_a_field_is_refused(missing: str) -> None:
    document = FULL.as_json()
    del document[missing]
    with pytest.raises(ValueError):
        AuditEntry.from_json(document)


@pytest.mark.parametrize("document", [None, [], "x", 7, {}])
def test_what_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(ValueError):
        AuditEntry.from_json(document)


def test_an_event_becomes_an_entry_of_its_project() -> None:
    event = Event("e", NOON, Operation.PUSH, ACTOR, "acme/ships", "sha256:x", ("1", "latest"), "type", 7)
    entry = AuditEntry.of_event(event)
    assert (entry.id, entry.at, entry.project, entry.reference, entry.size) == ("e", NOON, "acme", "1,latest", 7)
    assert entry.actor == ACTOR


def test_the_reference_of_what_has_no_tags_is_its_digest() -> None:
    entry = AuditEntry.of_event(Event("e", NOON, Operation.PUSH, ACTOR, "library/hello-world", "sha256:x"))
    assert (entry.reference, entry.project) == ("sha256:x", "library")


def test_an_event_of_the_identity_table_names_what_it_is_about() -> None:
    event = Event("e", NOON, Operation.SET_MEMBER, ACTOR, "", project="acme", user="bob", detail="role=guest")
    entry = AuditEntry.of_event(event)
    assert (entry.project, entry.repository, entry.user, entry.detail) == ("acme", "", "bob", "role=guest")


@pytest.mark.parametrize(("at", "text"), [(0, "1970-01-01T00:00:00.000Z"), (NOON, "2026-11-24T12:00:00.123Z")])
def test_times_are_utc_with_milliseconds(at: int, text: str) -> None:
    assert rfc3339(at) == text


DOCUMENT = (Path(__file__).parents[3] / "docs" / "audit.md").read_text()


def first_column(header: str) -> set[str]:
    """What stands in backquotes in the first column of the table with this header."""
    rows = DOCUMENT.split(f"| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`([a-z_-]+)`", row.split("|")[1])}


def test_the_documentation_has_every_field_and_every_operation() -> None:
    assert first_column("field") == set(FULL.as_json())
    assert first_column("operation") == {str(operation) for operation in Operation} - {Operation.SEE}


@pytest.mark.parametrize(
    "hostile", ["\x9b31m", "\u202egnp", "a\tforged\tcolumn", "a\nforged line", "\x1b]0;title\x07", "\u2066"]
)
def test_control_and_bidirectional_characters_are_written_as_escapes(hostile: str) -> None:
    actor = Actor(hostile, ActorKind.USER, hostile, hostile, hostile, hostile, hostile)
    entry = AuditEntry("id", 0, Operation.PULL, actor, reference=hostile, detail=hostile, user=hostile)
    document = entry.as_json()
    texts = [document["actor"]["name"], *(value for value in document.values() if isinstance(value, str))]
    assert all(text.isprintable() for text in texts)
    assert sum("\\" in text for text in texts) == 9
    assert AuditEntry.from_json(document).as_json() == document
