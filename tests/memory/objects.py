"""`Objects`, `BlobUrls` and `UploadKeySource` in memory, for tests."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterable, Mapping, Sequence

from roadstead.content.objects import LISTED, MIN_PART, MultipartGone, ObjectInfo
from roadstead.content.uploads.sessions import Part
from roadstead.content.uploads.token import UploadKeys
from roadstead.digest import ALGORITHMS, Digest


class MemoryObjects:
    """A bucket with S3's rules for checksums, parts and metadata."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, tuple[bytes, frozenset[Digest], Mapping[str, str]]] = {}
        self._multiparts: dict[tuple[str, str], tuple[dict[int, bytes], Mapping[str, str]]] = {}

    def put(self, key: str, data: bytes, *, digest: Digest | None = None, metadata: Mapping[str, str]) -> None:
        if digest is not None and not digest.matches(data):
            raise ValueError("BadDigest")
        _check_metadata(metadata)
        with self._lock:
            self._objects[key] = (data, frozenset({digest} if digest else ()), dict(metadata))

    def get(self, key: str) -> bytes | None:
        with self._lock:
            found = self._objects.get(key)
        return found[0] if found else None

    def get_range(self, key: str, start: int, size: int) -> bytes | None:
        data = self.get(key)
        return data[start : start + size] if data is not None else None

    def find(self, key: str) -> ObjectInfo | None:
        with self._lock:
            found = self._objects.get(key)
        return ObjectInfo(len(found[0]), found[1], found[2]) if found else None

    def list(self, prefix: str) -> tuple[str, ...]:
        with self._lock:
            return tuple(sorted(key for key in self._objects if key.startswith(prefix))[:LISTED])

    def delete(self, keys: Iterable[str]) -> None:
        with self._lock:
            for key in keys:
                self._objects.pop(key, None)

    def presign(self, key: str, *, digest: Digest, method: str = "GET", at: str = "") -> str:
        return f"https://objects.invalid/{key}?method={method}"

    def begin(self, key: str, *, metadata: Mapping[str, str]) -> str:
        _check_metadata(metadata)
        multipart_id = secrets.token_hex(8)
        with self._lock:
            self._multiparts[(key, multipart_id)] = ({}, dict(metadata))
        return multipart_id

    def put_part(self, key: str, multipart_id: str, number: int, data: bytes) -> Part:
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with self._lock:
            if (key, multipart_id) not in self._multiparts:
                raise MultipartGone(multipart_id)
            self._multiparts[(key, multipart_id)][0][number] = data
        return Part(number, f'"{checksum}"', checksum, len(data))

    def complete(self, key: str, multipart_id: str, parts: Sequence[Part]) -> None:
        with self._lock:
            if (key, multipart_id) not in self._multiparts:
                if key in self._objects and len(self._objects[key][0]) == sum(part.size for part in parts):
                    return
                raise MultipartGone(multipart_id)
            written, metadata = self._multiparts[(key, multipart_id)]
            pieces = []
            for place, part in enumerate(parts, 1):
                data = written.get(part.number, b"")
                if base64.b64encode(hashlib.sha256(data).digest()).decode() != part.checksum:
                    raise MultipartGone(multipart_id)
                if place < len(parts) and len(data) < MIN_PART:
                    raise ValueError("EntityTooSmall")
                pieces.append(data)
            del self._multiparts[(key, multipart_id)]
            self._objects[key] = (b"".join(pieces), frozenset(), metadata)

    def abort(self, key: str, multipart_id: str) -> None:
        with self._lock:
            self._multiparts.pop((key, multipart_id), None)

    def unfinished(self) -> int:
        """How many multipart uploads are open, for tests that look for leaks."""
        with self._lock:
            return len(self._multiparts)

    def put_direct(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        """An object as the edge has S3 write it: with the checksums of what arrived."""
        with self._lock:
            digests = frozenset(Digest.of(data, algorithm) for algorithm in ALGORITHMS)
            self._objects[key] = (data, digests, dict(metadata))


def _check_metadata(metadata: Mapping[str, str]) -> None:
    """S3 counts names and values in bytes of US-ASCII ("Working with object metadata")."""
    if len("".join((*metadata, *metadata.values())).encode("ascii")) > 2_048:
        raise ValueError("MetadataTooLarge")


class FixedUploadKeys:
    """Keys that are given."""

    def __init__(self, keys: UploadKeys) -> None:
        self._keys = keys

    def upload_keys(self) -> UploadKeys:
        return self._keys


class FixedEdgeSecrets:
    """Secrets that are given."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets

    def edge_secrets(self) -> tuple[str, ...]:
        return self._secrets
