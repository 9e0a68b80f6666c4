"""Committing manifests: what must be there, what races it wins, and what it leaves when it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from roadstead.conflicts import Conflict, Throttled
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.manifest_index import MAX_INLINE_MANIFEST, MAX_TAGS_PER_COMMIT, Commit, CommitSnapshot
from roadstead.content.push import IndexChildren
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import Tag
from roadstead.trail.entries import Actor
from tests.manifests import CONFIG, dump, image, image_of, index, index_of, of
from tests.memory.index import MemoryIndex
from tests.unit.content.parts import ADA, CARGO, LATEST, SHIPS, Registry

LAYER = b"layer"


@pytest.fixture
def registry() -> Registry:
    return Registry()


def missing(error: pytest.ExceptionInfo[RegistryError]) -> list[Digest]:
    assert {entry.code for entry in error.value.entries} == {ErrorCode.MANIFEST_BLOB_UNKNOWN}
    assert error.value.status == 404
    return [entry.detail["digest"] for entry in error.value.entries if entry.detail]


def uses(registry: Registry, digest: Digest) -> list[Digest]:
    return [use.manifest for use in registry.index.find_uses(SHIPS, digest)]


class Bent(MemoryIndex):
    """An index that runs something else beside one of its operations, once."""

    def __init__(self) -> None:
        super().__init__()
        self.beside: dict[str, Callable[[], object]] = {}

    def _meet(self, operation: str) -> None:
        other = self.beside.pop(operation, None)
        if other is not None:
            other()

    def commit(self, commit: Commit) -> None:
        self._meet("commit")
        super().commit(commit)
        self._meet("committed")

    def write_uses(self, *arguments: Any, **named: Any) -> None:
        self._meet("uses")
        super().write_uses(*arguments, **named)
        self._meet("noted")

    def read_snapshot(self, *arguments: Any, **named: Any) -> CommitSnapshot:
        found = super().read_snapshot(*arguments, **named)
        self._meet("standing")
        return found


@pytest.fixture
def bent() -> Registry:
    return Registry(index=Bent())


# What must be there


def test_everything_that_is_missing_is_named_once(registry: Registry) -> None:
    registry.upload(b"{}")
    with pytest.raises(RegistryError) as error:
        registry.push(image_of(b"one", b"two", b"one"))
    assert missing(error) == [Digest.of(b"one"), Digest.of(b"two")]
    assert registry.index.events[1:] == []
    assert registry.keys() == [registry.index.find_link(SHIPS, Digest.of(b"{}")).key]


def test_a_blob_of_another_repository_is_missing(registry: Registry) -> None:
    for data in (b"{}", LAYER):
        registry.upload(data, CARGO)
    with pytest.raises(RegistryError) as error:
        registry.push(image_of(LAYER))
    assert missing(error) == [Digest.of(b"{}"), Digest.of(LAYER)]


def test_a_push_adopts_whole_objects_and_names_their_uploader(registry: Registry) -> None:
    for data in (b"{}", LAYER):
        registry.send_whole(data)
    registry.push(image_of(LAYER))
    assert [str(event.operation) for event in registry.index.events] == ["upload", "upload", "push"]


def test_a_blob_referenced_several_times_has_one_use(registry: Registry) -> None:
    registry.upload(LAYER)
    body = dump(image(of(LAYER, CONFIG), [of(LAYER)] * 3))
    pushed = registry.push(body)
    assert uses(registry, Digest.of(LAYER)) == [pushed.digest]


def test_a_descriptor_with_a_wrong_size_is_refused(registry: Registry) -> None:
    for data in (b"{}", LAYER):
        registry.upload(data)
    lying = dump(image(of(b"{}", CONFIG), [of(LAYER, size=6)]))
    with pytest.raises(RegistryError) as error:
        registry.push(lying)
    assert error.value.entries[0].code is ErrorCode.MANIFEST_INVALID
    assert "says 6 bytes, but it has 5" in str(error.value)


def test_a_child_of_an_index_is_a_manifest_or_a_blob(registry: Registry) -> None:
    child, pushed = registry.push_image(LAYER)
    registry.upload(b"cache")
    index = registry.push(index_of(child, b"cache"), Tag("index"))
    assert uses(registry, pushed.digest) == uses(registry, Digest.of(b"cache")) == [index.digest]


def test_a_layer_of_an_image_is_never_a_manifest(registry: Registry) -> None:
    child, _ = registry.push_image(LAYER)
    with pytest.raises(RegistryError) as error:
        registry.push(image_of(child))
    assert missing(error) == [Digest.of(child)]


def test_index_children_none_accepts_missing_children_but_no_wrong_sizes() -> None:
    registry = Registry(index_children=IndexChildren.NONE)
    child, _ = registry.push_image(LAYER)
    registry.push(index_of(b"absent", child))
    lying = dump(index([of(child, OCI_MANIFEST, size=1)]))
    with pytest.raises(RegistryError) as error:
        registry.push(lying)
    assert error.value.entries[0].code is ErrorCode.MANIFEST_INVALID
    with pytest.raises(RegistryError) as error:
        registry.push(image_of(b"absent"))
    assert missing(error) == [Digest.of(b"absent")]


def test_an_absent_subject_is_accepted_and_returned(registry: Registry) -> None:
    absent = of(b"absent", OCI_MANIFEST)
    _, pushed = registry.push_image(LAYER, subject=absent)
    assert pushed.subject == Digest.of(b"absent")
    assert uses(registry, Digest.of(b"absent")) == []


# What is written


@pytest.mark.parametrize("filler", [0, MAX_INLINE_MANIFEST + 1])
def test_a_manifests_object_has_its_exact_bytes_and_its_pusher(registry: Registry, filler: int) -> None:
    body, pushed = registry.push_image(LAYER, filler="x" * filler)
    entry, data = registry.manifests.get(SHIPS, LATEST)
    assert data == body == registry.objects.get(entry.key)
    assert (entry.data is None) == (len(body) > MAX_INLINE_MANIFEST)
    info = registry.objects.find(entry.key)
    assert info.digests == {pushed.digest}
    assert (info.metadata["repository"], info.metadata["tags"]) == (SHIPS, "latest")


def test_the_most_tags_of_a_push_fit_into_the_objects_metadata(registry: Registry) -> None:
    tags = [Tag(f"{number:02}" + "x" * 126) for number in range(MAX_TAGS_PER_COMMIT)]
    registry.upload(b"{}")
    body = image_of()
    pushed = registry.push(body, Digest.of(body), *tags)
    assert pushed.tags == tuple(tags)
    text = registry.objects.find(registry.manifests.get(SHIPS, tags[-1])[0].key).metadata["tags"]
    assert text.split(",") == tags[: len(text.split(","))]


def test_more_tags_than_a_commit_takes_are_414_and_the_same_tag_twice_is_one(registry: Registry) -> None:
    registry.upload(b"{}")
    tags = [Tag(str(number)) for number in range(MAX_TAGS_PER_COMMIT)]
    with pytest.raises(RegistryError) as error:
        registry.push(image_of(), LATEST, *tags)
    assert (error.value.entries[0].code, error.value.status) == (ErrorCode.TAG_INVALID, 414)
    assert registry.push(image_of(), Digest.of(image_of()), *tags, *tags).tags == tuple(tags)


def test_a_url_digest_that_does_not_match_the_body_is_refused(registry: Registry) -> None:
    registry.upload(b"{}")
    with pytest.raises(RegistryError) as error:
        registry.push(image_of(), Digest.of(b"other"))
    assert (error.value.entries[0].code, error.value.status) == (ErrorCode.DIGEST_INVALID, 400)
    assert registry.push(image_of(), Digest.of(image_of(), "sha512")).digest.algorithm == "sha512"


def test_pushing_again_moves_tags_and_writes_no_object(registry: Registry) -> None:
    body, pushed = registry.push_image(LAYER)
    keys = registry.keys()
    registry.push(body, Tag("again"))
    assert registry.keys() == keys
    assert registry.index.find_tags_of(SHIPS, pushed.digest) == ("again", LATEST)
    assert [str(event.operation) for event in registry.index.events][-2:] == ["push", "tag"]
    assert uses(registry, Digest.of(LAYER)) == [pushed.digest]


# Beside others


def test_a_blob_deleted_before_its_use_is_written_is_missing(bent: Registry) -> None:
    for data in (b"{}", LAYER):
        bent.upload(data)
    bent.index.beside["uses"] = lambda: bent.blobs.delete(SHIPS, Digest.of(LAYER), ADA)
    with pytest.raises(RegistryError) as error:
        bent.push(image_of(LAYER))
    assert missing(error) == [Digest.of(LAYER)]
    assert uses(bent, Digest.of(b"{}")) == []
    bent.blobs.delete(SHIPS, Digest.of(b"{}"), ADA)


def test_a_blob_with_a_written_use_cannot_be_deleted(bent: Registry) -> None:
    for data in (b"{}", LAYER):
        bent.upload(data)
    refused: list[RegistryError] = []

    def delete() -> None:
        with pytest.raises(RegistryError) as error:
            bent.blobs.delete(SHIPS, Digest.of(LAYER), ADA)
        refused.append(error.value)

    bent.index.beside["noted"] = delete
    bent.push(image_of(LAYER))
    assert [error.status for error in refused] == [405]
    assert bent.index.find_link(SHIPS, Digest.of(LAYER)).marked is None


@pytest.mark.parametrize("when", ["standing", "uses", "noted"])
def test_a_push_cancels_pending_removals_whenever_they_began(bent: Registry, when: str) -> None:
    child, pushed = bent.push_image(LAYER)
    bent.upload(b"cache")

    def mark() -> None:
        bent.index.mark_link(SHIPS, Digest.of(b"cache"), "one")
        bent.index.mark_manifest(SHIPS, pushed.digest, "two")

    bent.index.beside[when] = mark
    bent.push(index_of(child, b"cache"), Tag("index"))
    assert bent.index.find_link(SHIPS, Digest.of(b"cache")).marked is None
    assert bent.index.find_manifest(SHIPS, pushed.digest).marked is None


def test_concurrent_pushes_of_a_manifest_leave_the_uses_of_one(bent: Registry) -> None:
    for data in (b"{}", LAYER):
        bent.upload(data)
    body = image_of(LAYER)
    bent.index.beside["commit"] = lambda: bent.push(body, Tag("faster"))
    pushed = bent.push(body)
    assert bent.index.find_tags_of(SHIPS, pushed.digest) == ("faster", LATEST)
    assert uses(bent, Digest.of(LAYER)) == [pushed.digest]
    (use,) = bent.index.find_uses(SHIPS, Digest.of(LAYER))
    assert use.generation == bent.index.find_manifest(SHIPS, pushed.digest).generation


def test_a_tag_moved_by_another_push_is_moved_by_a_retry(bent: Registry) -> None:
    other, _ = bent.push_image(b"other")
    bent.upload(LAYER)
    bent.index.beside["commit"] = lambda: bent.push(other, LATEST)
    pushed = bent.push(image_of(LAYER))
    assert bent.index.find_tag(SHIPS, LATEST).digest == pushed.digest


def test_a_manifest_deleted_during_a_tag_push_is_committed_again(bent: Registry) -> None:
    body, pushed = bent.push_image(LAYER)
    bent.index.beside["commit"] = lambda: bent.manifests.delete(SHIPS, pushed.digest, ADA)
    assert bent.push(body, Tag("again")) == bent.push(body, Tag("again"))
    assert bent.index.find_tags_of(SHIPS, pushed.digest) == ("again",)
    assert uses(bent, Digest.of(LAYER)) == [pushed.digest]


def test_a_push_that_loses_every_race_removes_its_uses() -> None:
    class Losing(MemoryIndex):
        def commit(self, commit: Commit) -> None:
            raise Conflict("again")

    registry = Registry(index=Losing())
    with pytest.raises(Throttled):
        registry.push_image(LAYER)
    assert uses(registry, Digest.of(LAYER)) == []


@pytest.mark.parametrize("raised", [RuntimeError("the answer was lost"), Conflict("the answer was lost")])
def test_uses_are_kept_if_the_commit_may_have_succeeded(bent: Registry, raised: Exception) -> None:
    def lose() -> None:
        raise raised

    bent.index.beside["committed"] = lose
    if isinstance(raised, Conflict):
        bent.push_image(LAYER)
    else:
        with pytest.raises(RuntimeError):
            bent.push_image(LAYER)
    digest = bent.index.find_tag(SHIPS, LATEST).digest
    (use,) = bent.index.find_uses(SHIPS, Digest.of(LAYER))
    assert use.generation == bent.index.find_manifest(SHIPS, digest).generation


def test_an_actors_name_may_have_any_letters(registry: Registry) -> None:
    registry.upload(b"{}")
    registry.pushes.push(SHIPS, LATEST, image_of(), content_type=None, actor=Actor("Zoë 船"))
    assert registry.index.events[-1].actor.name == "Zoë 船"
