"""Layers of an exact size, however large: a tar in gzip (RFC 1952), stored in blocks (RFC 1951, 3.2.4).

What is missing to the size goes into the extra field of gzip's header.
"""

from __future__ import annotations

import hashlib
import random
import struct
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

MINIMUM = 4096  # bytes; a tar has 1,536 in addition to its content, all of them uncompressed
_PIECE = 1024 * 1024
_BLOCK = 65_535  # bytes of a stored block, which adds five
_AROUND = 12 + 8  # bytes of gzip's header with the length of an extra field, and of its trailer
_TAR = 512 + 1024  # bytes of a tar's one header, and of its end


def write_exact_layer(path: Path, size: int, seed: str) -> tuple[str, str]:
    """Write a layer with one file of random bytes that depend on `seed` only; return its digest and the tar's."""
    assert size >= MINIMUM
    content = (size - _AROUND - _TAR - 5 * -(-size // _BLOCK) - 4) // 512 * 512  # four: the least extra field
    left = content + _TAR
    fill = size - _AROUND - left - 5 * -(-left // _BLOCK)
    packed, tar, crc, length = hashlib.sha256(), hashlib.sha256(), 0, left
    with path.open("wb") as file:

        def put(data: bytes) -> None:
            file.write(data)
            packed.update(data)

        put(b"\x1f\x8b\x08\x04" + bytes(6) + struct.pack("<H2sH", fill, b"RS", fill - 4) + bytes(fill - 4))
        for block in _blocks(_tar(content, seed)):
            left -= len(block)
            put(struct.pack("<BHH", left == 0, len(block), len(block) ^ 0xFFFF))
            put(block)
            tar.update(block)
            crc = zlib.crc32(block, crc)
        put(struct.pack("<II", crc, length % 2**32))
        assert file.tell() == size
    return f"sha256:{packed.hexdigest()}", f"sha256:{tar.hexdigest()}"


def _tar(content: int, seed: str) -> Iterator[bytes]:
    """Yield a tar of one file; `content` is a multiple of 512."""
    entry = tarfile.TarInfo("data/" + hashlib.sha256(seed.encode()).hexdigest()[:16])
    entry.size = content
    yield entry.tobuf(tarfile.USTAR_FORMAT)
    source = random.Random(seed)
    for start in range(0, content, _PIECE):
        yield source.randbytes(min(_PIECE, content - start))
    yield bytes(1024)


def _blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in blocks, all full except the last."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= _BLOCK:
            yield bytes(waiting[:_BLOCK])
            del waiting[:_BLOCK]
    if waiting:
        yield bytes(waiting)
