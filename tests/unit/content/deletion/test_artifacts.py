"""Deleting whole artifacts beside pushes, and after a death between any two calls."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead.content.deletion.artifacts import Deletion
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.names import Tag
from tests.manifests import CONFIG, dump, image, image_of, index, of
from tests.memory.index import MemoryIndex
from tests.unit.content.parts import ADA, SHIPS, Registry


class Killed(Exception):
    pass


class Interrupted(MemoryIndex):
    """Calls `before` ahead of every change of a manifest or tag, with the number of it."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Any = lambda _: None
        self.count = 0

    def _change(self) -> None:
        self.count += 1
        self.before(self.count)

    def mark_manifest(self, *args: Any, **kwargs: Any) -> Any:
        self._change()
        return super().mark_manifest(*args, **kwargs)

    def delete_manifest(self, *args: Any, **kwargs: Any) -> None:
        self._change()
        super().delete_manifest(*args, **kwargs)

    def remove_uses(self, *args: Any, **kwargs: Any) -> None:
        self._change()
        super().remove_uses(*args, **kwargs)


def registry() -> tuple[Registry, Deletion, Digest, bytes]:
    """An index of one image, signed."""
    made = Registry(index=Interrupted())
    for data in (b"{}", b"layer", b"signature"):
        made.upload(data)
    child = image_of(b"layer")
    made.push(child, Digest.of(child))
    body = dump(index([of(child, OCI_MANIFEST)]))
    made.push(body, Tag("latest"))
    signature = dump(image(of(b"{}", CONFIG), [of(b"signature")], artifactType="x/sig", subject=of(body, OCI_MANIFEST)))
    made.push(signature, Digest.of(signature))
    return made, Deletion(made.manifests, made.index, made.objects), Digest.of(body), child


@pytest.mark.parametrize("at", range(1, 10))
def test_a_deletion_that_dies_can_be_repeated_and_leaves_no_accessory(at: int) -> None:
    made, deletion, whole, child = registry()

    def die(count: int) -> None:
        if count == at:
            raise Killed

    made.index.before = die
    try:
        deletion.delete(SHIPS, whole, ADA)
    except Killed:
        made.index.before = lambda _: None
        try:
            deletion.delete(SHIPS, whole, ADA)
        except RegistryError as error:
            assert error.status == 404
    left = set(made.index.repositories[SHIPS].manifests)
    assert left <= {Digest.of(child)}  # a child that is left is listed as an artifact without tags
    assert not made.index.repositories[SHIPS].tags


def test_a_child_that_is_tagged_while_its_index_is_deleted_stays() -> None:
    made, deletion, whole, child = registry()

    def tag(count: int) -> None:
        standing = made.index.find_manifest(SHIPS, whole)
        if standing is None and made.index.find_tag(SHIPS, Tag("kept")) is None:
            made.push(child, Tag("kept"))

    made.index.before = tag
    deletion.delete(SHIPS, whole, ADA)
    assert set(made.index.repositories[SHIPS].manifests) == {Digest.of(child)}
    assert made.index.find_tag(SHIPS, Tag("kept")) is not None


def test_a_child_that_another_index_begins_to_need_stays() -> None:
    made, deletion, whole, child = registry()
    other = dump(index([of(child, OCI_MANIFEST)], annotations={"a": "b"}))

    def push(count: int) -> None:
        if made.index.find_manifest(SHIPS, whole) is None and made.index.find_tag(SHIPS, Tag("other")) is None:
            made.push(other, Tag("other"))

    made.index.before = push
    deletion.delete(SHIPS, whole, ADA)
    assert set(made.index.repositories[SHIPS].manifests) == {Digest.of(child), Digest.of(other)}


def test_a_tag_of_another_artifact_is_not_removed() -> None:
    made, _, whole, child = registry()
    made.push(child, Tag("moved"))
    with pytest.raises(RegistryError) as caught:
        made.manifests.delete_tag_of(SHIPS, Tag("moved"), whole, ADA)
    assert caught.value.status == 404
    made.manifests.delete_tag_of(SHIPS, Tag("moved"), Digest.of(child), ADA)
    assert made.index.find_tag(SHIPS, Tag("moved")) is None


def test_only_what_nothing_needs_is_unneeded() -> None:
    made, _, whole, child = registry()
    assert not made.manifests.delete_unneeded(SHIPS, Digest.of(child), ADA)  # the index needs it
    assert not made.manifests.delete_unneeded(SHIPS, whole, ADA)  # it has a tag
    assert made.index.find_manifest(SHIPS, whole).marked is None
    made.manifests.delete_tag_of(SHIPS, Tag("latest"), whole, ADA)
    assert made.manifests.delete_unneeded(SHIPS, whole, ADA)
    assert made.manifests.delete_unneeded(SHIPS, whole, ADA)  # it is gone
