"""What S3 tells of new objects."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.content.blob_index import StoredObject
from roadstead.content.objects import ObjectInfo, streamed_key, whole_key
from roadstead.content.uploads.finishing import STREAMED
from roadstead.content.uploads.provenance import object_metadata
from roadstead.content.uploads.sessions import UploadSession, UploadState
from roadstead.digest import Digest
from roadstead.trail.entries import Actor, ActorKind, Event, Operation
from tests.unit.functions.webhook.parts import ADA, NOON, SHIPS, Function, messages, object_created

DATA = b"hello"
DIGEST = Digest.of(DATA)
KEY = whole_key(SHIPS, DIGEST, "0" * 32)


@pytest.fixture
def function() -> Function:
    made = Function()
    made.objects.put(KEY, DATA, digest=DIGEST, metadata=object_metadata(SHIPS, ADA))
    return made


def test_an_upload_that_arrived_is_told_with_its_uploader(function: Function) -> None:
    assert function.failures(messages(object_created(KEY))) == []
    (entry,) = function.entries
    assert (entry.operation, entry.repository, entry.project) == (Operation.UPLOAD_RECEIVED, SHIPS, "acme")
    assert (entry.digest, entry.reference, entry.size, entry.at) == (DIGEST, DIGEST, 5, NOON)
    assert entry.actor == Actor("ada", ActorKind.USER, "token-1")


def test_a_message_that_comes_again_has_the_same_id(function: Function) -> None:
    function.handle(messages(object_created(KEY)))
    function.handle(messages(object_created(KEY)))
    assert len(function.ids) == 2 and len(set(function.ids)) == 1


def test_an_upload_that_arrived_is_a_candidate_of_the_collector_once(function: Function) -> None:
    function.handle(messages(object_created(KEY)))
    function.handle(messages(object_created(KEY)))
    assert function.candidates.objects == {(KEY, NOON): "0" * 32}


def test_a_marker_of_the_relay_tells_of_the_object_that_it_names(function: Function) -> None:
    streamed = streamed_key("1" * 32, "parts-1")
    marker = whole_key(SHIPS, DIGEST, "1" * 32)
    function.objects.put(streamed, DATA, metadata={})
    function.objects.put(marker, b"", metadata={**object_metadata(SHIPS, ADA), STREAMED: streamed})
    assert function.failures(messages(object_created(marker, size=0))) == []
    (entry,) = function.entries
    assert (entry.operation, entry.digest, entry.size) == (Operation.UPLOAD_RECEIVED, DIGEST, 5)


def cancelled(function: Function, upload_id: str = "0" * 32) -> None:
    function.uploads.save(UploadSession(upload_id, SHIPS, NOON, state=UploadState.CANCELLED))


def adopted(function: Function, key: str) -> None:
    event = Event("e", NOON, Operation.UPLOAD, ADA, SHIPS)
    stored = StoredObject(key, len(DATA), DATA)
    upload_id = key.rpartition("/")[2]
    function.uploads.link_object(SHIPS, DIGEST, stored, upload_id=upload_id, mark_expires=None, event=event)


def test_an_object_of_a_cancelled_upload_is_removed_and_still_told(function: Function) -> None:
    cancelled(function)
    assert function.failures(messages(object_created(KEY))) == []
    assert function.objects.find(KEY) is None
    assert function.candidates.objects == {}
    assert [entry.operation for entry in function.entries] == [Operation.UPLOAD_RECEIVED]


def test_an_object_sent_again_under_a_used_url_is_removed_where_another_serves_the_digest(function: Function) -> None:
    adopted(function, whole_key(SHIPS, DIGEST, "1" * 32))
    adopted(function, KEY)  # surplus
    function.handle(messages(object_created(KEY)))
    assert function.objects.find(KEY) is None


def test_a_marker_of_a_cancelled_upload_goes_with_the_object_that_it_names(function: Function) -> None:
    streamed = streamed_key("0" * 32, "parts-1")
    function.objects.put(streamed, DATA, metadata={})
    function.objects.put(KEY, b"", metadata={**object_metadata(SHIPS, ADA), STREAMED: streamed})
    cancelled(function)
    function.handle(messages(object_created(KEY)))
    assert function.objects.list("") == ()


def test_a_marker_of_an_adopted_object_goes_alone(function: Function) -> None:
    streamed = streamed_key("0" * 32, "parts-1")
    function.objects.put(streamed, DATA, metadata={})
    function.objects.put(KEY, b"", metadata={**object_metadata(SHIPS, ADA), STREAMED: streamed})
    event = Event("e", NOON, Operation.UPLOAD, ADA, SHIPS)
    stored = StoredObject(streamed, len(DATA))
    function.uploads.link_object(SHIPS, DIGEST, stored, upload_id="0" * 32, mark_expires=None, event=event)
    function.handle(messages(object_created(KEY)))
    assert function.objects.list("") == (streamed,)


def test_a_marker_that_names_an_object_of_another_upload_removes_nothing(function: Function) -> None:
    other = streamed_key("f" * 32, "parts-1")
    function.objects.put(other, DATA, metadata={})
    function.objects.put(KEY, b"", metadata={**object_metadata(SHIPS, ADA), STREAMED: other})
    cancelled(function)
    function.handle(messages(object_created(KEY)))
    assert function.objects.find(other) is not None


def test_an_object_that_was_adopted_before_its_event_came_is_kept(function: Function) -> None:
    adopted(function, KEY)
    function.handle(messages(object_created(KEY)))
    assert function.objects.find(KEY) is not None


def test_an_object_that_is_adopted_while_its_event_is_handled_is_kept(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method in ("find_spent_uploads", "find_object_key"):
        original = getattr(function.uploads, method)

        def beside(argument: Any, original: Any = original, method: str = method) -> Any:
            monkeypatch.setattr(function.uploads, method, original)
            if function.uploads.find_link(SHIPS, DIGEST) is None:
                adopted(function, KEY)
            return original(argument)

        monkeypatch.setattr(function.uploads, method, beside)
        function.handle(messages(object_created(KEY)))
        assert function.objects.find(KEY) is not None


def test_what_is_gone_was_told_of_otherwise(function: Function) -> None:
    function.objects.delete([KEY])
    assert function.failures(messages(object_created(KEY))) == []
    assert function.log.appends == 0 and function.letters.sent == []


@pytest.mark.parametrize("key", ["blobs/uploads/0123/x", "manifests/a/sha256/b/c", "uploads/x/1-2"])
def test_other_objects_are_none_of_this(function: Function, key: str) -> None:
    function.objects.put(key, DATA, metadata={})
    assert function.failures(messages(object_created(key))) == []
    assert function.log.appends == 0


def test_a_removed_object_is_no_upload(function: Function) -> None:
    removed = object_created(KEY)
    removed["Records"][0]["eventName"] = "ObjectRemoved:Delete"
    assert function.failures(messages(removed)) == []
    assert function.log.appends == 0


def test_the_message_with_which_s3_tries_the_queue_is_ignored(function: Function) -> None:
    assert function.failures(messages({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})) == []
    assert function.letters.sent == []


POISON: list[Any] = ["no json", "7", "[]", "{}", '{"Records": 7}', '{"Records": [{}]}', object_created("blobs/x")]


@pytest.mark.parametrize("body", POISON, ids=str)
def test_a_message_that_cannot_be_understood_is_kept_apart(function: Function, body: Any) -> None:
    assert function.failures(messages(body, object_created(KEY))) == []
    assert len(function.ids) == 1
    (letter,) = function.letters.sent
    assert (letter["source"], letter["record"]["messageId"]) == ("objects", "m0")


def test_only_what_failed_comes_again(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    find = function.objects.find
    broken = whole_key(SHIPS, DIGEST, "1" * 32)

    def throttled(key: str) -> ObjectInfo | None:
        if key == broken:
            raise RuntimeError("SlowDown")
        return find(key)

    monkeypatch.setattr(function.objects, "find", throttled)
    assert function.failures(messages(object_created(KEY), object_created(broken), object_created(KEY))) == ["m1"]
    assert len(set(function.ids)) == 1


def test_a_log_that_takes_nothing_has_every_message_come_again(function: Function) -> None:
    other = whole_key(SHIPS, DIGEST, "2" * 32)
    function.objects.put(other, DATA, digest=DIGEST, metadata=object_metadata(SHIPS, ADA))
    function.handle(messages(object_created(KEY)))
    function.log.refused = set(function.ids)
    assert function.failures(messages(object_created(KEY), object_created(other))) == ["m0"]
