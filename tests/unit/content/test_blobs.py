"""Finding, mounting and deleting blobs."""

from __future__ import annotations

import pytest

from roadstead.conflicts import Throttled
from roadstead.content.blob_index import BlobLink
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName
from tests.memory.index import MemoryIndex
from tests.unit.content.parts import ADA, CARGO, NOBODY, SHIPS, Registry

DATA = b"forty barrels"
DIGEST = Digest.of(DATA)


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_an_unknown_blob_is_404(registry: Registry) -> None:
    for attempt in (registry.blobs.get, registry.blobs.delete):
        with pytest.raises(RegistryError) as error:
            attempt(SHIPS, DIGEST, ADA)
        assert (error.value.entries[0].code, error.value.status) == (ErrorCode.BLOB_UNKNOWN, 404)


def test_a_get_adopts_a_finished_upload(registry: Registry) -> None:
    registry.send_whole(DATA)
    with pytest.raises(RegistryError):
        registry.blobs.get(SHIPS, DIGEST, NOBODY)
    assert registry.blobs.get(SHIPS, DIGEST, ADA).size == len(DATA)
    assert registry.blobs.get(SHIPS, DIGEST, NOBODY).size == len(DATA)


def test_a_promise_cancels_a_pending_removal_and_a_read_does_not(registry: Registry) -> None:
    registry.upload(DATA)
    registry.index.mark_link(SHIPS, DIGEST, "mark")
    registry.blobs.get(SHIPS, DIGEST, ADA)
    assert registry.index.find_link(SHIPS, DIGEST).marked == "mark"
    registry.blobs.get(SHIPS, DIGEST, ADA, promise=True)
    assert registry.index.find_link(SHIPS, DIGEST).marked is None


def test_a_promise_of_a_blob_that_is_removed_meanwhile_is_404() -> None:
    class Vanishing(MemoryIndex):
        def unmark_link(self, repository: RepositoryName, digest: Digest, mark: str | None = None) -> bool:
            self._of(repository).links.pop(digest)  # the deletion that had marked it is faster
            return False

    registry = Registry(index=Vanishing())
    registry.upload(DATA)
    registry.index.mark_link(SHIPS, DIGEST, "mark")
    with pytest.raises(RegistryError):
        registry.blobs.get(SHIPS, DIGEST, ADA, promise=True)


def test_a_mount_links_the_sources_blob_and_adopts_its_uploads(registry: Registry) -> None:
    assert registry.blobs.mount(SHIPS, CARGO, DIGEST, ADA) is None
    registry.send_whole(DATA)
    link = registry.blobs.mount(SHIPS, CARGO, DIGEST, ADA)
    assert link is not None and registry.index.find_link(CARGO, DIGEST) == link
    assert registry.index.events[-1].source_repository == SHIPS


def test_a_deleted_blob_is_404_here_and_stays_in_other_repositories(registry: Registry) -> None:
    registry.upload(DATA)
    registry.blobs.mount(SHIPS, CARGO, DIGEST, ADA)
    registry.blobs.delete(SHIPS, DIGEST, ADA)
    with pytest.raises(RegistryError):
        registry.blobs.get(SHIPS, DIGEST, ADA)
    assert registry.blobs.get(CARGO, DIGEST, ADA)
    assert [str(event.operation) for event in registry.index.events] == ["upload", "mount", "delete-blob"]


def test_deleting_a_needed_blob_is_denied_and_names_the_manifest(registry: Registry) -> None:
    _, pushed = registry.push_image(DATA)
    for digest in (DIGEST, Digest.of(b"{}")):
        with pytest.raises(RegistryError) as error:
            registry.blobs.delete(SHIPS, digest, ADA)
        assert (error.value.entries[0].code, error.value.status) == (ErrorCode.DENIED, 405)
        assert error.value.entries[0].detail == {"digest": digest, "manifest": pushed.digest}
        assert dict(error.value.headers)["Allow"] == "GET, HEAD"
        assert registry.index.find_link(SHIPS, digest).marked is None


def test_pushing_a_deleted_digest_again_succeeds(registry: Registry) -> None:
    for _ in range(3):
        registry.upload(DATA)
        registry.blobs.delete(SHIPS, DIGEST, ADA)
    assert registry.upload(DATA) == registry.blobs.get(SHIPS, DIGEST, ADA)


def test_a_deletion_beside_endless_promises_gives_up_with_throttled() -> None:
    class Promising(MemoryIndex):
        def unlink(self, repository: object, digest: Digest, **named: object) -> None:
            self.unmark_link(SHIPS, digest)
            super().unlink(SHIPS, digest, **named)  # type: ignore[arg-type]

    registry = Registry(index=Promising())
    registry.upload(DATA)
    with pytest.raises(Throttled):
        registry.blobs.delete(SHIPS, DIGEST, ADA)
    found: BlobLink = registry.index.find_link(SHIPS, DIGEST)
    assert found.marked is None
