"""What clients ask for, each as an operation that can be begun again: for faults and interleavings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from roadstead.content.uploads.token import UploadToken
from roadstead.digest import DEFAULT_ALGORITHM, Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.names import RepositoryName, Tag
from tests.invariants.registry import ALICE, BOATS, SHIPS, Registry, blob, image
from tests.manifests import index_of

CONFIG, LAYER, OTHER = b"{}", blob("layer"), blob("other")
LARGE = blob("large", 20 * 1024)  # larger than what the index keeps, smaller than a part
TWO_CHUNKS = blob("two chunks", 6 * 1024)
MANY_PARTS = blob("many parts", 70 * 1024)
IMAGE = image(LAYER)
SECOND = image(OTHER)
BIG_IMAGE = image(LAYER, padding=40 * 1024)
REFERRER = image(LAYER, subject=IMAGE)
INDEX = index_of(IMAGE, SECOND)
DOCUMENTS = (IMAGE, SECOND, BIG_IMAGE, REFERRER, INDEX)
TAGS = tuple(f"v{number:02d}" for number in range(60))


@dataclass
class Work:
    """What an operation keeps between its first try and the next: the client's memory."""

    token: UploadToken | None = None
    tokens: list[UploadToken] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Operation:
    """`run` is what the client does, and does again after a failure, when it may be told one of `over`."""

    name: str
    prepare: Callable[[Registry, Work], object]
    run: Callable[[Registry, Work], object]
    achieved: Callable[[Registry, Work], bool]
    over: frozenset[ErrorCode] = frozenset()


def send_in_chunks(
    registry: Registry, token: UploadToken, data: bytes, chunk: int, algorithm: str = DEFAULT_ALGORITHM
) -> Digest:
    """A client that asks where its upload stands and goes on from there."""
    try:
        offset = registry.uploads.offset(token)
    except RegistryError as error:
        if error.entries[0].code is not ErrorCode.BLOB_UPLOAD_UNKNOWN:
            raise
        offset = len(data)  # it is being closed or was
    while offset < len(data):
        piece = data[offset : offset + chunk]
        offset = registry.uploads.append(token, (piece,), actor=ALICE, start=offset)
    return registry.close(token, data, algorithm=algorithm).digest


def stream_in_chunks(
    registry: Registry, token: UploadToken, data: bytes, chunk: int, algorithm: str = DEFAULT_ALGORITHM
) -> None:
    """The same client of the relay, which then asks the registry for the blob."""
    try:
        offset = registry.relay.offset(token)
    except RegistryError as error:
        if error.entries[0].code is not ErrorCode.BLOB_UPLOAD_UNKNOWN:
            raise
        offset = len(data)
    while offset < len(data):
        offset = registry.relay.append(token, (data[offset : offset + chunk],), actor=ALICE, start=offset)
    digest = Digest.of(data, algorithm)
    registry.relay.close(token, digest, actor=ALICE)
    registry.blobs.get(token.repository, digest, ALICE, promise=True)


def streamed_blob(registry: Registry, data: bytes, repository: RepositoryName = SHIPS) -> None:
    """A blob that the relay has stored and that nobody has asked for."""
    registry.relay.close(registry.begin(repository), Digest.of(data), (data,), actor=ALICE)


def serves(
    registry: Registry, data: bytes, repository: RepositoryName = SHIPS, algorithm: str = DEFAULT_ALGORITHM
) -> bool:
    digest = Digest.of(data, algorithm)
    with contextlib.suppress(RegistryError):
        link = registry.blobs.get(repository, digest, ALICE)
        return digest.matches(link.data if link.data is not None else registry.objects.get(link.key) or b"")
    return False


def stands(registry: Registry, body: bytes, reference: str = "", repository: RepositoryName = SHIPS) -> bool:
    with contextlib.suppress(RegistryError):
        return registry.manifests.get(repository, Tag(reference) if reference else Digest.of(body))[1] == body
    return False


def with_image(registry: Registry, *tags: str, repository: RepositoryName = SHIPS) -> None:
    for data in (CONFIG, LAYER):
        registry.upload(data, repository)
    registry.push(IMAGE, tags=tags, to=repository)


def with_second(registry: Registry, *tags: str) -> None:
    for data in (CONFIG, OTHER):
        registry.upload(data)
    registry.push(SECOND, tags=tags)


def begin(registry: Registry, work: Work) -> None:
    work.token = registry.begin()


def token_of(work: Work) -> UploadToken:
    assert work.token is not None
    return work.token


def _whole(name: str, data: bytes) -> Operation:
    return Operation(
        name,
        begin,
        lambda registry, work: registry.close(token_of(work), data, last=data),
        lambda registry, work: serves(registry, data),
    )


def _chunked(name: str, data: bytes, chunk: int, algorithm: str = DEFAULT_ALGORITHM) -> Operation:
    return Operation(
        name,
        begin,
        lambda registry, work: send_in_chunks(registry, token_of(work), data, chunk, algorithm),
        lambda registry, work: serves(registry, data, algorithm=algorithm),
    )


def _streamed(name: str, data: bytes, chunk: int, algorithm: str = DEFAULT_ALGORITHM) -> Operation:
    return Operation(
        name,
        begin,
        lambda registry, work: stream_in_chunks(registry, token_of(work), data, chunk, algorithm),
        lambda registry, work: serves(registry, data, algorithm=algorithm),
    )


def _streamed_twice(registry: Registry, work: Work) -> None:
    for _ in range(2):
        streamed_blob(registry, MANY_PARTS)


def _send_whole(registry: Registry, work: Work) -> None:
    registry.send_whole(registry.begin(), LAYER)


def _send_whole_elsewhere(registry: Registry, work: Work) -> None:
    registry.upload(LAYER, BOATS)
    registry.send_whole(registry.begin(), LAYER)


def _begin_parts(registry: Registry, work: Work) -> None:
    work.token = registry.begin()
    for start, size in ((0, 30 * 1024), (30 * 1024, 5 * 1024)):
        registry.uploads.append(work.token, (MANY_PARTS[start : start + size],), actor=ALICE, start=start)


def _is_cancelled(registry: Registry, work: Work) -> bool:
    try:
        registry.close(token_of(work), MANY_PARTS, last=MANY_PARTS)
    except RegistryError as error:
        return error.entries[0].code is ErrorCode.BLOB_UPLOAD_UNKNOWN
    return False


def _asked(registry: Registry, work: Work) -> object:
    return registry.blobs.get(SHIPS, Digest.of(LAYER), ALICE, promise=True)


def _mounted(registry: Registry, work: Work) -> object:
    link = registry.blobs.mount(BOATS, SHIPS, Digest.of(LAYER), ALICE)
    assert link is not None
    return link


def _mounted_to_image(registry: Registry, work: Work) -> None:
    with_image(registry)
    registry.upload(LAYER, BOATS)


def _pushing(
    name: str, body: bytes, prepare: Callable[[Registry, Work], object], *tags: str, to: RepositoryName = SHIPS
) -> Operation:
    return Operation(
        name,
        prepare,
        lambda registry, work: registry.push(body, tags=tags, to=to),
        lambda registry, work: all(stands(registry, body, tag, to) for tag in ("", *tags)),
    )


def _blobs_sent(registry: Registry, work: Work) -> None:
    for data in (CONFIG, LAYER):
        registry.send_whole(registry.begin(), data)


def _blobs(registry: Registry, work: Work) -> None:
    for data in (CONFIG, LAYER):
        registry.upload(data)


def _tags_elsewhere(registry: Registry, work: Work) -> None:
    with_second(registry, *TAGS[:6])
    registry.upload(LAYER)


def _both(registry: Registry, work: Work) -> None:
    with_image(registry)
    with_second(registry)


def _many_tags(registry: Registry, work: Work) -> None:
    with_image(registry)
    for start in range(0, len(TAGS), 20):
        registry.push(IMAGE, tags=TAGS[start : start + 20])
    with_second(registry, "second")


def _blob_beside_image(registry: Registry, work: Work) -> None:
    with_image(registry, "latest")
    registry.upload(OTHER)
    registry.upload(OTHER, BOATS)


def _unadopted_beside_image(registry: Registry, work: Work) -> None:
    with_image(registry, "latest")
    registry.upload(OTHER)
    for _ in range(2):
        registry.send_whole(registry.begin(), OTHER)


def _referrer(registry: Registry, work: Work) -> None:
    with_image(registry)
    registry.push(REFERRER)


OPERATIONS = (
    _whole("upload a small blob", LAYER),
    _whole("upload a blob", LARGE),
    _whole("upload an empty blob", b""),
    _whole("upload a blob larger than a part", MANY_PARTS),
    _chunked("upload in chunks that the session keeps", LAYER, 25),
    _chunked("upload in one chunk that waits in an object", TWO_CHUNKS, 6 * 1024),
    _chunked("upload in chunks that wait in objects", TWO_CHUNKS, 3 * 1024),
    _chunked("upload in many parts", MANY_PARTS, 15 * 1024),
    _chunked("upload in one chunk that is hashed again", TWO_CHUNKS, 6 * 1024, "sha512"),
    _chunked("upload in many parts that are read back", MANY_PARTS, 15 * 1024, "sha512"),
    _streamed("stream a blob that the session keeps", LAYER, 25),
    _streamed("stream a blob in one chunk that waits in an object", TWO_CHUNKS, 6 * 1024),
    _streamed("stream a blob in chunks that wait in objects", TWO_CHUNKS, 3 * 1024),
    _streamed("stream a blob in many parts", MANY_PARTS, 15 * 1024),
    _streamed("stream a blob in many parts that are read back", MANY_PARTS, 15 * 1024, "sha512"),
    Operation(
        "delete a blob that was streamed",
        _streamed_twice,
        lambda registry, work: registry.delete_blob(Digest.of(MANY_PARTS)),
        lambda registry, work: not serves(registry, MANY_PARTS),
        over=frozenset({ErrorCode.BLOB_UNKNOWN}),
    ),
    Operation(
        "cancel an upload",
        _begin_parts,
        lambda registry, work: registry.uploads.cancel(token_of(work)),
        _is_cancelled,
        over=frozenset({ErrorCode.BLOB_UPLOAD_UNKNOWN}),
    ),
    Operation("adopt a whole upload", _send_whole, _asked, lambda registry, work: serves(registry, LAYER)),
    Operation(
        "adopt a whole upload of what another repository has",
        _send_whole_elsewhere,
        _asked,
        lambda registry, work: serves(registry, LAYER),
    ),
    Operation(
        "mount a blob",
        lambda registry, work: with_image(registry, repository=BOATS),
        _mounted,
        lambda registry, work: serves(registry, LAYER),
    ),
    Operation(
        "mount a blob that its source has to adopt",
        lambda registry, work: registry.send_whole(registry.begin(BOATS), LAYER),
        _mounted,
        lambda registry, work: serves(registry, LAYER),
    ),
    Operation(
        "mount a blob that is there", _mounted_to_image, _mounted, lambda registry, work: serves(registry, LAYER)
    ),
    _pushing("push an image to a new repository", IMAGE, _blobs, "latest"),
    _pushing("push an image whose blobs nobody asked for yet", IMAGE, _blobs_sent, "latest"),
    _pushing("push an image by digest", IMAGE, _tags_elsewhere),
    _pushing("push an image that is there", IMAGE, lambda registry, work: with_image(registry, "latest"), "latest"),
    _pushing("push an image to tags of another", IMAGE, _tags_elsewhere, *TAGS[:8]),
    _pushing("push an image that is there to tags of another", IMAGE, _both, *TAGS[:3]),
    _pushing("push a large image", BIG_IMAGE, _blobs, "latest"),
    _pushing("push a referrer", REFERRER, lambda registry, work: with_image(registry, "latest")),
    _pushing("push an index", INDEX, _both, "latest"),
    Operation(
        "delete a tag",
        lambda registry, work: with_image(registry, "latest", "stable"),
        lambda registry, work: registry.delete("latest"),
        lambda registry, work: not stands(registry, IMAGE, "latest") and stands(registry, IMAGE, "stable"),
        over=frozenset({ErrorCode.MANIFEST_UNKNOWN}),
    ),
    Operation(
        "delete a manifest with sixty tags",
        _many_tags,
        lambda registry, work: registry.delete(Digest.of(IMAGE)),
        lambda registry, work: not stands(registry, IMAGE) and not registry.lists.tags(SHIPS, n=9, last="v").names,
        over=frozenset({ErrorCode.MANIFEST_UNKNOWN}),
    ),
    Operation(
        "delete a referrer",
        _referrer,
        lambda registry, work: registry.delete(Digest.of(REFERRER)),
        lambda registry, work: (
            not registry.lists.referrers(SHIPS, Digest.of(IMAGE), artifact_type=None, last="").descriptors
        ),
        over=frozenset({ErrorCode.MANIFEST_UNKNOWN}),
    ),
    Operation(
        "delete a blob",
        _blob_beside_image,
        lambda registry, work: registry.delete_blob(Digest.of(OTHER)),
        lambda registry, work: not serves(registry, OTHER) and serves(registry, OTHER, BOATS),
        over=frozenset({ErrorCode.BLOB_UNKNOWN}),
    ),
    Operation(
        "delete a blob that was sent several times",
        _unadopted_beside_image,
        lambda registry, work: registry.delete_blob(Digest.of(OTHER)),
        lambda registry, work: not serves(registry, OTHER),
        over=frozenset({ErrorCode.BLOB_UNKNOWN}),
    ),
)
