"""Chunked uploads: however bytes are cut, whatever goes wrong between, the blob is those bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadstead.content.uploads import writer as upload_writer
from roadstead.content.uploads.uploads import BodyInterrupted, UploadLimits
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from tests.memory import objects as memory_objects
from tests.memory.index import MemoryIndex
from tests.memory.objects import MemoryObjects
from tests.unit.content.parts import ADA, SHIPS, Registry

TAIL, LEAST = 7, 20  # bytes, instead of 64 KiB and 5 MiB: every path is a few bytes long


class Crash(Exception):
    """The process dies."""


class Fragile(MemoryIndex):
    """An index whose process can die just before or just after a session is saved."""

    crash: str = ""

    def save(self, *arguments: Any, **named: Any) -> Any:
        crash, self.crash = self.crash, ""
        if crash == "before":
            raise Crash
        saved = super().save(*arguments, **named)
        if crash == "after":
            raise Crash
        return saved


@dataclass(frozen=True)
class Step:
    """One request of a client that sends bytes; `trouble` is what happens to it."""

    size: int
    trouble: str


steps = st.lists(
    st.builds(
        Step,
        st.integers(0, 60),
        st.sampled_from(["", "", "", "repeated", "skipped", "interrupted", "crash before", "crash after", "no range"]),
    ),
    max_size=8,
)


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload_writer, "MAX_TAIL", TAIL)
        patch.setattr(upload_writer, "MIN_PART", LEAST)
        patch.setattr(memory_objects, "MIN_PART", LEAST)
        yield


def registry(part_bytes: int, checkpoint: int | None) -> Registry:
    limits = UploadLimits(part_bytes=part_bytes, checkpoint_bytes=checkpoint)
    return Registry(limits=limits, index=Fragile(), objects=MemoryObjects())


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[start : start + size] for start in range(0, len(data), size))


def broken(data: bytes) -> Iterator[bytes]:
    yield data[: len(data) // 2]
    raise BodyInterrupted


@settings(max_examples=300)
@given(
    steps=steps,
    last=st.integers(0, 60),
    part_bytes=st.integers(LEAST, 3 * LEAST),
    checkpoint=st.none() | st.integers(1, 50),
    network=st.integers(1, 30),
    algorithm=st.sampled_from(["sha256", "sha512"]),
    data=st.binary(min_size=540, max_size=540),
)
def test_chunks_of_any_size_with_any_fault_make_the_blob(
    steps: list[Step], last: int, part_bytes: int, checkpoint: int | None, network: int, algorithm: str, data: bytes
) -> None:
    one = registry(part_bytes, checkpoint)
    token = one.start()
    for step in steps:
        offset = one.uploads.offset(token)
        chunk = data[offset : offset + step.size]
        match step.trouble:
            case "repeated" | "skipped":
                wrong = offset + (1 if step.trouble == "skipped" else -1)
                with pytest.raises(RegistryError) as error:
                    one.append(token, chunk, wrong)
                assert error.value.status == 416
                assert one.uploads.offset(token) == offset
            case "interrupted":
                with pytest.raises(BodyInterrupted):
                    one.uploads.append(token, broken(chunk), actor=ADA)
                assert one.uploads.offset(token) == offset + len(chunk) // 2
            case "crash before" | "crash after":
                one.index.crash = step.trouble.removeprefix("crash ")
                with pytest.raises(Crash):
                    one.uploads.append(token, pieces(chunk, network), actor=ADA, start=offset)
                assert offset <= one.uploads.offset(token) <= offset + len(chunk)
            case _:
                start = None if step.trouble == "no range" else offset
                assert one.uploads.append(token, pieces(chunk, network), actor=ADA, start=start) == offset + len(chunk)
    offset = one.uploads.offset(token)
    whole, tail = data[: offset + last], data[offset : offset + last]
    link = one.uploads.close(token, Digest.of(whole, algorithm), pieces(tail, network), actor=ADA, start=offset)
    assert (link.size, one.objects.get(link.key)) == (len(whole), whole)
    assert one.index.find_link(SHIPS, link.digest) == link
    assert one.close(token, link.digest) == link


@settings(max_examples=150)
@given(
    cuts=st.lists(st.integers(0, 50), max_size=7),
    part_bytes=st.integers(LEAST, 3 * LEAST),
    data=st.binary(min_size=350, max_size=350),
)
def test_an_upload_without_faults_leaves_only_its_blob(cuts: list[int], part_bytes: int, data: bytes) -> None:
    one = registry(part_bytes, None)
    token, offset = one.start(), 0
    for cut in cuts:
        offset = one.append(token, data[offset : offset + cut], offset)
    link = one.close(token, Digest.of(data[:offset]))
    assert one.keys() == [link.key]
    assert one.objects.unfinished() == 0


@settings(max_examples=150)
@given(
    cuts=st.lists(st.integers(0, 50), max_size=7),
    crash=st.sampled_from(["before", "after"]),
    last=st.integers(0, 50),
    data=st.binary(min_size=400, max_size=400),
)
def test_a_closing_that_crashes_at_its_save_is_completed_by_the_next(
    cuts: list[int], crash: str, last: int, data: bytes
) -> None:
    one = registry(LEAST, None)
    token, offset = one.start(), 0
    for cut in cuts:
        offset = one.append(token, data[offset : offset + cut], offset)
    digest, tail = Digest.of(data[: offset + last]), data[offset : offset + last]
    one.index.crash = crash
    try:
        link = one.close(token, digest, tail)
    except Crash:
        link = one.close(token, digest, tail)
    assert one.objects.get(link.key) == data[: offset + last]


@settings(max_examples=100)
@given(cuts=st.lists(st.integers(0, 50), max_size=7), data=st.binary(min_size=350, max_size=350))
def test_a_cancelled_upload_leaves_nothing(cuts: list[int], data: bytes) -> None:
    one = registry(LEAST, None)
    token, offset = one.start(), 0
    for cut in cuts:
        offset = one.append(token, data[offset : offset + cut])
    one.uploads.cancel(token)
    assert one.keys() == []
    assert one.objects.unfinished() == 0
