"""Requests that get in each other's way, and all the ways in which they may end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from roadstead.digest import DEFAULT_ALGORITHM, Digest
from roadstead.errors import RegistryError
from roadstead.names import RepositoryName
from tests.invariants.operations import (
    CONFIG,
    IMAGE,
    INDEX,
    LAYER,
    MANY_PARTS,
    OTHER,
    REFERRER,
    SECOND,
    TWO_CHUNKS,
    begin,
    serves,
    stands,
)
from tests.invariants.registry import BOATS, SHIPS, Registry
from tests.invariants.steps import (
    DECLINED,
    OK,
    Step,
    append,
    ask,
    blobs,
    both_images,
    cancel,
    close,
    close_at_relay,
    delete,
    delete_blob,
    in_both_repositories,
    mount,
    pull,
    push,
    replace_image,
    sent,
    sent_whole,
    streamed,
    tagged_image,
    untag,
    upload,
    watch_blob,
    with_referrer,
)

Ends = tuple[str, ...]
UNKNOWN_MANIFEST, UNKNOWN_BLOB, MISSING = "MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN"
UNKNOWN_UPLOAD, INVALID_UPLOAD, NEEDED = "BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "DENIED"
INVALID = "DIGEST_INVALID"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`after` is what must be so once the requests have ended, whoever came first."""

    name: str
    prepare: Step
    requests: tuple[Step, ...]
    ends: frozenset[Ends]
    after: Callable[[Registry, Ends], bool]


def end_of(outcome: object) -> str:
    """`ok`, `declined`, or the code of the refusal. Any other exception is a fault of the registry and rises."""
    if isinstance(outcome, RegistryError):
        return outcome.entries[0].code.name
    if isinstance(outcome, BaseException):
        raise outcome
    return DECLINED if outcome is DECLINED else OK


def ends(*allowed: Ends) -> frozenset[Ends]:
    return frozenset(allowed)


def _closing(
    name: str, prepare: Step, data: bytes, other: Step, *allowed: Ends, algorithm: str = DEFAULT_ALGORITHM
) -> Scenario:
    """The blob is there if, and only if, the closing request was told so."""
    return Scenario(
        name,
        prepare,
        (close(data, algorithm=algorithm), other),
        ends(*allowed),
        lambda registry, ends: (
            serves(registry, data, algorithm=algorithm) == (ends[0] == OK or (other is not cancel and ends[1] == OK))
        ),
    )


_BEGUN, _CHUNK, _CHUNKS, _PARTS = sent(LAYER, 25, 40), sent(TWO_CHUNKS, 6144), sent(TWO_CHUNKS, 3072, 6144), 70 * 1024
_IN_PARTS = sent(MANY_PARTS, 30 * 1024, 60 * 1024, _PARTS)
_ONE_WINS = ((OK, UNKNOWN_UPLOAD), (UNKNOWN_UPLOAD, OK), (OK, INVALID_UPLOAD), (INVALID_UPLOAD, OK))


def _at_relay(name: str, prepare: Step, data: bytes) -> tuple[Scenario, ...]:
    """What the relay has stored is served if, and only if, it said so; whoever else asks, closes or cancels."""
    close_there = close_at_relay(data)
    return (
        Scenario(
            f"close {name} at the relay twice",
            prepare,
            (close_there, close_there),
            ends((OK, OK)),
            lambda registry, ends: serves(registry, data),
        ),
        Scenario(
            f"close {name} at the relay, ask for the blob",
            prepare,
            (close_there, ask(data)),
            ends((OK, OK), (OK, UNKNOWN_BLOB)),
            lambda registry, ends: serves(registry, data),
        ),
        Scenario(
            f"close {name} at the relay, and at the registry",
            prepare,
            (close_there, close(data)),
            ends((OK, OK)),
            lambda registry, ends: serves(registry, data),
        ),
        Scenario(
            f"close {name} at the relay, cancel it",
            prepare,
            (close_there, cancel),
            ends(*_ONE_WINS),
            lambda registry, ends: serves(registry, data) == (ends[0] == OK),
        ),
    )


SCENARIOS = (
    *_at_relay("an upload that the session keeps", _BEGUN, LAYER),
    *_at_relay("an upload of one chunk", _CHUNK, TWO_CHUNKS),
    *_at_relay("an upload of two chunks", _CHUNKS, TWO_CHUNKS),
    *_at_relay("an upload in parts", _IN_PARTS, MANY_PARTS),
    Scenario(
        "ask twice for what was streamed twice",
        streamed(MANY_PARTS, SHIPS, SHIPS),
        (ask(MANY_PARTS), ask(MANY_PARTS)),
        ends((OK, OK)),
        lambda registry, ends: serves(registry, MANY_PARTS),
    ),
    Scenario(
        "delete a blob that was streamed three times, look for it",
        streamed(MANY_PARTS, SHIPS, SHIPS, SHIPS, BOATS),
        (delete_blob(MANY_PARTS), watch_blob(MANY_PARTS)),
        ends((OK, OK)),
        lambda registry, ends: not serves(registry, MANY_PARTS) and serves(registry, MANY_PARTS, BOATS),
    ),
    Scenario(
        "push an image, delete a blob that it needs",
        blobs(CONFIG, LAYER),
        (push(IMAGE, "latest"), delete_blob(LAYER)),
        ends((OK, NEEDED), (MISSING, OK), (MISSING, NEEDED)),
        lambda registry, ends: (
            stands(registry, IMAGE, "latest") == (ends[0] == OK) and serves(registry, LAYER) == (ends[1] == NEEDED)
        ),
    ),
    Scenario(
        "push an index, delete its child",
        both_images,
        (push(INDEX, "index"), delete(IMAGE)),
        ends((OK, NEEDED), (MISSING, OK), (MISSING, NEEDED)),
        lambda registry, ends: (
            stands(registry, INDEX, "index") == (ends[0] == OK)
            and stands(registry, IMAGE) == stands(registry, IMAGE, "latest") == (ends[1] == NEEDED)
        ),
    ),
    Scenario(
        "tag an image, delete it",
        tagged_image,
        (push(IMAGE, "stable"), delete(IMAGE)),
        ends((OK, OK)),
        lambda registry, ends: stands(registry, IMAGE) == stands(registry, IMAGE, "stable"),
    ),
    Scenario(
        "move a tag twice",
        both_images,
        (push(IMAGE, "stable"), push(SECOND, "stable")),
        ends((OK, OK)),
        lambda registry, ends: (
            stands(registry, IMAGE)
            and stands(registry, SECOND)
            and stands(registry, IMAGE, "stable") != stands(registry, SECOND, "stable")
        ),
    ),
    Scenario(
        "move several tags twice",
        both_images,
        (push(IMAGE, "a", "b", "second"), push(SECOND, "b", "a", "latest")),
        ends((OK, OK)),
        lambda registry, ends: stands(registry, IMAGE, "a") == stands(registry, IMAGE, "b"),
    ),
    Scenario(
        "delete a tag, move it",
        both_images,
        (untag("latest"), push(SECOND, "latest")),
        ends((OK, OK)),
        lambda registry, ends: stands(registry, IMAGE) and not stands(registry, IMAGE, "latest"),
    ),
    Scenario(
        "delete an image, move its tag to another",
        both_images,
        (delete(IMAGE), push(SECOND, "latest")),
        ends((OK, OK)),
        lambda registry, ends: not stands(registry, IMAGE) and stands(registry, SECOND, "latest"),
    ),
    Scenario(
        "delete a tag twice",
        tagged_image,
        (untag("latest"), untag("latest")),
        ends((OK, UNKNOWN_MANIFEST), (UNKNOWN_MANIFEST, OK)),
        lambda registry, ends: stands(registry, IMAGE) and not stands(registry, IMAGE, "latest"),
    ),
    Scenario(
        "delete an image twice",
        tagged_image,
        (delete(IMAGE), delete(IMAGE)),
        ends((OK, UNKNOWN_MANIFEST), (UNKNOWN_MANIFEST, OK)),
        lambda registry, ends: not stands(registry, IMAGE) and not stands(registry, IMAGE, "latest"),
    ),
    Scenario(
        "delete an image, push it again",
        tagged_image,
        (delete(IMAGE), push(IMAGE, "latest")),
        ends((OK, OK)),
        lambda registry, ends: stands(registry, IMAGE) == stands(registry, IMAGE, "latest"),
    ),
    Scenario(
        "delete an image, delete its blob",
        tagged_image,
        (delete(IMAGE), delete_blob(LAYER)),
        ends((OK, OK), (OK, NEEDED)),
        lambda registry, ends: not stands(registry, IMAGE) and serves(registry, LAYER) == (ends[1] == NEEDED),
    ),
    Scenario(
        "delete an image, push it again, delete its blob",
        tagged_image,
        (delete(IMAGE), push(IMAGE), delete_blob(LAYER)),
        ends((OK, OK, OK), (OK, OK, NEEDED), (OK, MISSING, OK), (OK, MISSING, NEEDED)),
        lambda registry, ends: not stands(registry, IMAGE) or serves(registry, LAYER),
    ),
    Scenario(
        "push an image twice, delete it",
        blobs(CONFIG, LAYER),
        (push(IMAGE), push(IMAGE, "latest"), delete(IMAGE)),
        ends((OK, OK, OK), (OK, OK, UNKNOWN_MANIFEST)),
        lambda registry, ends: ends[2] == OK or stands(registry, IMAGE, "latest"),
    ),
    Scenario(
        "push an image twice, delete it, delete its blob",
        blobs(CONFIG, LAYER),
        (push(IMAGE), push(IMAGE), delete(IMAGE), delete_blob(LAYER)),
        ends(
            *(
                (a, b, c, d)
                for a in (OK, MISSING)
                for b in (OK, MISSING)
                for c in (OK, UNKNOWN_MANIFEST)
                for d in (OK, NEEDED)
            )
        ),
        lambda registry, ends: not stands(registry, IMAGE) or serves(registry, LAYER),
    ),
    Scenario(
        "push the first images of a repository",
        blobs(CONFIG, LAYER, OTHER),
        (push(IMAGE, "latest"), push(SECOND, "latest")),
        ends((OK, OK)),
        lambda registry, ends: (
            registry.lists.repositories(n=None, last="").names == (SHIPS,)
            and stands(registry, IMAGE)
            and stands(registry, SECOND)
        ),
    ),
    Scenario(
        "push a referrer, delete it",
        with_referrer,
        (push(REFERRER), delete(REFERRER)),
        ends((OK, OK)),
        lambda registry, ends: (
            stands(registry, REFERRER)
            == bool(registry.lists.referrers(SHIPS, Digest.of(IMAGE), artifact_type=None, last="").descriptors)
        ),
    ),
    Scenario(
        "ask for a whole upload in two repositories",
        sent_whole(OTHER, SHIPS, BOATS),
        (ask(OTHER), ask(OTHER, BOATS)),
        ends((OK, OK)),
        lambda registry, ends: serves(registry, OTHER) and serves(registry, OTHER, BOATS),
    ),
    Scenario(
        "ask for a whole upload twice",
        sent_whole(OTHER, SHIPS),
        (ask(OTHER), ask(OTHER)),
        ends((OK, OK)),
        lambda registry, ends: serves(registry, OTHER),
    ),
    Scenario(
        "ask twice for what was sent twice",
        sent_whole(OTHER, SHIPS, SHIPS),
        (ask(OTHER), ask(OTHER)),
        ends((OK, OK)),
        lambda registry, ends: serves(registry, OTHER),
    ),
    Scenario(
        "push two images whose blobs nobody asked for",
        lambda registry, work: [sent_whole(data, SHIPS)(registry, work) for data in (CONFIG, LAYER, OTHER)],
        (push(IMAGE, "latest"), push(SECOND, "latest")),
        ends((OK, OK)),
        lambda registry, ends: stands(registry, IMAGE) and stands(registry, SECOND),
    ),
    Scenario(
        "ask for a whole upload, delete the blob",
        sent_whole(OTHER, SHIPS, SHIPS),
        (ask(OTHER), delete_blob(OTHER)),
        ends((OK, OK), (UNKNOWN_BLOB, OK)),
        lambda registry, ends: not serves(registry, OTHER),
    ),
    Scenario(
        "delete a blob that was sent three times, look for it",
        sent_whole(OTHER, SHIPS, SHIPS, SHIPS, BOATS),
        (delete_blob(OTHER), watch_blob(OTHER)),
        ends((OK, OK)),
        lambda registry, ends: not serves(registry, OTHER) and serves(registry, OTHER, BOATS),
    ),
    Scenario(
        "replace the image of a tag, pull by the tag",
        both_images,
        (replace_image, pull("latest")),
        ends((OK, OK)),
        lambda registry, ends: stands(registry, SECOND, "latest") and not stands(registry, IMAGE),
    ),
    Scenario(
        "delete a blob twice",
        sent_whole(OTHER, SHIPS, SHIPS),
        (delete_blob(OTHER), delete_blob(OTHER)),
        ends((OK, OK), (OK, UNKNOWN_BLOB), (UNKNOWN_BLOB, OK)),
        lambda registry, ends: not serves(registry, OTHER),
    ),
    Scenario(
        "delete a blob, upload it again",
        blobs(OTHER),
        (delete_blob(OTHER), upload(OTHER)),
        ends((OK, OK), (OK, UNKNOWN_UPLOAD)),
        lambda registry, ends: True,
    ),
    Scenario(
        "delete a blob, mount it elsewhere",
        blobs(OTHER),
        (delete_blob(OTHER), mount(OTHER, SHIPS, BOATS)),
        ends((OK, OK), (OK, DECLINED)),
        lambda registry, ends: not serves(registry, OTHER) and serves(registry, OTHER, BOATS) == (ends[1] == OK),
    ),
    Scenario(
        "delete a blob where it is mounted to",
        in_both_repositories,
        (delete_blob(OTHER, BOATS), mount(OTHER, SHIPS, BOATS)),
        ends((OK, OK)),
        lambda registry, ends: serves(registry, OTHER),
    ),
    Scenario(
        "delete a blob in two repositories, upload it to a third",
        in_both_repositories,
        (delete_blob(OTHER), delete_blob(OTHER, BOATS), upload(OTHER, RepositoryName("acme/third"))),
        ends((OK, OK, OK)),
        lambda registry, ends: serves(registry, OTHER, RepositoryName("acme/third")),
    ),
    _closing("close an upload that the session keeps, twice", _BEGUN, LAYER, close(LAYER), (OK, OK)),
    _closing("close an upload of one chunk twice", _CHUNK, TWO_CHUNKS, close(TWO_CHUNKS), (OK, OK)),
    _closing("close an upload of two chunks twice", _CHUNKS, TWO_CHUNKS, close(TWO_CHUNKS), (OK, OK)),
    _closing("close an upload in parts twice", _IN_PARTS, MANY_PARTS, close(MANY_PARTS), (OK, OK)),
    Scenario(
        "close an upload in parts twice, by a digest for which it is read back",
        _IN_PARTS,
        (close(MANY_PARTS, algorithm="sha512"), close(MANY_PARTS, algorithm="sha512")),
        ends((OK, OK)),
        lambda registry, ends: serves(registry, MANY_PARTS, algorithm="sha512"),
    ),
    Scenario(
        "close an upload in parts by a wrong digest for which it is read back, twice",
        _IN_PARTS,
        (close(OTHER, algorithm="sha512"), close(OTHER, algorithm="sha512")),
        ends((INVALID, INVALID), (INVALID, UNKNOWN_UPLOAD), (UNKNOWN_UPLOAD, INVALID)),
        lambda registry, ends: not serves(registry, OTHER, algorithm="sha512"),
    ),
    Scenario(
        "close an upload in parts by a wrong digest for which it is read back, and by the right one",
        _IN_PARTS,
        (close(OTHER, algorithm="sha512"), close(MANY_PARTS)),
        ends((INVALID, OK), (INVALID, INVALID), (INVALID, UNKNOWN_UPLOAD), (UNKNOWN_UPLOAD, OK)),
        lambda registry, ends: serves(registry, MANY_PARTS) == (ends[1] == OK),
    ),
    _closing(
        "close an upload in parts by a digest for which it is read back, cancel it",
        _IN_PARTS,
        MANY_PARTS,
        cancel,
        *_ONE_WINS,
        algorithm="sha512",
    ),
    Scenario(
        "send the last chunk of an upload in parts twice",
        sent(MANY_PARTS, 30 * 1024, 60 * 1024),
        (close(MANY_PARTS, MANY_PARTS[60 * 1024 :]), close(MANY_PARTS, MANY_PARTS[60 * 1024 :])),
        ends((OK, OK)),
        lambda registry, ends: serves(registry, MANY_PARTS),
    ),
    Scenario(
        "send a whole blob twice with one token",
        begin,
        (close(OTHER, OTHER), close(OTHER, OTHER)),
        ends((OK, OK)),
        lambda registry, ends: serves(registry, OTHER),
    ),
    _closing("close or cancel an upload that the session keeps", _BEGUN, LAYER, cancel, *_ONE_WINS),
    _closing("close or cancel an upload of one chunk", _CHUNK, TWO_CHUNKS, cancel, *_ONE_WINS),
    _closing("close or cancel an upload of two chunks", _CHUNKS, TWO_CHUNKS, cancel, *_ONE_WINS),
    _closing("close or cancel an upload in parts", _IN_PARTS, MANY_PARTS, cancel, *_ONE_WINS),
    Scenario(
        "append the same chunk twice",
        sent(MANY_PARTS, 30 * 1024),
        (append(MANY_PARTS, 30 * 1024, _PARTS), append(MANY_PARTS, 30 * 1024, _PARTS)),
        ends((OK, INVALID_UPLOAD), (INVALID_UPLOAD, OK)),
        lambda registry, ends: True,
    ),
    Scenario(
        "append beside the closing request",
        sent(MANY_PARTS, 30 * 1024, 35 * 1024),
        (append(MANY_PARTS, 35 * 1024, 40 * 1024), close(MANY_PARTS, MANY_PARTS[35 * 1024 :])),
        ends((OK, INVALID_UPLOAD), (INVALID_UPLOAD, OK), (UNKNOWN_UPLOAD, OK), (OK, INVALID)),
        lambda registry, ends: serves(registry, MANY_PARTS) == (ends[1] == OK),
    ),
    Scenario(
        "append beside the closing of what there is",
        _CHUNK,
        (append(MANY_PARTS, 6144, 40 * 1024), close(TWO_CHUNKS)),
        ends((OK, INVALID_UPLOAD), (INVALID_UPLOAD, OK), (UNKNOWN_UPLOAD, OK), (OK, INVALID)),
        lambda registry, ends: serves(registry, TWO_CHUNKS) == (ends[1] == OK),
    ),
)
