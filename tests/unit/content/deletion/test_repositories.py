"""Deleting repositories beside pushes, and after a death between any two manifests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from roadstead.content.commit_rules import RuleRefused
from roadstead.content.deletion.repositories import RepositoryDeletion
from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.push import TagExists
from roadstead.digest import Digest
from roadstead.errors import RegistryError
from roadstead.names import RepositoryName, Tag
from roadstead.trail.events import EventMaker
from tests.manifests import dump, image_of, index, of
from tests.unit.content.parts import ADA, SHIPS, Registry


def always() -> bool:
    return True


def made(images: int = 3) -> tuple[Registry, RepositoryDeletion]:
    """Images, the first two of which an index needs."""
    registry = Registry()
    registry.upload(b"{}")
    bodies = []
    for number in range(images):
        layer = b"layer %d" % number
        registry.upload(layer)
        bodies.append(image_of(layer))
        registry.push(bodies[-1], Tag(f"v{number}"))
    registry.push(dump(index([of(body, OCI_MANIFEST) for body in bodies[:2]])), Tag("whole"))
    registry.clock.now += 10
    deletion = RepositoryDeletion(registry.index, registry.manifests, registry.index, EventMaker(registry.clock))
    return registry, deletion


def left(registry: Registry) -> set[str]:
    return set(registry.index.repositories[SHIPS].manifests)


def test_everything_goes_children_behind_their_index() -> None:
    registry, deletion = made(200)
    at = deletion.begin(SHIPS, ADA)
    swept = deletion.sweep(SHIPS, at, ADA, go_on=always)
    assert (swept.deleted, swept.kept, swept.complete) == (201, 0, True)
    assert left(registry) == set() and not registry.index.repositories[SHIPS].tags
    assert not registry.index.is_emptying(SHIPS.project)


def test_everything_goes_to_the_trash_as_one_unit() -> None:
    registry, deletion = made(20)
    registry.index.grace = 86_400
    mark = deletion.begin(SHIPS, ADA)
    assert deletion.begin(SHIPS, ADA) == mark
    assert deletion.sweep(SHIPS, mark, ADA, go_on=always).kept == 0
    (unit,) = registry.index.units.values()
    assert (unit, unit.kind, unit.repository) == (mark.unit, "repository", SHIPS)
    assert {one.unit for one in registry.index.trashed.values()} == {unit.id}
    assert sorted(tag for one in registry.index.trashed.values() for tag in one.tags) == sorted(
        ["whole", *(f"v{number}" for number in range(20))]
    )


def test_a_sweep_that_stopped_is_gone_on_with() -> None:
    registry, deletion = made(100)
    at = deletion.begin(SHIPS, ADA)
    looks = iter([True, False])
    assert not deletion.sweep(SHIPS, at, ADA, go_on=lambda: next(looks)).complete
    assert 0 < len(left(registry)) < 101
    assert deletion.begin(SHIPS, ADA) == at  # asked for again
    assert deletion.sweep(SHIPS, at, ADA, go_on=always).complete
    assert left(registry) == set()


def test_what_is_pushed_meanwhile_stays_with_what_it_needs() -> None:
    registry, deletion = made()
    at = deletion.begin(SHIPS, ADA)
    registry.clock.now += 1
    needed = image_of(b"layer 2")
    newer = dump(index([of(needed, OCI_MANIFEST)]))
    registry.push(newer, Tag("new"))
    swept = deletion.sweep(SHIPS, at, ADA, go_on=always)
    assert swept.complete and swept.kept == 1
    assert left(registry) == {Digest.of(newer), Digest.of(needed)}
    assert registry.index.list_repositories(after="", limit=9) == (SHIPS,)


def test_beside_pushers_nothing_older_is_left_and_everything_left_is_in_a_list() -> None:
    registry, deletion = made(60)
    bodies = [image_of(b"layer 0", annotations={"n": str(number)}) for number in range(60)]
    registry.clock.now += 10
    mark = deletion.begin(SHIPS, ADA)
    registry.clock.now += 1

    def push(body: bytes) -> None:
        registry.push(body, Tag(f"late-{Digest.of(body).hex[:12]}"))

    with ThreadPoolExecutor(4) as pool:
        sweep = pool.submit(lambda: deletion.sweep(SHIPS, mark, ADA, go_on=always))
        pushes = [pool.submit(push, body) for body in bodies]
        assert sweep.result().complete
        for one in pushes:
            one.result()
    assert left(registry) == {Digest.of(body) for body in bodies}
    registry.index.settle_deletion(SHIPS, at=mark.at)
    assert registry.index.list_repositories(after="", limit=9) == (SHIPS,)


def test_a_deletion_whose_clock_is_behind_takes_what_was_there_all_the_same() -> None:
    registry, deletion = made()
    registry.index.grace = 86_400
    registry.clock.now -= 3_600
    mark = deletion.begin(SHIPS, ADA)
    registry.push(image_of(b"layer 0"), Tag("again"))
    assert deletion.sweep(SHIPS, mark, ADA, go_on=always).complete
    assert left(registry) == {Digest.of(image_of(b"layer 0"))}
    assert set(registry.index.repositories[SHIPS].tags) == {"again"}
    second = deletion.begin(SHIPS, ADA)
    assert second.at == mark.at + 1 and second.unit is not None and second.unit.at == second.at
    assert deletion.sweep(SHIPS, second, ADA, go_on=always).deleted == 1
    assert left(registry) == set()


def test_a_sweep_goes_on_with_the_deletion_that_is_under_way() -> None:
    registry, deletion = made()
    first = deletion.begin(SHIPS, ADA)
    registry.clock.now += 1
    registry.push(image_of(b"layer 0"), Tag("again"))
    registry.clock.now += 1
    deletion.begin(SHIPS, ADA)
    assert deletion.sweep(SHIPS, first, ADA, go_on=always).deleted == 4
    assert left(registry) == set() and not registry.index.is_emptying(SHIPS.project)
    registry.push(image_of(b"layer 0"), Tag("again"))
    assert deletion.sweep(SHIPS, first, ADA, go_on=always).deleted == 0
    assert len(left(registry)) == 1


def test_a_tag_from_before_may_be_set_anew_while_the_deletion_goes_on() -> None:
    registry, deletion = made()
    mark, body = deletion.begin(SHIPS, ADA), image_of(b"layer 1")
    registry.pushes.tag(SHIPS, Digest.of(body), Tag("v0"), actor=ADA)
    with pytest.raises(TagExists):
        registry.pushes.tag(SHIPS, Digest.of(body), Tag("v0"), actor=ADA)
    deletion.sweep(SHIPS, mark, ADA, go_on=always)
    assert {tag: one.digest for tag, one in registry.index.repositories[SHIPS].tags.items()} == {"v0": Digest.of(body)}


def test_an_absent_repository_is_not_known() -> None:
    _, deletion = made()
    with pytest.raises(RegistryError) as caught:
        deletion.begin(RepositoryName("ships/absent"), ADA)
    assert caught.value.status == 404


def test_a_tag_that_becomes_immutable_meanwhile_keeps_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    registry, deletion = made()
    at = deletion.begin(SHIPS, ADA)

    def refuse(*_: object, **__: object) -> None:
        raise RuleRefused("immutable")

    monkeypatch.setattr(registry.manifests, "delete", refuse)
    with pytest.raises(RuleRefused):
        deletion.sweep(SHIPS, at, ADA, go_on=always)
    assert registry.index.repository_exists(SHIPS) and not registry.index.is_emptying(SHIPS.project)
    kept = registry.index.find_tag(SHIPS, Tag("v0"))
    other = registry.index.find_tag(SHIPS, Tag("v1"))
    assert kept is not None and other is not None
    with pytest.raises(TagExists):
        registry.pushes.tag(SHIPS, other.digest, Tag("v0"), actor=ADA)
    assert registry.index.find_tag(SHIPS, Tag("v0")) == kept
