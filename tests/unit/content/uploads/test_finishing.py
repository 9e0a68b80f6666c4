"""What the relay has finished, the registry links when it is asked for; and nothing that a marker only claims."""

from __future__ import annotations

import pytest

from roadstead.content.objects import MIN_PART, is_whole_key, streamed_key, whole_key
from roadstead.content.uploads.finishing import STREAMED, HandingOver
from roadstead.content.uploads.provenance import object_metadata
from roadstead.content.uploads.sessions import UploadState
from roadstead.content.uploads.uploads import Uploads
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.trail.entries import Operation
from tests.unit.content.parts import ADA, BOB, CARGO, SHIPS, Registry

SMALL, LARGE = b"forty barrels", b"y" * (MIN_PART + 1)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def relay(registry: Registry) -> Uploads:
    """On the same stores."""
    return Uploads(
        sessions=registry.index,
        objects=registry.objects,
        finish=HandingOver(registry.index, registry.objects),
        limits=registry.limits,
        clock=registry.clock,
    )


@pytest.mark.parametrize("data", [SMALL, LARGE])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_the_relay_finished_is_linked_on_first_request(
    registry: Registry, relay: Uploads, data: bytes, chunked: bool
) -> None:
    token, digest = registry.start(), Digest.of(data)
    if chunked:
        relay.append(token, (data,), actor=ADA)
    relay.close(token, digest, () if chunked else (data,), actor=ADA)
    assert registry.index.find_link(SHIPS, digest) is None
    assert registry.index.events == []

    link = registry.blobs.get(SHIPS, digest, BOB)
    assert (link.size, registry.objects.get(link.key)) == (len(data), data)
    assert is_whole_key(link.key) == (data is SMALL)
    (event,) = registry.index.events
    assert (event.operation, event.actor.name, event.size) == (Operation.UPLOAD, "ada", len(data))
    relay.close(token, digest, actor=ADA)  # again, as after a lost response
    assert len(registry.index.events) == 1


def test_a_finished_upload_refuses_chunks_and_cancellation(registry: Registry, relay: Uploads) -> None:
    token = registry.start()
    relay.append(token, (SMALL,), actor=ADA)
    relay.close(token, Digest.of(SMALL), actor=ADA)
    found = registry.index.find(token.upload_id)
    assert found is not None and found.state is UploadState.FINISHED
    for refused in (
        lambda: relay.append(token, (b"x",), actor=ADA),
        lambda: relay.cancel(token),
        lambda: relay.close(token, Digest.of(b"other"), actor=ADA),
    ):
        with pytest.raises(RegistryError):
            refused()
    assert registry.blobs.get(SHIPS, Digest.of(SMALL), BOB).size == len(SMALL)


@pytest.mark.parametrize("data", [SMALL, LARGE])
def test_the_registry_closes_an_upload_that_the_relay_finished(registry: Registry, relay: Uploads, data: bytes) -> None:
    """As where a relay was switched off between a PUT and its repetition."""
    token = registry.start()
    relay.append(token, (data,), actor=ADA)
    relay.close(token, Digest.of(data), actor=ADA)
    link = registry.uploads.close(token, Digest.of(data), actor=ADA)
    assert registry.index.find_link(SHIPS, link.digest) == link
    assert (link.data is not None) == (data is SMALL)


def test_a_deleted_blob_does_not_return_through_its_marker(registry: Registry, relay: Uploads) -> None:
    digest = Digest.of(LARGE)
    for _ in range(2):
        relay.close(registry.start(), digest, (LARGE,), actor=ADA)
    registry.blobs.delete(SHIPS, digest, BOB)
    with pytest.raises(RegistryError):
        registry.blobs.get(SHIPS, digest, BOB)


@pytest.mark.parametrize(
    "names", [streamed_key("f" * 32, "parts-1"), "manifests/ships/galleon/x", "blobs/uploads/", streamed_key("", "")]
)
def test_a_marker_that_names_another_uploads_object_is_ignored(registry: Registry, names: str) -> None:
    token, digest = registry.start(CARGO), Digest.of(LARGE)
    registry.objects.put(names, LARGE, metadata={})
    metadata = {**object_metadata(CARGO, ADA), STREAMED: names}
    registry.objects.put(whole_key(CARGO, digest, token.upload_id), b"", metadata=metadata)
    with pytest.raises(RegistryError):
        registry.blobs.get(CARGO, digest, BOB)


def test_a_marker_whose_object_is_gone_is_not_adopted(registry: Registry) -> None:
    token, digest = registry.start(), Digest.of(LARGE)
    metadata = {**object_metadata(SHIPS, ADA), STREAMED: streamed_key(token.upload_id, "parts-1")}
    registry.objects.put(whole_key(SHIPS, digest, token.upload_id), b"", metadata=metadata)
    with pytest.raises(RegistryError):
        registry.blobs.get(SHIPS, digest, BOB)
