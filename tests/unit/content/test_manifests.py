"""Reading and deleting manifests and tags."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST, parse_manifest
from roadstead.content.manifest_index import MAX_INLINE_MANIFEST, MAX_TAGS_PER_REMOVAL, ManifestEntry
from roadstead.content.manifests import ManifestHead, needed_by
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import Reference, Tag
from tests.manifests import index_of
from tests.memory.index import MemoryIndex
from tests.unit.content.parts import ADA, CARGO, LATEST, SHIPS, Registry

LAYER = b"layer"


@pytest.fixture
def registry() -> Registry:
    return Registry()


class Bent(MemoryIndex):
    """An index that runs something else before a manifest is read or deleted, once."""

    def __init__(self) -> None:
        super().__init__()
        self.before_find: Callable[[], object] | None = None
        self.before_delete: Callable[[], object] | None = None

    def find_manifest(self, *arguments: object) -> ManifestEntry | None:
        other, self.before_find = self.before_find, None
        if other is not None:
            other()
        return super().find_manifest(*arguments)  # type: ignore[arg-type]

    def delete_manifest(self, *arguments: object, **named: object) -> None:
        other, self.before_delete = self.before_delete, None
        if other is not None:
            other()
        super().delete_manifest(*arguments, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize("reference", [LATEST, Digest.of(b"absent"), Digest.of(b"absent", "sha512")])
def test_an_absent_manifest_is_404_by_tag_and_digest(registry: Registry, reference: Reference) -> None:
    for attempt in (
        lambda: registry.manifests.get(SHIPS, reference),
        lambda: registry.manifests.head(SHIPS, reference),
        lambda: registry.manifests.delete(SHIPS, reference, ADA),
    ):
        with pytest.raises(RegistryError) as error:
            attempt()
        assert (error.value.entries[0].code, error.value.status) == (ErrorCode.MANIFEST_UNKNOWN, 404)


def test_head_by_tag_equals_head_by_digest(registry: Registry) -> None:
    body, pushed = registry.push_image(LAYER)
    head = ManifestHead(pushed.digest, OCI_MANIFEST, len(body))
    assert registry.manifests.head(SHIPS, LATEST) == registry.manifests.head(SHIPS, pushed.digest) == head


def test_a_manifest_pushed_by_sha512_keeps_its_sha512_digest(registry: Registry) -> None:
    body, pushed = registry.push_image(LAYER)
    by_512 = Digest.of(body, "sha512")
    registry.push(body, by_512, Tag("long"))
    assert registry.manifests.head(SHIPS, Tag("long")).digest == by_512
    assert registry.manifests.head(SHIPS, LATEST).digest == pushed.digest


def test_a_tag_that_moves_between_two_reads_is_read_again() -> None:
    registry = Registry(index=Bent())
    _, first = registry.push_image(b"first")
    registry.upload(b"second")

    def move() -> None:
        registry.push_image(b"second")
        registry.manifests.delete(SHIPS, first.digest, ADA)

    registry.index.before_find = move
    entry, _ = registry.manifests.get(SHIPS, LATEST)
    assert entry.digest == registry.index.find_tag(SHIPS, LATEST).digest != first.digest


def test_a_manifest_whose_object_is_gone_is_404(registry: Registry) -> None:
    _, pushed = registry.push_image(LAYER, filler="x" * MAX_INLINE_MANIFEST)
    registry.objects.delete([registry.index.find_manifest(SHIPS, pushed.digest).key])
    for reference in (pushed.digest, LATEST):
        with pytest.raises(RegistryError) as error:
            registry.manifests.get(SHIPS, reference)
        assert error.value.status == 404


def test_a_deleted_tag_leaves_the_manifest_and_its_other_tags(registry: Registry) -> None:
    body, _ = registry.push_image(LAYER)
    registry.push(body, Tag("other"))
    registry.manifests.delete(SHIPS, LATEST, ADA)
    with pytest.raises(RegistryError):
        registry.manifests.head(SHIPS, LATEST)
    assert registry.manifests.get(SHIPS, Tag("other"))[1] == body
    assert registry.index.events[-1].tags == (LATEST,)


@pytest.mark.parametrize("count", [1, MAX_TAGS_PER_REMOVAL, 2 * MAX_TAGS_PER_REMOVAL + 1])
def test_deleting_a_manifest_removes_its_tags_with_events(registry: Registry, count: int) -> None:
    body, pushed = registry.push_image(LAYER)
    tags = {LATEST} | {Tag(f"v{number}") for number in range(count - 1)}
    for tag in tags:
        registry.push(body, tag)
    told = len(registry.index.events)
    registry.manifests.delete(SHIPS, pushed.digest, ADA)
    assert registry.index.list_tags(SHIPS, after="", limit=999) == ()
    *untagged, deleted = registry.index.events[told:]
    assert {tag for event in untagged for tag in event.tags} == tags
    assert (str(deleted.operation), deleted.digest) == ("delete-manifest", pushed.digest)


def test_tags_removed_before_a_crash_have_events() -> None:
    registry = Registry(index=Bent())
    body, pushed = registry.push_image(LAYER)
    for number in range(MAX_TAGS_PER_REMOVAL):
        registry.push(body, Tag(f"v{number:02}"))

    def die() -> None:
        raise RuntimeError("the process dies")

    registry.index.before_delete = die
    with pytest.raises(RuntimeError):
        registry.manifests.delete(SHIPS, pushed.digest, ADA)
    assert registry.index.list_tags(SHIPS, after="", limit=9) == (Tag(f"v{MAX_TAGS_PER_REMOVAL - 1}"),)
    last = registry.index.events[-1]
    assert (str(last.operation), len(last.tags)) == ("untag", MAX_TAGS_PER_REMOVAL)
    registry.manifests.delete(SHIPS, pushed.digest, ADA)


@pytest.mark.parametrize("filler", [0, MAX_INLINE_MANIFEST])
def test_blobs_of_a_deleted_manifest_can_be_deleted_at_once(registry: Registry, filler: int) -> None:
    _, pushed = registry.push_image(LAYER, filler="x" * filler)
    registry.manifests.delete(SHIPS, pushed.digest, ADA)
    for data in (b"{}", LAYER):
        registry.blobs.delete(SHIPS, Digest.of(data), ADA)


def test_deleting_a_needed_child_is_denied_and_names_the_index(registry: Registry) -> None:
    child, pushed = registry.push_image(LAYER)
    index = registry.push(index_of(child), Tag("index"))
    with pytest.raises(RegistryError) as error:
        registry.manifests.delete(SHIPS, pushed.digest, ADA)
    assert (error.value.entries[0].code, error.value.status) == (ErrorCode.DENIED, 405)
    assert error.value.entries[0].detail == {"digest": pushed.digest, "manifest": index.digest}
    assert registry.manifests.get(SHIPS, LATEST)[0].marked is None
    registry.manifests.delete(SHIPS, index.digest, ADA)
    registry.manifests.delete(SHIPS, pushed.digest, ADA)


def test_a_manifest_that_is_tagged_while_it_is_deleted_is_deleted_with_that_tag() -> None:
    registry = Registry(index=Bent())
    body, pushed = registry.push_image(LAYER)
    registry.index.before_delete = lambda: registry.push(body, Tag("late"))
    registry.manifests.delete(SHIPS, pushed.digest, ADA)
    assert registry.index.list_tags(SHIPS, after="", limit=9) == ()
    assert registry.index.find_manifest(SHIPS, pushed.digest) is None


def test_the_same_manifest_of_another_repository_stays(registry: Registry) -> None:
    body, pushed = registry.push_image(LAYER)
    for data in (b"{}", LAYER):
        registry.upload(data, CARGO)
    registry.push(body, repository=CARGO)
    registry.manifests.delete(SHIPS, pushed.digest, ADA)
    assert registry.manifests.get(CARGO, LATEST)[1] == body


def test_needed_digests_are_listed_once_in_order() -> None:
    body = index_of(b"two", b"one", b"two")
    assert needed_by(parse_manifest(body, OCI_INDEX)) == [Digest.of(b"two"), Digest.of(b"one")]
