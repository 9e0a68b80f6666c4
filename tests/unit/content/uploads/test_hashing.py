"""Hashes that survive between requests."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from roadstead.content.uploads.hashing import RunningHash
from roadstead.digest import Digest

STATE_BYTES = {"sha256": 112, "sha512": 216}


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_hash_resumes_in_another_process(algorithm: str) -> None:
    data = bytes(range(256)) * 1000
    running = RunningHash(algorithm)
    running.update(data[:100_001])
    program = (
        "import sys; from roadstead.content.uploads.hashing import RunningHash\n"
        f"running = RunningHash({algorithm!r}, bytes.fromhex(sys.argv[1]))\n"
        "running.update(sys.stdin.buffer.read())\n"
        "print(running.digest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, running.state().hex()], input=data[100_001:], capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == Digest.of(data, algorithm)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000])
def test_a_hash_resumes_at_every_offset_of_a_block(algorithm: str, length: int) -> None:
    first = RunningHash(algorithm)
    first.update(b"x" * length)
    assert len(first.state()) == STATE_BYTES[algorithm]
    second = RunningHash(algorithm, first.state())
    second.update(b"y" * 77)
    assert second.digest().hex == hashlib.new(algorithm, b"x" * length + b"y" * 77).hexdigest()


def test_changing_a_hash_leaves_its_exported_state_unchanged() -> None:
    running = RunningHash("sha256")
    state = running.state()
    running.update(b"x")
    assert RunningHash("sha256", state).digest() == Digest.of(b"")


@pytest.mark.parametrize(("algorithm", "size"), [("sha256", 216), ("sha512", 112), ("sha256", 0), ("sha512", 217)])
def test_a_state_of_the_wrong_length_is_refused(algorithm: str, size: int) -> None:
    with pytest.raises(ValueError, match="state has"):
        RunningHash(algorithm, bytes(size))


def test_hashing_more_than_4_gigabytes_is_correct() -> None:
    """The length is in the state: bits as 64 bits, which a 32-bit count would overflow at 512 MiB."""
    running, block = RunningHash("sha256"), bytes(1 << 20)
    state = bytearray(running.state())
    # Nl and Nh follow the eight words of the hash: as if 2^32 bytes (2^35 bits) had been fed already.
    state[32:40] = (1 << 35).to_bytes(8, "little")
    other = RunningHash("sha256", bytes(state))
    running.update(block)
    other.update(block)
    assert running.digest() != other.digest()
    assert int.from_bytes(other.state()[32:40], "little") == (1 << 35) + (8 << 20)
