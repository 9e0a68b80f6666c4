"""Digests, and hashes that go on in another process."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.content.uploads.hashing import RunningHash
from roadstead.digest import ALGORITHMS, Digest

algorithms = st.sampled_from(ALGORITHMS)
digests = st.from_regex(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", fullmatch=True)


@given(st.binary(), algorithms)
def test_the_digest_of_bytes_is_well_formed_and_matches_them_alone(data: bytes, algorithm: str) -> None:
    digest = Digest.of(data, algorithm)
    assert Digest.parse(digest) == digest == f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
    assert (digest.algorithm, f"{digest.algorithm}:{digest.hex}") == (algorithm, digest)
    assert digest.matches(data)
    assert not digest.matches(data + b"\0")


@given(digests)
def test_every_digest_of_the_grammar_is_itself(text: str) -> None:
    digest = Digest.parse(text)
    assert digest == text
    assert len(bytes.fromhex(digest.hex)) * 2 == len(digest.hex)


@given(
    st.one_of(
        st.builds(
            lambda text, place, character: text[: place % len(text)] + character + text[place % len(text) + 1 :],
            digests,
            st.integers(0),
            st.sampled_from(list("AFGg:/ \n.é")),
        ),
        st.builds(lambda text, cut: text[:-cut], digests, st.integers(1, 64)),
        st.builds(lambda text, more: text + more, digests, st.sampled_from(["a", "\n", "=", " "])),
        st.text(),
    )
)
def test_any_other_text_is_refused_with_a_message(text: str) -> None:
    if re.fullmatch(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", text) is None:
        with pytest.raises(ValueError, match="is not a digest"):
            Digest.parse(text)


@given(st.lists(st.binary(max_size=300), max_size=12), algorithms)
def test_a_hash_resumes_from_its_state_after_any_piece(pieces: list[bytes], algorithm: str) -> None:
    running = RunningHash(algorithm)
    for piece in pieces:
        running.update(piece)
        running = RunningHash(algorithm, running.state())
    assert running.digest() == Digest.of(b"".join(pieces), algorithm)


@given(st.binary(max_size=500), st.binary(max_size=500), algorithms)
def test_asking_for_the_digest_does_not_end_the_hash(first: bytes, second: bytes, algorithm: str) -> None:
    running = RunningHash(algorithm)
    running.update(first)
    state = running.state()
    assert running.digest() == running.digest() == Digest.of(first, algorithm)
    assert running.state() == state
    running.update(second)
    assert running.digest() == Digest.of(first + second, algorithm)
