"""Requests as clients make them, and what was there before: the steps that scenarios are made of."""

from __future__ import annotations

from collections.abc import Callable

from roadstead.digest import DEFAULT_ALGORITHM, Digest
from roadstead.names import RepositoryName, Tag
from tests.invariants.operations import (
    IMAGE,
    OTHER,
    REFERRER,
    SECOND,
    Work,
    begin,
    serves,
    streamed_blob,
    token_of,
    with_image,
    with_second,
)
from tests.invariants.registry import ALICE, BOATS, SHIPS, Registry

Step = Callable[[Registry, Work], object]
OK, DECLINED = "ok", "declined"


def push(body: bytes, *tags: str, to: RepositoryName = SHIPS) -> Step:
    return lambda registry, work: registry.push(body, tags=tags, to=to)


def delete(body: bytes) -> Step:
    return lambda registry, work: registry.delete(Digest.of(body))


def delete_blob(data: bytes, repository: RepositoryName = SHIPS) -> Step:
    return lambda registry, work: registry.delete_blob(Digest.of(data), repository)


def untag(tag: str) -> Step:
    return lambda registry, work: registry.delete(tag)


def upload(data: bytes, repository: RepositoryName = SHIPS) -> Step:
    return lambda registry, work: registry.upload(data, repository)


def ask(data: bytes, repository: RepositoryName = SHIPS) -> Step:
    """HEAD: what it answers is a promise that a push need not send the blob."""
    return lambda registry, work: registry.blobs.get(repository, Digest.of(data), ALICE, promise=True)


def mount(data: bytes, source: RepositoryName, target: RepositoryName) -> Step:
    return lambda registry, work: registry.blobs.mount(source, target, Digest.of(data), ALICE) or DECLINED


def close(data: bytes, last: bytes = b"", *, algorithm: str = DEFAULT_ALGORITHM) -> Step:
    return lambda registry, work: registry.close(token_of(work), data, last=last, algorithm=algorithm)


def close_at_relay(data: bytes, last: bytes = b"") -> Step:
    return lambda registry, work: registry.relay.close(token_of(work), Digest.of(data), (last,), actor=ALICE)


def append(data: bytes, start: int, end: int) -> Step:
    return lambda registry, work: registry.uploads.append(token_of(work), (data[start:end],), actor=ALICE, start=start)


def cancel(registry: Registry, work: Work) -> object:
    registry.uploads.cancel(token_of(work))
    return OK


def watch_blob(data: bytes) -> Step:
    """A reader who would adopt what is there: once the blob is gone it stays gone."""

    def watch(registry: Registry, work: Work) -> str:
        seen = [serves(registry, data) for _ in range(3)]
        assert seen == sorted(seen, reverse=True), f"it came back: {seen}"
        return OK

    return watch


def pull(tag: str) -> Step:
    def read(registry: Registry, work: Work) -> object:
        entry, data = registry.manifests.get(SHIPS, Tag(tag))
        assert entry.digest.matches(data)
        return OK

    return read


def replace_image(registry: Registry, work: Work) -> object:
    """A new image takes over a tag, and the old one goes."""
    registry.push(SECOND, tags=["latest"])
    registry.delete(Digest.of(IMAGE))
    return OK


def sent(data: bytes, *ends: int) -> Step:
    """An upload that has received chunks up to each of `ends`."""

    def prepare(registry: Registry, work: Work) -> None:
        begin(registry, work)
        start = 0
        for end in ends:
            start = registry.uploads.append(token_of(work), (data[start:end],), actor=ALICE, start=start)

    return prepare


def sent_whole(data: bytes, *repositories: RepositoryName) -> Step:
    """An object at the edge for each, that nobody has asked for."""

    def prepare(registry: Registry, work: Work) -> None:
        for repository in repositories:
            registry.send_whole(registry.begin(repository), data)

    return prepare


def streamed(data: bytes, *repositories: RepositoryName) -> Step:
    """A blob that the relay has stored for each, in parts, and that nobody has asked for."""

    def prepare(registry: Registry, work: Work) -> None:
        for repository in repositories:
            streamed_blob(registry, data, repository)

    return prepare


def blobs(*contents: bytes) -> Step:
    def prepare(registry: Registry, work: Work) -> None:
        for data in contents:
            registry.upload(data)

    return prepare


def tagged_image(registry: Registry, work: Work) -> None:
    with_image(registry, "latest")


def both_images(registry: Registry, work: Work) -> None:
    with_image(registry, "latest")
    with_second(registry, "second")


def with_referrer(registry: Registry, work: Work) -> None:
    with_image(registry)
    registry.push(REFERRER)


def in_both_repositories(registry: Registry, work: Work) -> None:
    registry.upload(OTHER)
    registry.upload(OTHER, BOATS)
