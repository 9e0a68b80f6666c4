"""The writer: bytes into parts, with a bounded amount of memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from roadstead.content.objects import MIN_PART, MultipartGone
from roadstead.content.uploads import writer as upload_writer
from roadstead.content.uploads.sessions import UploadSession
from roadstead.content.uploads.writer import MAX_TAIL, UploadWriter
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from tests.memory.objects import MemoryObjects
from tests.unit.content.parts import SHIPS

NEW = UploadSession("ab" * 16, SHIPS, 1, hashes={"sha256": b"", "sha512": b""})
MB = 1024 * 1024


def writer(
    session: UploadSession = NEW, objects: MemoryObjects | None = None, *, part_bytes: int = MIN_PART
) -> UploadWriter:
    return UploadWriter(session, objects or MemoryObjects(), metadata={}, part_bytes=part_bytes, max_bytes=1 << 40)


def test_bytes_below_the_tail_stay_in_the_session() -> None:
    one = writer()
    one.write(b"x" * MAX_TAIL)
    session, parts = one.pause()
    assert (session.tail, session.offset, session.chunks, session.multipart_id, parts) == (
        b"x" * MAX_TAIL,
        MAX_TAIL,
        (),
        None,
        (),
    )


def test_bytes_above_the_tail_are_parked_in_an_object() -> None:
    objects = MemoryObjects()
    one = writer(objects=objects)
    one.write(b"x" * (MAX_TAIL + 1))
    session, _ = one.pause()
    assert session.tail == b""
    assert [chunk.size for chunk in session.chunks] == [MAX_TAIL + 1]
    assert objects.get(session.chunks[0].key) == b"x" * (MAX_TAIL + 1)


def test_chunks_become_a_part_once_there_are_enough_bytes() -> None:
    objects = MemoryObjects()
    session, sizes = NEW, list[int]()
    for _ in range(11):
        one = writer(session, objects)
        one.write(b"x" * (MB // 2))
        session, parts = one.pause()
        sizes += [part.size for part in parts]
        one.saved(session)
    assert sizes == [MIN_PART]
    assert session.parts == 1
    assert [chunk.size for chunk in session.chunks] == [MB // 2]
    assert len(objects.list("")) == 1  # the chunks that went into the part are gone


def test_parked_chunks_are_kept_until_their_part_is_saved() -> None:
    objects = MemoryObjects()
    one = writer(objects=objects)
    one.write(b"x" * MB)
    session, _ = one.pause()
    two = writer(session, objects)
    two.write(b"y" * MIN_PART)
    two.pause()
    assert two.spent == [session.chunks[0].key]
    assert objects.get(session.chunks[0].key) is not None


@pytest.mark.parametrize("part_bytes", [MIN_PART, MIN_PART + 1, 3 * MIN_PART])
def test_only_the_last_part_is_smaller_than_5_mib(part_bytes: int) -> None:
    session, sizes = NEW, list[int]()
    objects = MemoryObjects()
    for length in (1, MIN_PART, 3 * MB, 7, 9 * MB, MAX_TAIL + 1, MIN_PART - 1):
        one = writer(session, objects, part_bytes=part_bytes)
        one.write(b"x" * length)
        session, parts = one.pause()
        sizes += [part.size for part in parts]
    assert min(sizes) >= MIN_PART
    assert sum(sizes) + sum(chunk.size for chunk in session.chunks) + len(session.tail) == session.offset


def test_a_removed_chunk_is_multipart_gone() -> None:
    objects = MemoryObjects()
    one = writer(objects=objects)
    one.write(b"x" * MB)
    session, _ = one.pause()
    objects.delete([session.chunks[0].key])
    with pytest.raises(MultipartGone):
        writer(session, objects).gather()


def test_a_chunk_of_another_length_is_multipart_gone() -> None:
    objects = MemoryObjects()
    one = writer(objects=objects)
    one.write(b"x" * MB)
    session, _ = one.pause()
    objects.put(session.chunks[0].key, b"y", metadata={})
    with pytest.raises(MultipartGone):
        writer(session, objects).gather()


def test_part_10000_is_accepted_and_the_next_denied() -> None:
    objects = MemoryObjects()
    key = "blobs/uploads/x/parts-1"
    session = replace(NEW, parts=9_999, key=key, multipart_id=objects.begin(key, metadata={}))
    one = writer(session, objects)
    one.write(b"x" * MIN_PART)
    with pytest.raises(RegistryError) as error:
        one.write(b"x" * MIN_PART)
    assert error.value.status == 413


def test_the_digest_covers_all_bytes_and_is_none_for_another_algorithm() -> None:
    one = writer(replace(NEW, hashes={"sha512": b""}))
    one.write(b"forty ")
    session, _ = one.pause()
    two = writer(session)
    two.write(b"barrels")
    assert two.digest("sha512") == Digest.of(b"forty barrels", "sha512")
    assert two.digest("sha256") is None


def test_parts_sent_in_parallel_are_listed_in_order() -> None:
    objects = MemoryObjects()
    with ThreadPoolExecutor(3) as executor:
        one = UploadWriter(NEW, objects, metadata={}, max_bytes=1 << 40, executor=executor, parallel=3)
        for number in range(5):
            one.write(bytes([number]) * MIN_PART)
        session, parts = one.finish()
    assert [part.number for part in parts] == [1, 2, 3, 4, 5]
    assert session.key is not None and session.multipart_id is not None
    objects.complete(session.key, session.multipart_id, parts)
    assert objects.get(session.key) == b"".join(bytes([number]) * MIN_PART for number in range(5))


def test_discarding_aborts_only_its_own_multipart_upload() -> None:
    objects = MemoryObjects()
    one = writer(objects=objects)
    one.write(b"x" * MIN_PART)
    session, _ = one.pause()
    one.saved(session)
    two = writer(session, objects)
    two.write(b"x" * MIN_PART)
    two.discard()
    assert objects.unfinished() == 1
    three = writer(objects=objects)
    three.write(b"x" * MIN_PART)
    three.discard()
    assert objects.unfinished() == 1


def test_a_session_with_the_most_chunks_fits_into_an_item() -> None:
    """400 KB: the tail, and an entry of less than 200 bytes for each chunk that can wait for a part."""
    assert upload_writer.MAX_TAIL + 200 * (MIN_PART // upload_writer.MAX_TAIL + 1) < 100_000
