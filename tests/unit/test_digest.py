"""Digests of the two registered algorithms."""

from __future__ import annotations

import pytest

from roadstead.digest import Digest, parse_algorithm

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_digest_of_no_bytes_is_the_known_one() -> None:
    assert Digest.of(b"") == EMPTY == Digest.parse(EMPTY)
    assert Digest.of(b"", "sha512").startswith("sha512:cf83e1357eefb8bd")


def test_a_digest_is_a_string_with_two_parts() -> None:
    digest = Digest.parse(EMPTY)
    assert (digest.algorithm, digest.hex) == ("sha256", EMPTY[7:])
    assert {digest: 1}[Digest(EMPTY)] == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        EMPTY[:-1],
        EMPTY + "0",
        EMPTY + "\n",
        EMPTY.upper(),
        EMPTY.replace("sha256", "sha512"),
        EMPTY.replace("sha256", "SHA256"),
        EMPTY.replace("sha256:", "sha256="),
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256:" + "g" * 64,
    ],
)
def test_a_malformed_digest_is_refused_with_a_message(text: str) -> None:
    with pytest.raises(ValueError, match="is not a digest: expected") as error:
        Digest.parse(text)
    assert len(str(error.value)) < 400


def test_a_long_malformed_digest_is_cut_in_the_message() -> None:
    with pytest.raises(ValueError) as error:
        Digest.parse("x" * 100_000)
    assert len(str(error.value)) < 400


def test_a_digest_matches_its_bytes_only() -> None:
    assert Digest.of(b"a", "sha512").matches(b"a")
    assert not Digest.of(b"a").matches(b"b")


def test_only_sha256_and_sha512_are_algorithms() -> None:
    assert parse_algorithm("sha256") == "sha256"
    assert parse_algorithm("sha512") == "sha512"
    for text in ("", "SHA256", "sha384", "blake3", "x" * 1000):
        with pytest.raises(ValueError, match="is not a digest algorithm of this registry"):
            parse_algorithm(text)
