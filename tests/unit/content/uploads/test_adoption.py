"""Adopting objects that were sent whole."""

from __future__ import annotations

import pytest

from roadstead.conflicts import TooManyWriters
from roadstead.content.blob_index import MAX_INLINE_BLOB
from roadstead.content.objects import LISTED, whole_key, whole_prefix
from roadstead.content.uploads.adoption import MAX_ABSENT, MAX_FORGOTTEN, MAX_TRIED
from roadstead.content.uploads.provenance import object_metadata
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import ActorKind
from tests.unit.content.parts import ADA, BOB, CARGO, NOBODY, SHIPS, Registry

DATA = b"forty barrels"
DIGEST = Digest.of(DATA)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_an_object_whose_checksum_is_the_digest_becomes_a_blob(registry: Registry, algorithm: str) -> None:
    digest = Digest.of(DATA, algorithm)
    key = registry.send_whole(DATA, digest)
    link = registry.adoption.adopt(SHIPS, digest, ADA)
    assert link is not None
    assert (link.key, link.size, link.data) == (key, len(DATA), DATA)
    assert registry.index.find_link(SHIPS, digest) == link


def test_adopting_a_large_blob_does_not_read_its_bytes(registry: Registry) -> None:
    data = b"x" * (MAX_INLINE_BLOB + 1)
    registry.send_whole(data)
    registry.objects.get = None  # calling it would fail
    link = registry.adoption.adopt(SHIPS, Digest.of(data), ADA)
    assert link is not None and link.data is None


def test_a_digest_without_an_object_is_not_adopted(registry: Registry) -> None:
    registry.send_whole(DATA)
    assert registry.adoption.adopt(CARGO, DIGEST, ADA) is None
    assert registry.adoption.adopt(SHIPS, Digest.of(b"other"), ADA) is None


def test_an_anonymous_request_does_not_list_objects(registry: Registry) -> None:
    registry.send_whole(DATA)
    registry.objects.list = None  # calling it would fail
    assert registry.adoption.adopt(SHIPS, DIGEST, NOBODY) is None


def test_an_object_with_another_checksum_is_not_adopted(registry: Registry) -> None:
    registry.send_whole(b"other bytes", DIGEST)
    assert registry.adoption.adopt(SHIPS, DIGEST, ADA) is None
    assert registry.index.events == []


def test_an_object_without_a_stored_checksum_is_never_adopted(registry: Registry) -> None:
    registry.objects.put(whole_prefix(SHIPS, DIGEST) + "ab" * 16, DATA, metadata={})
    assert registry.adoption.adopt(SHIPS, DIGEST, ADA) is None


@pytest.mark.parametrize("name", ["", "x", "AB" * 16, "ab" * 16 + "/x", "ab" * 15])
def test_a_key_without_an_upload_id_is_never_adopted(registry: Registry, name: str) -> None:
    registry.objects.put_direct(whole_prefix(SHIPS, DIGEST) + name, DATA, {})
    assert registry.adoption.adopt(SHIPS, DIGEST, ADA) is None


def test_a_bad_object_does_not_hide_a_good_one(registry: Registry) -> None:
    registry.objects.put_direct(whole_prefix(SHIPS, DIGEST) + "00" * 16, b"bad", {})
    good = whole_prefix(SHIPS, DIGEST) + "11" * 16
    registry.objects.put_direct(good, DATA, {})
    link = registry.adoption.adopt(SHIPS, DIGEST, ADA)
    assert link is not None and link.key == good


def test_a_deleted_blob_does_not_return_through_its_object(registry: Registry) -> None:
    registry.send_whole(DATA)
    registry.adoption.adopt(SHIPS, DIGEST, ADA)
    registry.blobs.delete(SHIPS, DIGEST, ADA)
    assert registry.adoption.adopt(SHIPS, DIGEST, ADA) is None


def test_a_surplus_object_is_dropped(registry: Registry) -> None:
    first = registry.upload(DATA, CARGO)
    surplus = registry.send_whole(DATA)
    link = registry.adoption.adopt(SHIPS, DIGEST, ADA)
    assert link is not None and link.key == first.key
    assert registry.objects.find(surplus) is None


def test_an_adoption_is_attributed_to_the_uploader(registry: Registry) -> None:
    registry.send_whole(DATA)
    registry.adoption.adopt(SHIPS, DIGEST, BOB)
    (event,) = registry.index.events
    assert (event.actor.name, event.actor.kind, event.actor.token_id) == ("ada", ActorKind.USER, "t1")


def test_an_adoption_without_metadata_is_attributed_to_the_caller(registry: Registry) -> None:
    registry.objects.put_direct(whole_prefix(SHIPS, DIGEST) + "11" * 16, DATA, {"actor": "%%%"})
    registry.adoption.adopt(SHIPS, DIGEST, BOB)
    assert registry.index.events[0].actor == BOB


def test_repositories_with_a_common_name_prefix_have_distinct_key_prefixes() -> None:
    assert not whole_prefix(RepositoryName("ships/galleon2"), DIGEST).startswith(whole_prefix(SHIPS, DIGEST))


def cancel_after_sending(registry: Registry, data: bytes = DATA) -> str:
    """An object under the URL of an upload that was cancelled; returns its key."""
    token = registry.start()
    registry.uploads.cancel(token)
    key = whole_key(SHIPS, Digest.of(data), token.upload_id)
    registry.objects.put_direct(key, data, object_metadata(SHIPS, ADA))
    return key


def recorded(registry: Registry, monkeypatch: pytest.MonkeyPatch, method: str) -> list[str]:
    """The arguments of every call of a method of the bucket from now on."""
    original, arguments = getattr(registry.objects, method), list[str]()

    def call(argument: str) -> object:
        arguments.append(argument)
        return original(argument)

    monkeypatch.setattr(registry.objects, method, call)
    return arguments


def test_objects_of_spent_uploads_cost_no_request_to_s3(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(100):
        cancel_after_sending(registry)
    registry.send_whole(DATA)
    registry.adoption.adopt(SHIPS, DIGEST, ADA)
    registry.blobs.delete(SHIPS, DIGEST, ADA)
    monkeypatch.setattr(registry.objects, "find", None)  # calling it would fail
    for _ in range(100):
        cancel_after_sending(registry)
    assert registry.adoption.adopt(SHIPS, DIGEST, ADA) is None


def test_one_request_looks_at_a_bounded_number_of_objects(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(MAX_TRIED + 10):
        registry.objects.put_direct(whole_prefix(SHIPS, DIGEST) + f"{number:032x}", b"bad", {})
    looked_at = recorded(registry, monkeypatch, "find")
    assert registry.adoption.adopt(SHIPS, DIGEST, ADA) is None
    assert len(looked_at) == MAX_TRIED


def test_a_search_for_many_absent_digests_gives_up(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = recorded(registry, monkeypatch, "list")
    absent = [Digest.of(b"absent %d" % number) for number in range(2_000)]
    assert registry.adoption.adopt_all(SHIPS, absent, ADA) == {}
    assert MAX_ABSENT <= len(listed) < MAX_ABSENT + 8


def test_a_deletion_removes_every_other_object_of_the_blob(registry: Registry) -> None:
    link = registry.upload(DATA)
    for _ in range(20):
        registry.send_whole(DATA)
        cancel_after_sending(registry)
    registry.blobs.delete(SHIPS, DIGEST, ADA)
    assert registry.keys() == [link.key]
    assert registry.adoption.adopt(SHIPS, DIGEST, ADA) is None


def test_a_deletion_keeps_the_object_that_serves_other_repositories(registry: Registry) -> None:
    key = registry.send_whole(DATA)
    registry.adoption.adopt(SHIPS, DIGEST, ADA)
    assert registry.blobs.mount(SHIPS, CARGO, DIGEST, ADA) is not None
    registry.blobs.delete(SHIPS, DIGEST, ADA)
    registry.send_whole(DATA)
    assert registry.adoption.adopt(SHIPS, DIGEST, ADA) is not None
    cancel_after_sending(registry)
    registry.blobs.delete(SHIPS, DIGEST, ADA)
    assert registry.keys() == [key]


@pytest.mark.parametrize("count", [MAX_FORGOTTEN + 1, LISTED + 1])
def test_a_deletion_beside_more_uploads_than_it_handles_is_refused_until_none_is_left(
    registry: Registry, count: int
) -> None:
    registry.upload(DATA)
    for _ in range(count):
        registry.send_whole(DATA)
    refused = 0
    while True:
        try:
            registry.blobs.delete(SHIPS, DIGEST, ADA)
            break
        except TooManyWriters:
            refused += 1
            assert registry.index.find_link(SHIPS, DIGEST) is not None
    assert refused == count // MAX_FORGOTTEN
    assert registry.adoption.adopt(SHIPS, DIGEST, ADA) is None


@pytest.mark.parametrize("count", [1, 4, 30])
def test_adopting_many_digests_returns_those_that_were_uploaded(registry: Registry, count: int) -> None:
    sent = [f"layer {number}".encode() for number in range(count)]
    for data in sent:
        registry.send_whole(data)
    digests = [Digest.of(data) for data in sent]
    assert registry.adoption.adopt_all(SHIPS, [*digests, DIGEST], ADA).keys() == set(digests)
    assert len(registry.index.events) == count


@pytest.mark.parametrize("step", ["list", "find", "get"])
def test_the_loser_of_an_adoption_race_gets_the_winners_link(
    registry: Registry, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.send_whole(DATA)
    registry.adoption.adopt(SHIPS, DIGEST, ADA)
    registry.send_whole(DATA, repository=CARGO)  # surplus: the digest has an object, so the first to adopt deletes it
    original = getattr(registry.objects, step)

    def beside(key: str) -> object:
        monkeypatch.setattr(registry.objects, step, original)
        assert registry.adoption.adopt(CARGO, DIGEST, BOB) is not None
        return original(key)

    monkeypatch.setattr(registry.objects, step, beside)
    link = registry.adoption.adopt(CARGO, DIGEST, ADA)
    assert link is not None
    assert link == registry.index.find_link(CARGO, DIGEST)
