"""Who hears of what, and what asking for it costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roadstead.identity.directory import Project
from roadstead.notifications.messages import Message
from roadstead.notifications.targets import FRESH_SECONDS
from roadstead.trail.entries import Operation, Outcome
from tests.unit.notifications.parts import DIGEST, NOON, PUSH, SECRET, SHIPS, URL, Harbour, entry


def told(harbour: Harbour) -> list[tuple[str, list[str]]]:
    """Type and tags of each message in the queue, which is emptied."""
    documents = [json.loads(Message.parse(text).body) for text in harbour.queue.bodies]
    harbour.queue.bodies.clear()
    return [
        (document["type"], [resource["tag"] for resource in document["event_data"]["resources"]])
        for document in documents
    ]


def test_without_a_webhook_a_project_costs_one_read_a_minute() -> None:
    harbour = Harbour()
    for _ in range(3):
        assert harbour.dispatcher.enqueue([PUSH, entry(Operation.PULL), entry(id="x")]) == 0
    assert harbour.store.reads == ["webhooks"]
    harbour.clock.now += FRESH_SECONDS
    harbour.dispatcher.enqueue([PUSH])
    assert harbour.store.reads == ["webhooks", "webhooks"]


def test_what_nobody_can_subscribe_to_costs_nothing() -> None:
    harbour = Harbour()
    harbour.dispatcher.enqueue(
        [entry(Operation.LOGIN, repository=""), entry(Operation.UPLOAD), entry(outcome=Outcome.REFUSED)]
    )
    assert harbour.store.reads == []


def test_a_disabled_webhook_costs_no_more_than_none() -> None:
    harbour = Harbour()
    harbour.notifications.set_enabled("ships", harbour.add().id, False)
    harbour.store.reads.clear()
    harbour.dispatcher.enqueue([PUSH])
    assert (harbour.queue.bodies, harbour.store.reads) == ([], ["webhooks"])


def test_with_a_webhook_project_and_repository_are_read_once() -> None:
    harbour = Harbour()
    harbour.add()
    for number in range(3):
        assert harbour.dispatcher.enqueue([entry(id=f"{number}"), entry(id=f"{number}b")]) == 2
    assert harbour.store.reads == ["webhooks", "project", "repository"]


def test_an_event_that_no_webhook_wants_reads_no_repository() -> None:
    harbour = Harbour()
    harbour.add("DELETE_TAG")
    harbour.dispatcher.enqueue([PUSH])
    assert harbour.store.reads == ["webhooks", "project"]


def test_each_webhook_gets_a_message_of_its_own() -> None:
    harbour = Harbour()
    first, second = harbour.add(), harbour.add()
    harbour.add("PULL_ARTIFACT")
    assert harbour.dispatcher.enqueue([PUSH]) == 2
    messages = [Message.parse(text) for text in harbour.queue.bodies]
    assert {message.webhook for message in messages} == {first.id, second.id}
    assert len({message.delivery for message in messages}) == 2
    assert not any(message.test for message in messages)


def test_a_repetition_has_the_same_delivery_id_and_the_same_bytes() -> None:
    harbour = Harbour()
    harbour.add()
    harbour.dispatcher.enqueue([PUSH])
    harbour.dispatcher.enqueue([entry(id="another"), PUSH])
    first, another, again = harbour.queue.bodies
    assert first == again
    assert Message.parse(another).delivery != Message.parse(first).delivery


def test_a_message_holds_neither_secret_nor_address() -> None:
    harbour = Harbour()
    harbour.add(authorization="Bearer hidden")
    harbour.dispatcher.enqueue([PUSH])
    for secret in (SECRET, SECRET[6:], "hidden", URL, "receiver.example.com"):
        assert secret not in harbour.queue.bodies[0]


def test_another_projects_events_are_not_told() -> None:
    harbour = Harbour()
    harbour.add()
    harbour.identities.create_project(Project(SHIPS.parse("boats"), False, NOON, "bob"))
    assert harbour.dispatcher.enqueue([entry(repository="boats/crane", project="boats")]) == 0


def test_a_project_that_is_public_is_told_so() -> None:
    harbour = Harbour()
    harbour.add()
    harbour.identities.set_public(SHIPS, True)
    harbour.dispatcher.enqueue([PUSH])
    document = json.loads(Message.parse(harbour.queue.bodies[0]).body)
    assert document["event_data"]["repository"]["repo_type"] == "public"
    assert document["event_data"]["repository"]["date_created"] == NOON - 500


@pytest.mark.parametrize(
    ("options", "fields", "tags"),
    [
        ({}, {}, ["v1"]),
        ({"repositories": "cargo/*"}, {}, ["v1"]),
        ({"repositories": "ships/**"}, {}, None),  # patterns are of the name within the project
        ({"repositories": "crane"}, {}, None),
        ({"repositories": "**/crane"}, {}, ["v1"]),
        ({"tags": "v*"}, {}, ["v1"]),
        ({"tags": "release-*"}, {}, None),
        ({"tags": "v*"}, {"reference": "v1,latest,v2"}, ["v1", "v2"]),
        ({}, {"reference": "v1,latest,v2"}, ["v1", "latest", "v2"]),
        ({}, {"reference": DIGEST}, [DIGEST]),
        ({"tags": "*"}, {"reference": DIGEST}, None),
    ],
)
def test_patterns_choose(options: dict[str, str], fields: dict[str, Any], tags: list[str] | None) -> None:
    harbour = Harbour()
    harbour.add(**options)
    harbour.dispatcher.enqueue([entry(**fields)])
    assert told(harbour) == ([("PUSH_ARTIFACT", tags)] if tags else [])


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["cargo/crane:v1", "tug:dev", f"tug@{DIGEST}"]),
        ({"repositories": "cargo/*"}, ["cargo/crane:v1"]),
        ({"repositories": "tug"}, ["tug:dev", f"tug@{DIGEST}"]),
        ({"tags": "d*"}, ["tug:dev"]),
        ({"repositories": "other/**"}, None),
    ],
)
def test_patterns_choose_of_what_a_retention_run_deleted(options: dict[str, str], names: list[str] | None) -> None:
    harbour = Harbour()
    harbour.add("TAG_RETENTION", **options)
    run = entry(
        Operation.RETAIN,
        repository="",
        digest="",
        reference=f"cargo/crane:v1,tug:dev,tug@{DIGEST}",
        detail="id=7 policy=28000000 trigger=manual deleted=3 total=9 retained=6",
    )
    assert harbour.dispatcher.enqueue([run]) == (names is not None)
    assert harbour.store.reads == ["webhooks", "project"]
    if names is not None:
        retention = json.loads(Message.parse(harbour.queue.bodies[0]).body)["event_data"]["retention"]
        assert [one["name_tag"] for one in retention["deleted_artifact"]] == names


def test_a_change_is_heeded_within_a_minute() -> None:
    harbour = Harbour()
    harbour.dispatcher.enqueue([PUSH])
    harbour.add()
    harbour.clock.now += FRESH_SECONDS
    assert harbour.dispatcher.enqueue([PUSH]) == 1


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", "7", '"x"', '{"version":1}', "[" * 100_000, '{"version":2,"test":false}', '{"version":1'],
)
def test_what_is_no_message_is_not_parsed(text: str) -> None:
    with pytest.raises(ValueError):
        Message.parse(text)


@pytest.mark.parametrize(
    "change",
    [
        {"project": "../x"},
        {"project": 1},
        {"body": None},
        {"test": "yes"},
        {"extra": "x"},
        {"webhook": ["a"]},
        {"at": "1"},
        {"at": True},
    ],
)
def test_a_message_with_a_wrong_field_is_not_parsed(change: dict[str, Any]) -> None:
    good = Message("d", SHIPS, "w", "application/json", "{}", 1, "PUSH_ARTIFACT")
    assert Message.parse(good.as_text()) == good
    with pytest.raises(ValueError):
        Message.parse(json.dumps({**json.loads(good.as_text()), **change}))
